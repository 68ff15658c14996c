<?php

declare(strict_types=1);

namespace Bayar\Laravel\Facades;

use Bayar\Client;
use Bayar\Fake;
use Illuminate\Support\Facades\Facade;

/**
 * @method static \Bayar\Mode mode()
 * @method static \Bayar\Outcome charge(string $account, array $params, string $key)
 * @method static \Bayar\Outcome status(string $account, array $params)
 * @method static \Bayar\Outcome cancel(string $account, array $params, string $key)
 * @method static \Bayar\Outcome refund(string $account, array $params, string $key)
 * @method static \Bayar\Outcome channels(string $account)
 * @method static \Bayar\Outcome call(string $account, string $operation, array $params = [], ?string $key = null)
 * @method static \Bayar\Callback callback(string $account, string $rawBody, array $headers, string $query = '', ?string $remoteAddr = null, string $method = 'POST', string $path = '')
 * @method static \Bayar\Callback receive(string $account, \Psr\Http\Message\ServerRequestInterface $request)
 * @method static \Bayar\Claim claim(string $intent, string $effect, ?int $leaseSeconds = null)
 * @method static \Bayar\Claim confirm(\Bayar\Claim $claim)
 * @method static \Bayar\Claim release(\Bayar\Claim $claim)
 * @method static array recover(?string $account = null, bool $now = false, ?int $limit = null)
 * @method static array intents(array $filter = [])
 * @method static array intent(string $intent)
 * @method static array describe(?string $account = null)
 * @method static bool supports(string $account, \Bayar\Capability|string $capability)
 *
 * @see Client
 */
final class Bayar extends Facade
{
    /** Puts a client in the place of the application's own that reaches nobody, and answers what a test says. */
    public static function fake(): Fake
    {
        self::swap($fake = \Bayar\Bayar::fake());
        return $fake;
    }

    protected static function getFacadeAccessor(): string
    {
        return Client::class;
    }
}
