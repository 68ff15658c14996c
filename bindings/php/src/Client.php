<?php

declare(strict_types=1);

namespace Bayar;

use Psr\Http\Message\ServerRequestInterface;
use Psr\Log\LoggerInterface;

/**
 * Bayar as PHP sees it.
 *
 *     $bayar = Bayar\Client::open('/etc/bayar/bayar.toml');
 *     $outcome = $bayar->charge('midtrans', ['order_id' => 'INV-17', 'amount' => 150000], 'invoice-17-attempt-1');
 *
 * A client does not change. Opening one costs little after the first time in a process, and it
 * goes on working in a forked child. An account is the name of a section of the configuration;
 * amounts are whole rupiah, as integers.
 */
class Client
{
    protected function __construct(private readonly Transport $transport, private readonly ?LoggerInterface $logger = null) {}

    /**
     * Opens a client.
     *
     * How it reaches the engine follows from what is given and what this PHP has: with a configuration
     * the engine in this process (FFI), else a daemon that is named, else a `bayar` of its own, else a
     * gateway that is named; without one the daemon or the gateway, which have theirs. What is chosen
     * never depends on what happens to answer: two journals would be two memories of what was sent.
     *
     * @param array|string|null $config the configuration as an array, TOML or JSON text, or the path of a
     *     .toml or .json file; null where the daemon or the gateway has it
     * @param ?Mode $mode this one and no other
     * @param ?string $library absolute path of libbayar.so, where it is not to be looked for
     * @param ?string $header path of bayar.ffi.h, likewise
     * @param ?string $socket where `bayar daemon` listens
     * @param ?string $binary absolute path of the command `bayar`, where it is not to be looked for
     * @param ?Gateway $gateway where `bayar serve` is
     * @param ?LoggerInterface $logger gets the engine's records after each call. What it throws is not
     *     passed on: it would hide what became of a payment
     *
     * @throws ModeUnavailable naming each way that was tried, and why not
     * @throws Error naming the setting, what was found and what is allowed
     */
    public static function open(
        #[\SensitiveParameter] array|string|null $config = null,
        ?Mode $mode = null,
        ?string $library = null,
        ?string $header = null,
        ?string $socket = null,
        ?string $binary = null,
        ?Gateway $gateway = null,
        ?LoggerInterface $logger = null,
    ): self {
        $text = $config === null ? null : Documents::config($config);
        $opening = new Opening($text, $library, $header, $socket, $binary, $gateway);
        return new self($opening->transport($mode), $logger);
    }

    /** How this client reaches the engine. */
    public function mode(): Mode
    {
        return $this->transport->mode();
    }

