<?php

declare(strict_types=1);

// What every entry of the module begins with: its own classes, and those that packaging puts beside
// them in lib/, Bayar's PHP client and the QR encoder.

if (PHP_VERSION_ID < 80100) {
    throw new RuntimeException('Bayar needs PHP 8.1 or later, and this is ' . PHP_VERSION);
}

spl_autoload_register(static function (string $class): void {
    $homes = ['Bayar\\Whmcs\\' => '/src/', 'BaconQrCode\\' => '/lib/qr/BaconQrCode/', 'DASPRiD\\Enum\\' => '/lib/qr/DASPRiD/Enum/'];
    foreach ($homes as $prefix => $home) {
        $file = __DIR__ . $home . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require_once $file;
            return;
        }
    }
});

require_once __DIR__ . '/lib/php/bayar.php';
