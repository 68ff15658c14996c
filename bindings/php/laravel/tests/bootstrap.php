<?php

declare(strict_types=1);

// The framework: Debian's, or that whose autoloader LARAVEL_AUTOLOAD names.
error_reporting(E_ALL & ~E_DEPRECATED); // Debian's Laravel 8 is older than its PHP
require getenv('LARAVEL_AUTOLOAD') ?: '/usr/share/php/Illuminate/autoload.php';
require __DIR__ . '/../../bayar.php';
foreach (glob(__DIR__ . '/../../tests/support/*.php') as $file) {
    require_once $file;
}

spl_autoload_register(static function (string $class): void {
    foreach (['Bayar\Laravel\Tests\\' => __DIR__, 'Bayar\Laravel\\' => __DIR__ . '/../src'] as $prefix => $directory) {
        $file = "$directory/" . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require_once $file;
            return;
        }
    }
}, prepend: true);