    /**
     * Calls an operation of an account and waits for its end.
     *
     * @param array<string, mixed> $params as `bayar describe` lists them
     * @param ?string $key your own key of this payment, the same for every attempt at it; operations
     *     that move money or goods are refused without one
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
        return new Outcome($this->logged('call', $account, $operation, $params));
    }

    /**
     * Asks a payer for money.
     *
     * @param array<string, mixed> $params amount, and what the payer may need: order_id, channel,
     *     customer, items, return_url, expires_in (seconds) …
     *
     * @throws Error
     */
    public function charge(string $account, #[\SensitiveParameter] array $params, string $key): Outcome
    {
        return $this->call($account, 'charge', $params, $key);
    }

    /**
     * Asks the provider what became of a payment.
     *
     * @param array<string, mixed> $params order_id or provider_reference
     *
     * @throws Error
     */
    public function status(string $account, #[\SensitiveParameter] array $params): Outcome
    {
        return $this->call($account, 'status', $params);
    }

    /**
     * Withdraws a payment.
     *
     * @param array<string, mixed> $params order_id or provider_reference
     *
     * @throws Error
     */
    public function cancel(string $account, #[\SensitiveParameter] array $params, string $key): Outcome
    {
        return $this->call($account, 'cancel', $params, $key);
    }

    /**
     * Gives money back.
     *
     * @param array<string, mixed> $params order_id or provider_reference; amount, without which all goes back
     *
     * @throws Error
     */
    public function refund(string $account, #[\SensitiveParameter] array $params, string $key): Outcome
    {
        return $this->call($account, 'refund', $params, $key);
    }

    /**
     * Lists the ways to pay, in data['channels'].
     *
     * @throws Error
     */
    public function channels(string $account): Outcome
    {
        return $this->call($account, 'channels');
    }

    /**
     * Receives a provider's callback, exactly as it came:
     *
     *     $callback = $bayar->callback('midtrans', file_get_contents('php://input'), getallheaders(),
     *         $_SERVER['QUERY_STRING'] ?? '', $_SERVER['REMOTE_ADDR'], $_SERVER['REQUEST_METHOD']);
     *
     * Gives one only if it is proven genuine. Answer the provider with its acknowledgement, or with
     * that of the error which is thrown otherwise: every one has it. Credit nothing then.
     *
     * @param array<string, string|list<string>>|list<array{string, string}> $headers by name, or pairs
     * @param string $query raw, without `?`
     * @param ?string $remoteAddr the address that it came from, without port
     *
     * @throws CallbackRefused where it is not genuine
     * @throws CallbackUnconfirmed where the provider could not be asked; it will send it again
     * @throws CallbackIgnored where it concerns no payment
     * @throws Error where the engine or its journal cannot be reached: it will be sent again, too
     */
    public function callback(
        string $account,
        #[\SensitiveParameter] string $rawBody,
        #[\SensitiveParameter] array $headers,
        #[\SensitiveParameter] string $query = '',
        ?string $remoteAddr = null,
        string $method = 'POST',
        string $path = '',
    ): Callback {
        $envelope = ['method' => $method, 'path' => $path, 'query' => $query, 'headers' => Documents::headers($headers), 'remote_addr' => $remoteAddr];
        try {
            return Callback::of($this->logged('callback', $account, $envelope, $rawBody));
        } catch (Error $error) {
            $answer = $error instanceof InvalidParams
                ? new Acknowledgement(400, '{"status":"refused"}')
                : new Acknowledgement(503, '{"status":"try again"}');
            throw $error->answering($answer);
        }
    }

    /**
     * Receives a callback that arrived as a PSR-7 request: see callback().
     *
     * @throws CallbackRefused
     * @throws CallbackUnconfirmed
     * @throws CallbackIgnored
     */
    public function receive(string $account, #[\SensitiveParameter] ServerRequestInterface $request): Callback
    {
        $server = $request->getServerParams();
        return $this->callback(
            $account,
            (string) $request->getBody(),
            $request->getHeaders(),
            // A URI object writes percent-encoding anew; a signature may cover what was sent.
            $server['QUERY_STRING'] ?? $request->getUri()->getQuery(),
            $server['REMOTE_ADDR'] ?? null,
            $request->getMethod(),
            $request->getUri()->getPath(),
        );
    }

    /**
     * Takes on an effect of what was paid, so that one caller applies it:
     *
     *     $claim = $bayar->claim($outcome->intent, 'credit');
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
     *
     * @throws Error
     */
    public function recover(?string $account = null, bool $now = false, ?int $limit = null): array
    {
        return $this->own('recover', ['account' => $account, 'now' => $now, 'limit' => $limit]);
    }

    /**
     * Payments and other calls in the journal, newest first.
     *
     * @param array{state?: string, review?: bool, unconfirmed?: string, account?: string, operation?: string,
     *     order_id?: string, tenant?: string, since_ms?: int, until_ms?: int, after?: string, limit?: int} $filter
     *     unconfirmed: paid, waiting for no review, and the effect of this name (credit) not confirmed; times
     *     in milliseconds since 1970-01-01 UTC; after is the id of the last one of the page before
     *
     * @return list<array<string, mixed>>
     *
     * @throws Error
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
     *
     * @throws Error
     */
    public function intent(string $intent): array
    {
        return $this->own('intent', ['intent' => $intent]);
    }

    /**
     * What an account is and can do; without one: the engine, every account and every plugin.
     *
     * @return array<string, mixed>
     *
     * @throws Error
     */
    public function describe(?string $account = null): array
    {
        return $this->transport->describe($account);
    }

    /**
     * Whether an account's provider can do something.
     *
     * @param Capability|string $capability one of the unified ones, or an operation's own name: register_va
     *
     * @throws Error
     */
    public function supports(string $account, Capability|string $capability): bool
    {
        $description = $this->describe($account);
        if ($capability === Capability::Callback) {
            return isset($description['callback']);
        }
        $operation = $capability instanceof Capability ? $capability->value : $capability;
        return in_array($operation, array_column($description['operations'], 'name'), true);
    }

    /**
     * Takes the log records of this client's calls that were kept since the last time. With a
     * logger there are none left: it has them.
     *
     * @return list<array{level: string, target: string, message: string}>
     *
     * @throws Error
     */
    public function drainLog(): array
    {
        return $this->transport->drainLog();
    }

    /**
     * The version of the engine.
     *
     * @throws Error
     */
    public function version(): string
    {
        return $this->transport->version();
    }

    /** An operation of the engine itself; what it gives. */
    private function own(string $operation, array $params): array
    {
        return $this->call('bayar', $operation, array_filter($params, fn(mixed $value) => $value !== null))->data;
    }

    /** Has the transport do it, and hands the logger what the engine said meanwhile. */
    private function logged(string $method, #[\SensitiveParameter] mixed ...$arguments): array
    {
        try {
            return $this->transport->$method(...$arguments);
        } finally {
            if ($this->logger !== null) {
                Log::pass($this->transport, $this->logger);
            }
        }
    }

    public function __debugInfo(): array
    {
        return ['mode' => $this->mode()->value];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a client is opened anew where it is needed, not serialized');
    }
}
