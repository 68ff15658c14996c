<?php

declare(strict_types=1);

namespace Bayar;

/** For an application's own tests. */
final class Bayar
{
    /**
     * A client that reaches no engine: it answers what the test says and remembers what it was asked.
     *
     *     $bayar = Bayar\Bayar::fake()->answers('charge', ['instruction' => ['kind' => 'redirect', 'url' => 'https://pay.example.com/1']]);
     *     (new Shop($bayar))->checkout(17);
     *     $bayar->calls('charge'); // [['account' => 'midtrans', 'operation' => 'charge', 'params' => […]]]
     */
    public static function fake(): Fake
    {
        return new Fake();
    }
}
