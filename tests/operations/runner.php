<?php

declare(strict_types=1);

// Calls what standard input says, one JSON line a call, and prints what came of it.

require __DIR__ . '/../../bindings/php/bayar.php';

$bayar = Bayar\Client::open(['file' => getenv('BAYAR_CONFIG')]);
while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true, 64, JSON_THROW_ON_ERROR);
    try {
        if (isset($call['envelope'])) {
            $envelope = $call['envelope'];
            $done = $bayar->callback(
                $call['account'],
                $call['body'],
                $envelope['headers'],
                $envelope['query'],
                remoteAddr: $envelope['remote_addr'],
                method: $envelope['method'],
                path: $envelope['path'],
            )->outcome;
        } else {
            $done = $bayar->call($call['account'], $call['operation'], $call['params']);
        }
        echo json_encode($done, JSON_THROW_ON_ERROR), "\n";
    } catch (Bayar\Error $error) {
        echo json_encode(['error' => $error->document], JSON_THROW_ON_ERROR), "\n";
    }
}
