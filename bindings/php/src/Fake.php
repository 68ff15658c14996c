<?php

declare(strict_types=1);

namespace Bayar;

/** A client for an application's own tests: see Bayar::fake(). */
final class Fake extends Client
{
    private readonly Transport\Fake $script;

    /** @internal */
    public function __construct()
    {
        $this->script = new Transport\Fake();
        parent::__construct($this->script);
    }

    /**
     * Says what the next call of an operation gives; said several times, one call after the other.
     * Once nothing more is said, a charge is pending, a status what was answered before, a claim
     * granted once, and anything else done.
     *
     *     $bayar->answers('status', ['status' => 'paid', 'amount' => 150000]);
     *
     * @param string $operation an operation, or `callback`: without an answer, no callback is genuine
     * @param array<string, mixed> $outcome fields of the outcome's document; what is left out is made up
     */
    public function answers(string $operation, array $outcome = []): static
    {
        $this->script->add($operation, $outcome);
        return $this;
    }

    /**
     * Says that the next call of an operation fails.
     *
     *     $bayar->refuses('charge', 'outcome_unknown', stage: 'maybe_sent', retry: true);
     *
     * @param string $code as in errors: rejected, in_progress, callback_refused …
     */
    public function refuses(string $operation, string $code, string $message = 'as the test says', string $stage = 'not_sent', bool $retry = false): static
    {
        $this->script->add($operation, Error::of(compact('code', 'message', 'stage', 'retry')));
        return $this;
    }

    /**
     * Says what describe() gives of an account.
     *
     * @param list<string> $operations what supports() finds
     */
    public function describes(string $account, array $operations, bool $callback = true): static
    {
        $this->script->describes($account, $operations, $callback);
        return $this;
    }

    /**
     * What was called, first to last; a callback, too.
     *
     * @return list<array{account: string, operation: string, params: array<string, mixed>}> the key is among the params
     */
    public function calls(?string $operation = null): array
    {
        $calls = $this->script->calls;
        return $operation === null ? $calls : array_values(array_filter($calls, fn(array $call) => $call['operation'] === $operation));
    }
}
