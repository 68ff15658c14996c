<?php

declare(strict_types=1);

// Preloaded, the package is there already; otherwise from its files.
if (!class_exists(Bayar\Client::class, false)) {
    require_once getenv('BAYAR_PHP') . '/bayar.php';
}

/** A client as the pool's environment says. */
function open_bayar(): Bayar\Client
{
    return Bayar\Client::open(getenv('BAYAR_CONFIG'));
}
