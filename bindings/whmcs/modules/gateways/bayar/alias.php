<?php

declare(strict_types=1);

// Makes a gateway module of its own for a way to pay:
//     php modules/gateways/bayar/alias.php midtrans/qris
//     php modules/gateways/bayar/alias.php "klink/va:014:BCAATM = BCA Virtual Account"

use Bayar\Whmcs\Alias;
use Bayar\Whmcs\Choice;

if (PHP_SAPI !== 'cli') {
    http_response_code(404);
    exit;
}

require_once __DIR__ . '/boot.php';

$choices = array_filter(array_map(Choice::read(...), array_slice($argv, 1)));
if ($choices === []) {
    fwrite(STDERR, "php {$argv[0]} ACCOUNT/CHANNEL [\"= NAME\"]\n");
    exit(2);
}
foreach ($choices as $choice) {
    $file = (getenv('BAYAR_ALIASES') ?: dirname(__DIR__)) . '/' . Alias::module($choice) . '.php';
    file_put_contents($file, Alias::file($choice)) !== false || exit(1);
    echo "$file\n";
}
