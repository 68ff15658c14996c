<?php

declare(strict_types=1);

namespace Bayar;

/** Whole rupiah. */
final class Money implements \JsonSerializable
{
    /** @param int $amount whole rupiah */
    public function __construct(public readonly int $amount, public readonly string $currency = 'IDR') {}

    /** As people read it: Rp150.000. */
    public function format(): string
    {
        return ($this->amount < 0 ? '-' : '') . 'Rp' . number_format(abs($this->amount), 0, ',', '.');
    }

    public function equals(self $other): bool
    {
        return $this->amount === $other->amount && $this->currency === $other->currency;
    }

    public function jsonSerialize(): int
    {
        return $this->amount;
    }
}
