<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** An invoice as WHMCS has it now. */
final class Invoice
{
    public function __construct(
        public readonly int $id,
        public readonly int $user,
        /** Unpaid, Paid, Cancelled, Refunded, Collections, Payment Pending, Draft. */
        public readonly string $status,
        /** What is left to pay, a decimal text with two places. */
        public readonly string $balance,
        /** The code of its client's currency. */
        public readonly string $currency,
    ) {}

    /** Whether it is waiting for money. */
    public function payable(): bool
    {
        return in_array($this->status, ['Unpaid', 'Collections', 'Payment Pending'], true);
    }

    /** Whether money that arrives may be recorded on it. What a paid one gets too much becomes the client's credit. */
    public function takesMoney(): bool
    {
        return $this->payable() || $this->status === 'Paid';
    }
}
