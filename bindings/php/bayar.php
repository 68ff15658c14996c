<?php

declare(strict_types=1);

// For programs without composer: require '/path/to/bayar.php';

spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'Bayar\\')) {
        return;
    }
    $file = __DIR__ . '/src/' . strtr(substr($class, 6), '\\', '/') . '.php';
    if (is_file($file)) {
        require_once $file;
    } elseif (!class_exists('Bayar\\Error', false)) { // preloaded, they must not be declared again
        require_once __DIR__ . '/src/errors.php'; // where the errors stand together
    }
});
