<?php

declare(strict_types=1);

// Omnipay: the real one whose autoloader OMNIPAY_COMMON names, else a stand-in for what this driver uses of it.
foreach (['Psr/Log', 'Psr/Http/Message', 'Symfony/Component/HttpFoundation'] as $package) {
    require_once "/usr/share/php/$package/autoload.php";
}
require getenv('OMNIPAY_COMMON') ?: __DIR__ . '/standin.php';
require __DIR__ . '/../../bayar.php';
foreach (glob(__DIR__ . '/../../tests/support/*.php') as $file) {
    require_once $file;
}

spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/../src/' . strtr(substr($class, strlen('Omnipay\Bayar\\')), '\\', '/') . '.php';
    if (str_starts_with($class, 'Omnipay\Bayar\\') && is_file($file)) {
        require_once $file;
    }
});
