<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Client;
use Bayar\Outcome;

/** The providers' side, which tests/hosts/run has started. */
final class Sandbox
{
    public static function control(string $method, string $path): array
    {
        $context = stream_context_create(['http' => ['method' => $method, 'ignore_errors' => true]]);
        $text = file_get_contents(getenv('BAYAR_SANDBOX') . "/_sandbox/$path", false, $context);
        return json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    }

    public static function newOrder(string $prefix = 'PHP'): string
    {
        // Hexadecimal: a long decimal number may look like a card's, which the engine hides in logs.
        return "$prefix-" . getmypid() . '-' . dechex(hrtime(true));
    }

    public static function charge(Client $bayar, ?string $order = null): Outcome
    {
        $order ??= self::newOrder();
        return $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], $order);
    }

    /** The signed callback of an order that is paid. */
    public static function paid(string $order): array
    {
        self::control('POST', "midtrans/$order/paid");
        return self::control('GET', "midtrans/$order/callback");
    }

    /** How often an order was charged at the provider. */
    public static function charges(string $order): int
    {
        $requests = self::control('GET', 'requests?direction=in');
        return count(array_filter($requests, fn(array $one) => str_contains($one['path'] ?? '', 'charge') && str_contains($one['body'] ?? '', $order)));
    }
}
