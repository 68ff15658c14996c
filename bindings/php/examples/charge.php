<?php

declare(strict_types=1);

// One charge from PHP: php charge.php CONFIG ORDER_ID [CHANNEL]

require __DIR__ . '/../bayar.php'; // or composer's autoload.php

[, $config, $orderId] = $argv;
$engine = Bayar\Engine::open(['file' => realpath($config)]);

$began = hrtime(true);
try {
    $outcome = $engine->charge('midtrans', [
        'order_id' => $orderId,
        'amount' => 150000,
        'channel' => $argv[3] ?? null,
        'customer' => ['name' => 'Budi Santoso', 'email' => 'budi@example.com', 'phone' => '08123456789'],
    ], "$orderId-attempt-1");
} catch (Bayar\OutcomeUnknown $error) {
    fwrite(STDERR, "{$error->getMessage()}\nAsk for the status of $error->reference; do not charge again.\n");
    exit(1);
} catch (Bayar\Error $error) {
    fwrite(STDERR, "{$error->getMessage()}\n");
    exit(1);
}
fprintf(STDERR, "charged in %.2f ms\n", (hrtime(true) - $began) / 1e6);
echo json_encode($outcome), "\n";
