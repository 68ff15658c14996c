<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Status;

/** Money that went back without the shop: by the payer's bank, or from the provider's dashboard. */
final class Reversal
{
    public function __construct(private readonly Settings $settings) {}

    public function apply(Attempt $attempt, Finding $finding): Settled
    {
        if ($attempt->transaction === null || $attempt->reversedAt !== null) {
            return Settled::Nothing;
        }
        if ($finding->status !== Status::Disputed && $attempt->refunded > 0) {
            // Given back from here: WHMCS's own refund is in the books, or is just being written.
            return self::refundedHere($attempt, $finding);
        }
        if ($finding->status === Status::PartiallyRefunded) {
            self::remind($attempt, 'Part of it was given back at the provider. WHMCS reverses only whole payments: enter the refund by hand.');
            return Settled::Nothing;
        }
        $settled = Lock::hold((string) $attempt->intent, $this->settings->patience(), fn() => self::locked($attempt)) ?? Settled::Later;
        Host::log($attempt->gateway, ['invoice' => $attempt->invoice, 'transaction' => $attempt->transaction] + $finding->forLog(), ucfirst($settled->value));
        return $settled;
    }

    private static function refundedHere(Attempt $attempt, Finding $finding): Settled
    {
        if ($finding->status === Status::Refunded && $attempt->refunded < $attempt->amount) {
            self::remind($attempt, 'It was given back whole at the provider, and in part from here: enter the rest by hand.');
        }
        return Settled::Nothing;
    }

    private static function locked(Attempt $attempt): Settled
    {
        $reversal = "$attempt->transaction-R";
        if (!Host::recorded($reversal)) {
            try {
                Host::reverse($reversal, $attempt->transaction);
            } catch (\PDOException $e) {
                throw $e;
            } catch (\Exception $e) {
                // WHMCS's own reasons: the entry is gone, or was refunded by hand.
                self::remind($attempt, "WHMCS does not reverse it ({$e->getMessage()}): see whether its books are right.");
            }
        }
        (new Attempts())->reversed($attempt);
        return Settled::Reversed;
    }

    private static function remind(Attempt $attempt, string $text): void
    {
        Host::remind("Payment $attempt->orderId went back", "Invoice $attempt->invoice, transaction $attempt->transaction: $text");
    }
}
