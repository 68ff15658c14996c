<?php

declare(strict_types=1);

namespace Bayar;

/**
 * What a call or a callback concluded. The document's fields are read as an array,
 * $outcome['order_id'], null where it has none; the most used ones are properties.
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
    /** The host's own id of the order. */
    public readonly ?string $orderId;
    /** What the provider knows the order by. */
    public readonly ?string $reference;
    /**
     * pending authorized paid failed expired cancelled partially_refunded refunded disputed
     * unknown; done for what is not a charge.
     */
    public readonly string $status;
    /** Whole rupiah. */
    public readonly ?int $amount;
    /** What the payer needs, by its kind. */
    public readonly ?array $instruction;
    /** Why a person should look before money is credited. Credit nothing while it is there. */
    public readonly ?string $review;
    /** What to answer the provider, of a callback: status, body, content_type. */
    public readonly ?array $acknowledgement;

    /** @param array<string, mixed> $document */
    public function __construct(private readonly array $document)
    {
        foreach (['account', 'provider', 'operation', 'intent', 'status'] as $part) {
            $this->$part = $document[$part];
        }
        foreach (['reference', 'amount', 'instruction', 'review', 'acknowledgement'] as $part) {
            $this->$part = $document[$part] ?? null;
        }
        $this->orderId = $document['order_id'] ?? null;
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
