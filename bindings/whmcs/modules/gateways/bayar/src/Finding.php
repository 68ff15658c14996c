<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Outcome;
use Bayar\Status;

/** What is known of a payment now: from a callback, or from the engine's journal. */
final class Finding
{
    public function __construct(
        public readonly string $account,
        public readonly ?string $orderId,
        /** The engine's id of the charge. */
        public readonly ?string $intent,
        public readonly Status $status,
        /** Whole rupiah that were asked for. */
        public readonly ?int $amount,
        /** Whole rupiah that the payer was told to pay. */
        public readonly ?int $payable,
        public readonly string $currency = 'IDR',
        /** Rupiah that the provider keeps, a decimal text. */
        public readonly string $fee = '0',
        /** Why a person should look first. */
        public readonly ?string $review = null,
        public readonly ?string $reference = null,
    ) {}

    public static function ofOutcome(Outcome $outcome): self
    {
        return new self(
            $outcome->account,
            $outcome->orderId,
            $outcome->intent,
            $outcome->status,
            $outcome->amount?->amount,
            $outcome->payableAmount?->amount,
            $outcome->amount?->currency ?? 'IDR',
            $outcome->fee ?? '0',
            $outcome->review,
            $outcome->reference,
        );
    }

    /** @param array<string, mixed> $intent as the journal has it */
    public static function ofIntent(array $intent): self
    {
        return new self(
            $intent['account'],
            $intent['order_id'] ?? null,
            $intent['id'],
            Status::tryFrom($intent['state']) ?? Status::Unknown,
            $intent['amount'] ?? null,
            $intent['payable_amount'] ?? null,
            'IDR',
            $intent['outcome']['fee'] ?? '0',
            $intent['review'] ?? null,
            $intent['reference'] ?? null,
        );
    }

    /** Whether money was taken, or was once and went back. */
    public function taken(): bool
    {
        return in_array($this->status, [Status::Paid, Status::PartiallyRefunded, Status::Refunded, Status::Disputed], true);
    }

    /** @return array<string, scalar|null> for the gateway log */
    public function forLog(): array
    {
        return [
            'account' => $this->account, 'order' => $this->orderId, 'reference' => $this->reference, 'intent' => $this->intent,
            'status' => $this->status->value, 'amount' => $this->amount, 'payable amount' => $this->payable, 'fee' => $this->fee, 'review' => $this->review,
        ];
    }
}
