<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Error;
use Bayar\Mode;
use Bayar\Transport;

/**
 * An engine that a test plays.
 *
 * What a program could rely on by mistake is kept: an operation that moves money needs a key, the same
 * key is the same payment, amounts are integers, and a claim is granted once.
 *
 * @internal
 */
final class Fake implements Transport
{
    private const MOVES = ['charge', 'cancel', 'refund', 'purchase', 'transfer'];

    /** @var list<array{account: string, operation: string, params: array<string, mixed>}> */
    public array $calls = [];

    /** @var array<string, list<array<string, mixed>|Error>> by operation, what comes next */
    private array $script = [];

    /** @var array<string, array{params: array<string, mixed>, outcome: array<string, mixed>}> by key */
    private array $made = [];

    /** @var array<string, array<string, mixed>> by intent and effect */
    private array $claims = [];

    /** @var array<string, array<string, mixed>> by account */
    private array $descriptions = [];

    public function mode(): Mode
    {
        return Mode::Fake;
    }

    /** @param array<string, mixed>|Error $answer */
    public function add(string $operation, array|Error $answer): void
    {
        $this->script[$operation][] = $answer;
    }

    /** @param list<string> $operations */
    public function describes(string $account, array $operations, bool $callback): void
    {
        $this->descriptions[$account] = ['account' => $account, 'operations' => array_map(fn(string $name) => ['name' => $name], $operations)]
            + ($callback ? ['callback' => []] : []);
    }

    public function call(string $account, string $operation, #[\SensitiveParameter] array $params): array
    {
        $this->calls[] = compact('account', 'operation', 'params');
        if ($account === 'bayar' && !isset($this->script[$operation])) {
            return $this->own($operation, $params);
        }
        $key = $params['key'] ?? null;
        if ($key === null && in_array($operation, self::MOVES, true)) {
            throw Error::refused('invalid_params', 'key is missing; expected: your own key of this payment', 'Give one, the same for every attempt.', 'key');
        }
        if (isset($params['amount']) && !is_int($params['amount'])) {
            throw Error::refused('invalid_params', 'amount: found ' . json_encode($params['amount']) . '; allowed: whole rupiah, an integer', 'Correct it.', 'amount');
        }
        $before = $key === null ? null : $this->made[$key] ?? null;
        if ($before !== null) {
            $same = $before['params'] == $params && $before['outcome']['operation'] === $operation;
            return $same ? $before['outcome'] : throw Error::refused('conflict', "the key '$key' was used with another request", 'Use a new key.');
        }
        $answer = $this->next($operation) ?? ['status' => $operation === 'charge' ? 'pending' : ($this->last($params)['status'] ?? 'done')];
        $outcome = $this->outcome($account, $operation, $params, $answer);
        if ($key !== null) {
            $this->made[$key] = compact('params', 'outcome');
        }
        return $outcome;
    }

    public function callback(string $account, #[\SensitiveParameter] array $envelope, #[\SensitiveParameter] string $body): array
    {
        $this->calls[] = ['account' => $account, 'operation' => 'callback', 'params' => ['body' => $body] + $envelope];
        $answer = $this->next('callback') ?? throw Error::of([
            'code' => 'callback_refused',
            'message' => 'no answer of the test says that it is genuine',
            'advice' => "Say what it is: answers('callback', ['status' => 'paid']).",
            'acknowledgement' => ['status' => 401],
        ]);
        return $this->outcome($account, 'callback', [], $answer + ['status' => 'paid', 'acknowledgement' => ['status' => 200]]);
    }

    public function describe(?string $account): array
    {
        if ($account === null) {
            return ['bayar' => $this->version(), 'accounts' => array_values($this->descriptions), 'plugins' => []];
        }
        return $this->descriptions[$account]
            ?? throw Error::refused('unknown_account', "no account '$account'", "Say what it can: describes('$account', ['charge']).", 'account');
    }

    public function drainLog(): array
    {
        return [];
    }

    public function version(): string
    {
        return 'fake';
    }

    /** What the test said next, as an outcome's fields; null where it said nothing. */
    private function next(string $operation): ?array
    {
        $answer = isset($this->script[$operation]) ? array_shift($this->script[$operation]) : null;
        if (($this->script[$operation] ?? null) === []) {
            unset($this->script[$operation]);
        }
        return $answer instanceof Error ? throw $answer : $answer;
    }

    /** A whole document of what the test said of it. */
    private function outcome(string $account, string $operation, #[\SensitiveParameter] array $params, #[\SensitiveParameter] array $answer): array
    {
        $of = array_intersect_key($params, ['order_id' => 0, 'amount' => 0, 'tenant' => 0]);
        $made = ['account' => $account, 'provider' => $account, 'operation' => $operation, 'intent' => 'FAKE' . count($this->calls), 'evidence' => 'E2'];
        return $answer + $of + $made + ['status' => 'done'];
    }

    /** What was made last of an order. */
    private function last(#[\SensitiveParameter] array $params): array
    {
        $order = $params['order_id'] ?? null;
        $made = array_filter($this->made, fn(array $one) => $order !== null && ($one['outcome']['order_id'] ?? null) === $order);
        return $made === [] ? [] : end($made)['outcome'];
    }

    /** The engine's own operations. */
    private function own(string $operation, array $params): array
    {
        $data = match ($operation) {
            'claim', 'confirm', 'release' => $this->effect($operation, $params),
            'recover' => ['looked' => 0, 'settled' => 0, 'waiting' => 0, 'review' => 0, 'failed' => 0, 'intents' => []],
            'intents' => ['intents' => []],
            default => throw Error::refused('unsupported', "nothing is said of '$operation'", "Say it: answers('$operation', ['data' => […]])."),
        };
        return $this->outcome('bayar', $operation, [], ['data' => $data]);
    }

    private function effect(string $operation, array $params): array
    {
        ['intent' => $intent, 'effect' => $effect] = $params;
        $claim = $this->claims["$intent $effect"] ?? ['state' => 'released', 'fence' => 0];
        if ($operation === 'claim') {
            if ($claim['state'] === 'claimed') {
                throw Error::refused('in_progress', "'$effect' is claimed already", 'Wait for the one who has it.');
            }
            $granted = $claim['state'] !== 'confirmed';
            $claim = $granted ? ['state' => 'claimed', 'fence' => $claim['fence'] + 1] : $claim;
        } else {
            if ($claim !== ['state' => 'claimed', 'fence' => $params['fence']]) {
                throw Error::refused('not_possible', "the claim on '$effect' is over", 'Claim it anew.');
            }
            $granted = false;
            $claim['state'] = $operation === 'confirm' ? 'confirmed' : 'released';
        }
        $this->claims["$intent $effect"] = $claim;
        return compact('intent', 'effect', 'granted') + $claim + ['transaction_id' => "X$intent", 'lease_ms' => 0];
    }
}
