<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;

/** Takes back what nobody is to pay any more. */
final class Withdrawal
{
    /** How long an attempt of which nothing is known keeps its place, in seconds. */
    public const UNKNOWN = 120;
    /** How long a click on "cancel" may wait for a provider, in milliseconds. */
    private const DEADLINE = 8000;

    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /** The open attempt of an invoice that was cancelled, or paid in another way. */
    public static function ofInvoice(int $invoice): void
    {
        try {
            $attempt = Tables::exist() ? (new Attempts())->open($invoice) : null;
            if ($attempt !== null) {
                $settings = Settings::load();
                (new self(Engine::open($settings), $settings))->withdraw($attempt);
            }
        } catch (\Throwable $e) {
            Host::remind("The payment of invoice $invoice was not withdrawn", 'It may still be paid: ' . ($e instanceof Error || $e instanceof Unusable ? $e->getMessage() : $e::class));
        }
    }

    /** Whether a payer may give an attempt up for another one. */
    public static function possible(Attempt $attempt, int $now): bool
    {
        // Who never saw a number or a page cannot pay by it.
        $unseen = $attempt->instruction === null && $attempt->createdAt + self::UNKNOWN <= $now;
        return $attempt->status === 'unknown' ? $unseen : $attempt->canCancel && $attempt->status === 'pending';
    }

    /** Withdraws an attempt at its provider where that can be done, and closes it here. */
    public function withdraw(Attempt $attempt): Attempt
    {
        if ($attempt->canCancel && $attempt->status !== 'new') {
            try {
                $this->bayar->cancel($attempt->account, ['order_id' => $attempt->orderId, 'deadline_ms' => self::DEADLINE], "$attempt->orderId cancel");
            } catch (Error $e) {
                Host::logCall('cancel', ['account' => $attempt->account, 'order' => $attempt->orderId], ['code' => $e->name, 'message' => $e->document['message']], $this->settings->secrets());
                // It may have been paid meanwhile.
                $attempt = (new Inquiry($this->bayar, $this->settings))->look($attempt, true);
            }
        }
        return $attempt->open ? $this->attempts->close($attempt, 'cancelled', null) : $attempt;
    }
}
