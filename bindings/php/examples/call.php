<?php

declare(strict_types=1);

// One call from PHP: php call.php CONFIG ACCOUNT OPERATION PARAMS KEY
//     php call.php bayar.toml midtrans charge '{"order_id": "INV-17", "amount": 150000}' invoice-17-attempt-1

require __DIR__ . '/../bayar.php'; // or composer's autoload.php

[, $config, $account, $operation, $params, $key] = $argv;
$bayar = Bayar\Client::open(['file' => realpath($config)]);

$began = hrtime(true);
try {
    $outcome = $bayar->call($account, $operation, json_decode($params, true, flags: JSON_THROW_ON_ERROR), $key);
} catch (Bayar\OutcomeUnknown $error) {
    fwrite(STDERR, "{$error->getMessage()}\nWhether $error->reference was carried out is not known; do not call again under another key.\n");
    exit(1);
} catch (Bayar\Error $error) {
    fwrite(STDERR, "{$error->getMessage()}\n");
    exit(1);
}
fprintf(STDERR, "%.2f ms\n", (hrtime(true) - $began) / 1e6);
echo json_encode($outcome), "\n";
