<?php

declare(strict_types=1);

namespace Bayar;

/**
 * A claim on an effect: your own action because something was paid, such as crediting an invoice.
 */
final class Claim
{
    public readonly string $intent;
    public readonly string $effect;
    /** claimed, released, or confirmed. */
    public readonly string $state;
    /** Whether this caller is to apply the effect now. */
    public readonly bool $granted;
    /** The same for every claim of this effect: what you apply once. */
    public readonly string $transactionId;
    /** Which claim of this effect it is. */
    public readonly int $fence;
    /** Until when it holds, in milliseconds since 1970-01-01 UTC; 0 where it is over. */
    public readonly int $leaseMs;

    /** @param array<string, mixed> $document */
    public function __construct(array $document)
    {
        foreach (['intent', 'effect', 'state', 'granted', 'fence'] as $part) {
            $this->$part = $document[$part];
        }
        $this->transactionId = $document['transaction_id'];
        $this->leaseMs = $document['lease_ms'];
    }
}
