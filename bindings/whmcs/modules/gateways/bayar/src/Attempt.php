<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Instruction;

/** One time that somebody began to pay an invoice: what was asked, and what is known of it. */
final class Attempt
{
    public readonly int $id;
    public readonly int $invoice;
    public readonly int $user;
    /** Which one of its invoice, from 1. */
    public readonly int $number;
    /** Whether it can still be paid as far as we know. */
    public readonly bool $open;
    /** The WHMCS module that it was begun by: bayar, or an alias. */
    public readonly string $gateway;
    /** The engine's account. */
    public readonly string $account;
    /** How the payer pays; null for the provider's own page. */
    public readonly ?string $channel;
    /** What the payer calls that. */
    public readonly string $label;
    /** Our own id of the order, and the key of its charge. */
    public readonly string $orderId;
    /** Whole rupiah that were asked for. */
    public readonly int $amount;
    /** The same in the invoice's currency, a decimal text. */
    public readonly string $invoiceAmount;
    /** The invoice's currency. */
    public readonly string $currency;
    /** 'new' until the engine has answered; then the engine's statuses. */
    public readonly string $status;
    /** The engine's id of the charge. */
    public readonly ?string $intent;
    public readonly ?string $providerReference;
    /** What the payer was told to pay, where it differs from the amount. */
    public readonly ?int $payable;
    public readonly ?Instruction $instruction;
    /** Until when it can be paid, in seconds since 1970-01-01 UTC. */
    public readonly ?int $expiresAt;
    /** Whether the provider can be asked about it, and whether it can be withdrawn. */
    public readonly bool $canAsk;
    public readonly bool $canCancel;
    /** What the payer should know of it, by its name in the language files. */
    public readonly ?string $note;
    /** Why it was not credited when it was looked at last. */
    public readonly ?string $doubt;
    /** The transaction of WHMCS that credited it. */
    public readonly ?string $transaction;
    /** Whole rupiah that were given back from here. */
    public readonly int $refunded;
    public readonly ?int $creditedAt;
    public readonly ?int $reversedAt;
    public readonly int $createdAt;

    public function __construct(\stdClass $row)
    {
        $this->id = (int) $row->id;
        $this->invoice = (int) $row->invoiceid;
        $this->user = (int) $row->userid;
        $this->number = (int) $row->number;
        $this->open = $row->open !== null;
        [$this->gateway, $this->account, $this->label] = [$row->gateway, $row->account, $row->label];
        $this->channel = $row->channel === '' ? null : $row->channel;
        $this->orderId = $row->order_id;
        $this->amount = (int) $row->amount;
        $this->invoiceAmount = (string) $row->invoice_amount;
        $this->currency = $row->currency;
        $this->status = $row->status;
        [$this->intent, $this->providerReference, $this->note, $this->doubt, $this->transaction] = [$row->intent, $row->provider_reference, $row->note, $row->doubt, $row->transid];
        $this->payable = self::number($row->payable_amount);
        $this->expiresAt = self::number($row->expires_at);
        $this->creditedAt = self::number($row->credited_at);
        $this->reversedAt = self::number($row->reversed_at);
        $this->createdAt = (int) $row->created_at;
        $this->refunded = (int) $row->refunded;
        $this->canAsk = (bool) $row->can_ask;
        $this->canCancel = (bool) $row->can_cancel;
        $this->instruction = $row->instruction === null ? null : new Instruction(json_decode($row->instruction, true, 16, JSON_THROW_ON_ERROR));
    }

    /** Whether its time to be paid has passed. */
    public function overdue(int $now): bool
    {
        return $this->expiresAt !== null && $this->expiresAt <= $now;
    }

    /** Rupiah of this attempt in the invoice's currency, at the rate that it was begun with. */
    public function inInvoiceCurrency(int|float $rupiah): float
    {
        if ($this->currency === 'IDR') {
            return (float) $rupiah;
        }
        return round($rupiah * (float) $this->invoiceAmount / $this->amount, 2);
    }

    private static function number(mixed $value): ?int
    {
        return $value === null ? null : (int) $value;
    }
}
