<?php

declare(strict_types=1);

// What a shop does with a callback: verifies it, credits once, acknowledges.

require __DIR__ . '/open.php';

try {
    $bayar = open_bayar();
    $callback = $bayar->callback(
        'midtrans',
        file_get_contents('php://input'),
        getallheaders(),
        $_SERVER['QUERY_STRING'] ?? '',
        $_SERVER['REMOTE_ADDR'],
        $_SERVER['REQUEST_METHOD'],
    );
    $outcome = $callback->outcome;
    if ($outcome->creditable()) {
        $claim = $bayar->claim($outcome->intent, 'credit');
        if ($claim->granted) {
            // The shop's books: one line for each transaction id.
            file_put_contents(getenv('BOOKS'), "$outcome->orderId {$outcome->amount->amount} $claim->transactionId\n", FILE_APPEND | LOCK_EX);
            $bayar->confirm($claim);
        }
    }
    $callback->acknowledgement->send();
} catch (Bayar\Error $error) {
    ($error->acknowledgement ?? new Bayar\Acknowledgement(503))->send();
}
