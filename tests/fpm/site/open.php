<?php

declare(strict_types=1);

// Preloaded, the package is there already; otherwise from its files.
if (!class_exists(Bayar\Client::class, false)) {
    require_once getenv('BAYAR_PHP') . '/bayar.php';
}

/** A client from what the pool's environment names. How it reaches the engine, it finds out itself. */
function open_bayar(): Bayar\Client
{
    $named = array_filter(['socket' => getenv('BAYAR_SOCKET'), 'binary' => getenv('BAYAR_BINARY')]);
    if (getenv('GATEWAY')) {
        $named['gateway'] = new Bayar\Gateway(getenv('GATEWAY'), 'shop', getenv('GATEWAY_KEY'), [getenv('GATEWAY_SECRET')]);
    }
    return Bayar\Client::open(getenv('BAYAR_CONFIG') ?: null, ...$named);
}
