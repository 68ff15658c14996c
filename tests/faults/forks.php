<?php
// Charges, forks, and charges on both sides: a line of JSON for each answer.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/bayar.php';

use Bayar\Client;

$bayar = Client::open($argv[1]);

function charge(Client $bayar, string $order): void
{
    try {
        $answer = $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], $order);
    } catch (\Bayar\Error $error) {
        $answer = ['status' => $error->document['code']];
    }
    fwrite(STDOUT, json_encode([$order, $answer]) . "\n");
}

for ($round = 0; $round < 20; $round++) {
    charge($bayar, "PHP{$round}PXQ");
    $children = [];
    for ($one = 0; $one < 10; $one++) {
        $child = pcntl_fork();
        if ($child === 0) {
            charge($bayar, "PHP{$round}C{$one}XQ");
            exit(0);
        }
        $children[] = $child;
    }
    foreach ($children as $child) {
        pcntl_waitpid($child, $status);
        if ($status !== 0) {
            fwrite(STDERR, "a child ended with $status\n");
            exit(1);
        }
    }
}
