<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Acknowledgement;
use Bayar\CallbackIgnored;
use Bayar\Client;
use Bayar\Error;
use Bayar\UnknownAccount;

/** A provider's callback: from its raw bytes to what it is answered. */
final class Receiving
{
    public function __construct(private readonly Client $bayar, private readonly Settings $settings) {}

    /**
     * Answers the request that PHP is serving.
     *
     * @param array<string, mixed> $server $_SERVER
     */
    public static function request(#[\SensitiveParameter] string $body, #[\SensitiveParameter] array $server): Acknowledgement
    {
        try {
            $settings = Settings::load();
            Tables::ensure();
            return (new self(Engine::open($settings), $settings))->receive($body, $server);
        } catch (\Throwable $e) {
            self::failed($e);
            return self::again();
        }
    }

    public function receive(#[\SensitiveParameter] string $body, #[\SensitiveParameter] array $server): Acknowledgement
    {
        parse_str($server['QUERY_STRING'] ?? '', $query);
        $account = is_string($query['account'] ?? null) ? $query['account'] : '';
        try {
            $callback = $this->bayar->callback(
                $account,
                $body,
                self::headers($server),
                $server['QUERY_STRING'] ?? '',
                $server['REMOTE_ADDR'] ?? null,
                $server['REQUEST_METHOD'] ?? 'POST',
                strtok($server['REQUEST_URI'] ?? '', '?') ?: '',
            );
        } catch (Error $e) {
            Host::log('bayar', ['account' => $account, 'error' => $e->name, 'why' => $e->document['message']], $e instanceof CallbackIgnored ? 'Test of the provider' : 'Refused');
            return $e instanceof UnknownAccount ? new Acknowledgement(404, '{"status":"unknown account"}') : $e->acknowledgement ?? self::again();
        }
        $settled = $this->settle(Finding::ofOutcome($callback->outcome), $callback->outcome['delivery'] ?? []);
        return $settled === Settled::Later ? self::again() : $callback->acknowledgement;
    }

    private function settle(Finding $finding, array $delivery): Settled
    {
        $attempt = $finding->orderId === null ? null : (new Attempts())->ofOrder($finding->account, $finding->orderId);
        if ($attempt !== null) {
            return (new Credit($this->bayar, $this->settings))->settle($attempt, $finding);
        }
        $purchase = $finding->orderId === null ? null : Purchase::ofOrder($finding->account, $finding->orderId);
        if ($purchase !== null) {
            return $purchase->settle($finding, $delivery);
        }
        Host::log('bayar', $finding->forLog(), 'Of no invoice');
        if ($finding->taken()) {
            Host::remind("Payment $finding->reference belongs to no invoice", "$finding->account tells of a payment of $finding->amount rupiah that was not begun here. Other programs with the same account need callback addresses of their own.");
        }
        return Settled::Mismatch;
    }

    /** @return list<array{string, string}> as they came; getallheaders() is not in every SAPI */
    private static function headers(array $server): array
    {
        $headers = [];
        foreach ($server as $name => $value) {
            if (str_starts_with((string) $name, 'HTTP_')) {
                $headers[] = [strtolower(strtr(substr($name, 5), '_', '-')), (string) $value];
            } elseif ($name === 'CONTENT_TYPE' || $name === 'CONTENT_LENGTH') {
                $headers[] = [strtolower(strtr($name, '_', '-')), (string) $value];
            }
        }
        return $headers;
    }

    private static function again(): Acknowledgement
    {
        return new Acknowledgement(503, '{"status":"try again"}');
    }

    /** Only what the program is: what an exception of another's says may hold anything. */
    private static function failed(\Throwable $e): void
    {
        $why = $e instanceof Unusable || $e instanceof Error ? $e->getMessage() : $e::class . ' in ' . basename($e->getFile()) . ':' . $e->getLine();
        error_log("bayar: a callback is to be sent again: $why");
        try {
            Host::log('bayar', ['why' => $why], 'To be sent again');
        } catch (\Throwable) {
            // The database is what failed, then.
        }
    }
}
