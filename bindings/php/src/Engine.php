<?php

declare(strict_types=1);

namespace Bayar;

/**
 * The engine as PHP sees it.
 *
 *     $engine = Bayar\Engine::open(['file' => '/etc/bayar/bayar.toml']);
 *     $outcome = $engine->charge('midtrans', ['order_id' => 'INV-17', 'amount' => 150000], 'invoice-17-attempt-1');
 *
 * Opening one costs little after the first time in a process: what is behind it (plugins,
 * connections, sessions) is kept by the library. It goes on working in a forked child.
 */
final class Engine
{
    private readonly Library $library;
    private readonly \FFI\CData $handle;

    /**
     * @param array|string $config the configuration as an array, TOML or JSON text, or the path of a
     *     .toml or .json file
     * @param ?string $library absolute path of libbayar.so, where it is not to be looked for
     * @param ?string $header path of bayar.ffi.h, likewise
     *
     * @throws Error naming the setting, what was found and what is allowed
     */
    public function __construct(#[\SensitiveParameter] array|string $config, ?string $library = null, ?string $header = null)
    {
        $this->library = Library::load($library, $header);
        $this->handle = $this->library->openEngine(self::config($config));
    }

    /** The same as new Engine($config). */
    public static function open(#[\SensitiveParameter] array|string $config, ?string $library = null, ?string $header = null): self
    {
        return new self($config, $library, $header);
    }

    /**
     * Calls an operation of an account and waits for its end.
     *
     * @param array<string, mixed> $params amounts in whole rupiah, as integers
     * @param ?string $key your own key of this payment, the same for every attempt at it;
     *     operations that move money need one
     *
     * @throws Error whose stage says whether the request may have reached the provider
     */
    public function call(string $account, string $operation, #[\SensitiveParameter] array $params = [], ?string $key = null): Outcome
    {
        if ($key !== null) {
            if (isset($params['key'])) {
                throw Error::refused('invalid_params', 'key is given twice', 'Give it in the parameters or beside them.', 'key');
            }
            $params['key'] = $key;
        }
        $names = [Library::name($account, 'account'), Library::name($operation, 'operation')];
        $json = Library::json($params, 'params');
        return new Outcome($this->library->call('bayar_call', $this->handle, ...[...$names, $json, strlen($json)]));
    }

    /** Asks a payer for money. */
    public function charge(string $account, #[\SensitiveParameter] array $params, ?string $key = null): Outcome
    {
        return $this->call($account, 'charge', $params, $key);
    }

    /** Asks the provider what became of a payment. */
    public function status(string $account, #[\SensitiveParameter] array $params): Outcome
    {
        return $this->call($account, 'status', $params);
    }

    /** Withdraws a payment. */
    public function cancel(string $account, #[\SensitiveParameter] array $params, ?string $key = null): Outcome
    {
        return $this->call($account, 'cancel', $params, $key);
    }

    /** Gives money back. */
    public function refund(string $account, #[\SensitiveParameter] array $params, ?string $key = null): Outcome
    {
        return $this->call($account, 'refund', $params, $key);
    }

    /** Lists the ways to pay, in data. */
    public function channels(string $account): Outcome
    {
        return $this->call($account, 'channels');
    }

    /**
     * Receives a provider's callback, exactly as it came: file_get_contents('php://input') and
     * $_SERVER['QUERY_STRING'].
     *
     * Gives an outcome only if the callback is proven genuine. Answer the provider with the
     * acknowledgement of the outcome, or of the error that is thrown otherwise; credit nothing then.
     *
     * @param array<string, string>|list<array{string, string}> $headers getallheaders(), or pairs
     *
     * @throws Error
     */
    public function callback(
        string $account,
        #[\SensitiveParameter] array $headers = [],
        #[\SensitiveParameter] string $query = '',
        #[\SensitiveParameter] string $body = '',
        ?string $remoteAddr = null,
        string $method = 'POST',
        string $path = '',
    ): Outcome {
        $pairs = [];
        foreach ($headers as $name => $value) {
            $pairs[] = is_array($value) ? array_values($value) : [(string) $name, (string) $value];
        }
        $envelope = ['method' => $method, 'path' => $path, 'query' => $query, 'headers' => $pairs, 'remote_addr' => $remoteAddr];
        $json = Library::json($envelope, 'envelope');
        $arguments = [$this->handle, Library::name($account, 'account'), $json, strlen($json), $body, strlen($body)];
        return new Outcome($this->library->call('bayar_callback', ...$arguments));
    }

    /**
     * Takes on an effect of what was paid, so that one caller applies it:
     *
     *     $claim = $engine->claim($outcome->intent, 'credit');
     *
     * Apply it where $claim->granted, under its transactionId, then confirm(). Where it is not granted,
     * it was applied before. A caller that dies loses the claim after $leaseSeconds (60), and the next
     * one gets the same transactionId.
     *
     * @throws InProgress where another caller holds it
     * @throws NotPossible where nothing was paid, or a person should look first
     */
    public function claim(string $intent, string $effect, ?int $leaseSeconds = null): Claim
    {
        return new Claim($this->own('claim', ['intent' => $intent, 'effect' => $effect, 'lease_seconds' => $leaseSeconds]));
    }

    /**
     * The effect was applied; it is never granted again.
     *
     * @throws NotPossible where the claim ran out and another caller took it on
     */
    public function confirm(Claim $claim): Claim
    {
        return new Claim($this->own('confirm', ['intent' => $claim->intent, 'effect' => $claim->effect, 'fence' => $claim->fence]));
    }

    /**
     * The effect was not applied: another caller may claim it at once.
     *
     * @throws NotPossible where the claim ran out and another caller took it on
     */
    public function release(Claim $claim): Claim
    {
        return new Claim($this->own('release', ['intent' => $claim->intent, 'effect' => $claim->effect, 'fence' => $claim->fence]));
    }

    /**
     * Looks at payments whose end nobody heard, and asks the providers. To be called every few minutes.
     *
     * @param bool $now also those whose time to be looked at has not come yet
     * @param ?int $limit so many at most; 1000 if null
     *
     * @return array{looked: int, settled: int, waiting: int, review: int, failed: int, intents: list<array<string, mixed>>}
     */
    public function recover(?string $account = null, bool $now = false, ?int $limit = null): array
    {
        return $this->own('recover', ['account' => $account, 'now' => $now, 'limit' => $limit]);
    }

    /**
     * Payments and other calls in the journal, newest first.
     *
     * @param array{state?: string, review?: bool, account?: string, operation?: string, order_id?: string,
     *     tenant?: string, since_ms?: int, until_ms?: int, after?: string, limit?: int} $filter times in
     *     milliseconds since 1970-01-01 UTC; after is the id of the last one of the page before
     *
     * @return list<array<string, mixed>>
     */
    public function intents(array $filter = []): array
    {
        return $this->own('intents', $filter)['intents'];
    }

    /**
     * One of them with all that is known of it.
     *
     * @return array{intent: array<string, mixed>, params: mixed, attempts: list<array<string, mixed>>,
     *     events: list<array<string, mixed>>, effects: list<array<string, mixed>>, audit: list<array<string, mixed>>}
     */
    public function intent(string $intent): array
    {
        return $this->own('intent', ['intent' => $intent]);
    }

    /** An operation of the engine itself; what it gives. */
    private function own(string $operation, array $params): array
    {
        return $this->call('bayar', $operation, array_filter($params, fn(mixed $value) => $value !== null))['data'];
    }

    /**
     * What an account is and can do; without one: the engine, every account and every plugin.
     *
     * @return array<string, mixed>
     */
    public function describe(?string $account = null): array
    {
        $name = $account === null ? null : Library::name($account, 'account');
        return $this->library->call('bayar_describe', $this->handle, $name);
    }

    /**
     * Takes the log records of this engine's calls that were kept since the last time. There is
     * no callback: an exception inside one would end the process.
     *
     * @return list<array{level: string, target: string, message: string}>
     */
    public function drainLog(): array
    {
        return $this->library->call('bayar_drain_log', $this->handle)['records'];
    }

    /** The version of the library. */
    public function version(): string
    {
        return $this->library->c->bayar_version();
    }

    public function __destruct()
    {
        if (isset($this->handle)) {
            $this->library->c->bayar_engine_free($this->handle);
        }
    }

    /** Not to be cloned: the handle would be freed twice. */
    private function __clone() {}

    public function __debugInfo(): array
    {
        return ['version' => $this->version()];
    }

    private static function config(#[\SensitiveParameter] array|string $config): string
    {
        if (is_array($config)) {
            return Library::json($config, 'config');
        }
        if (preg_match('/^[^\n]*\.(toml|json)$/D', $config)) {
            return Library::json(['file' => realpath($config) ?: $config], 'config');
        }
        return $config;
    }
}
