<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;
use Bayar\OutcomeUnknown;

/** Gives a payment back, as an admin asks for it in WHMCS. */
final class Refund
{
    public function __construct(private readonly Client $bayar, private readonly Settings $settings) {}

    /**
     * @param array<string, mixed> $params transid, amount, currency
     *
     * @return array{status: string, rawdata: string|array<string, mixed>, transid?: string}
     */
    public function give(array $params): array
    {
        $transaction = (string) $params['transid'];
        $attempts = new Attempts();
        $attempt = $attempts->ofTransaction($transaction);
        if ($attempt === null) {
            return ['status' => 'error', 'rawdata' => "Transaction $transaction was not recorded by Bayar."];
        }
        $rupiah = self::rupiah($attempt, (string) $params['amount'], (string) $params['currency']);
        if ($rupiah === null || $rupiah > $attempt->amount) {
            return ['status' => 'error', 'rawdata' => "The amount is {$params['amount']} {$params['currency']}, allowed are whole rupiah up to $attempt->amount."];
        }
        [$times, $before] = Host::refunded($transaction);
        $before = (int) round($before * $attempt->amount / (float) $attempt->invoiceAmount);
        // The same key until WHMCS has it in its books: a second press of the button is the same refund.
        $key = "$attempt->orderId refund " . ($times + 1);
        // Before it is sent: the provider's callback about it may be faster than its answer.
        $attempts->refunded($attempt, $before + $rupiah);
        try {
            $outcome = $this->bayar->refund($attempt->account, ['order_id' => $attempt->orderId, 'amount' => $rupiah], $key);
        } catch (Error $e) {
            $unknown = $e instanceof OutcomeUnknown || $e->stage === 'maybe_sent';
            $attempts->refunded($attempt, $unknown ? $before + $rupiah : $before);
            return $this->answer($attempt, $rupiah, $unknown ? 'error' : 'declined', ['code' => $e->name, 'message' => $e->getMessage()]);
        }
        return $this->answer($attempt, $rupiah, 'success', ['status' => $outcome->status->value, 'intent' => $outcome->intent]) + ['transid' => $outcome->intent];
    }

    private function answer(Attempt $attempt, int $rupiah, string $status, array $said): array
    {
        Host::logCall('refund', ['account' => $attempt->account, 'order' => $attempt->orderId, 'amount' => $rupiah], $said, $this->settings->secrets());
        return ['status' => $status, 'rawdata' => $said];
    }

    /** What goes back in rupiah, at the rate that was paid by. */
    private static function rupiah(Attempt $attempt, string $amount, string $currency): ?int
    {
        if ($attempt->currency === 'IDR') {
            return str_ends_with(number_format((float) $amount, 2, '.', ''), '.00') ? Rupiah::of($amount) : null;
        }
        $part = (float) $amount;
        if ($currency === 'IDR') {
            // WHMCS has converted it at today's rate.
            $part = round($part * Host::rate($attempt->currency) / Host::rate('IDR'), 2);
        }
        return (int) round($part * $attempt->amount / (float) $attempt->invoiceAmount);
    }
}
