<?php

declare(strict_types=1);

namespace Bayar;

/**
 * What a call or a callback concluded.
 *
 * The engine's own document is read as an array, $outcome['order_id'], null where it has none.
 *
 * @implements \ArrayAccess<string, mixed>
 */
final class Outcome implements \ArrayAccess, \JsonSerializable
{
    public readonly string $account;
    public readonly string $provider;
    public readonly string $operation;
    /** The engine's id of this call. */
    public readonly string $intent;
    public readonly Status $status;
    /** Your own id of the order. */
    public readonly ?string $orderId;
    /** What the provider knows the order by. */
    public readonly ?string $reference;
    /** The provider's own id. */
    public readonly ?string $providerReference;
    /** Your own scope, where the call named one. */
    public readonly ?string $tenant;
    /** What was asked. */
    public readonly ?Money $amount;
    /** What the payer was told to pay, where it differs. */
    public readonly ?Money $payableAmount;
    /** What the provider keeps, in rupiah, as a decimal: 4000 or 1050.50. */
    public readonly ?string $fee;
    public readonly ?Instruction $instruction;
    /** Until when the payer may pay. */
    public readonly ?\DateTimeImmutable $expiresAt;
    /** What it rests on: E1 a signature that covers the status, E2 our own exchange with the provider, E3 an operator's word. */
    public readonly ?string $evidence;
    /** Why a person should look before money is credited. Credit nothing while it is there. */
    public readonly ?string $review;
    /** Lists, balances, reports: what the operation answers besides. */
    public readonly mixed $data;
    /** @var ?array{serial?: string, price?: int, balance?: int} what the buyer gets of a prepaid purchase, and what it cost */
    public readonly ?array $delivery;

    /** @param array<string, mixed> $document as the engine gives it */
    public function __construct(#[\SensitiveParameter] private readonly array $document)
    {
        foreach (['account', 'provider', 'operation', 'intent'] as $part) {
            $this->$part = $document[$part];
        }
        foreach (['reference', 'tenant', 'fee', 'evidence', 'review', 'data', 'delivery'] as $part) {
            $this->$part = $document[$part] ?? null;
        }
        // A status that only a newer engine knows is nothing to act upon.
        $this->status = Status::tryFrom($document['status']) ?? Status::Unknown;
        $this->orderId = $document['order_id'] ?? null;
        $this->providerReference = $document['provider_reference'] ?? null;
        $this->amount = isset($document['amount']) ? new Money($document['amount']) : null;
        $this->payableAmount = isset($document['payable_amount']) ? new Money($document['payable_amount']) : null;
        $this->expiresAt = isset($document['expires_at']) ? new \DateTimeImmutable($document['expires_at']) : null;
        $this->instruction = isset($document['instruction']) ? new Instruction($document['instruction'], $this->expiresAt) : null;
    }

    /** Whether the money may be credited: it was taken, and nothing waits for a person to look. */
    public function creditable(): bool
    {
        return $this->status === Status::Paid && $this->review === null;
    }

    /** @return array<string, mixed> the whole document */
    public function toArray(): array
    {
        return $this->document;
    }

    public function jsonSerialize(): array
    {
        return $this->document;
    }

    public function offsetExists(mixed $offset): bool
    {
        return isset($this->document[$offset]);
    }

    public function offsetGet(mixed $offset): mixed
    {
        return $this->document[$offset] ?? null;
    }

    public function offsetSet(mixed $offset, mixed $value): never
    {
        throw new \LogicException('an outcome does not change');
    }

    public function offsetUnset(mixed $offset): never
    {
        throw new \LogicException('an outcome does not change');
    }

    /** Without what the provider answered and what the payer was given. */
    public function __debugInfo(): array
    {
        $shown = ['account', 'operation', 'order_id', 'status', 'amount', 'evidence', 'review'];
        return array_intersect_key($this->document, array_flip($shown));
    }
}
