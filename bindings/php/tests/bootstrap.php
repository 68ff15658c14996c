<?php

declare(strict_types=1);

// The PSR interfaces, as Debian packs them.
foreach (['Psr/Log', 'Psr/Http/Message', 'Nyholm/Psr7'] as $package) {
    require_once "/usr/share/php/$package/autoload.php";
}
require_once __DIR__ . '/../bayar.php';
foreach (glob(__DIR__ . '/support/*.php') as $file) {
    require_once $file;
}
