<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\InProgress;
use Bayar\NotPossible;
use Bayar\Status;

/**
 * The way in, whoever brings the news: a callback, cron, a payer who asks.
 *
 *     match ──► lock ──► claim ──► in WHMCS's books? ──► addInvoicePayment ──► confirm
 *
 * The engine grants the credit of a payment to one caller at a time, under one transaction id. Who
 * dies leaves a claim that runs out, and the next one finds the id in the books, or not.
 */
final class Credit
{
    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /** Does what a finding about an attempt asks for. */
    public function settle(Attempt $attempt, Finding $finding): Settled
    {
        if ($attempt->intent === null && $finding->intent !== null) {
            $this->attempts->knownAs($attempt, $finding->intent);
            $attempt = $this->attempts->find($attempt->id);
        }
        $difference = $this->difference($attempt, $finding);
        if ($difference !== null) {
            return $this->setAside($attempt, $finding, $difference);
        }
        $attempt = $this->attempts->now($attempt, $finding->status);
        return match ($finding->status) {
            Status::Paid => $this->credit($attempt, $finding),
            Status::Disputed, Status::Refunded, Status::PartiallyRefunded => (new Reversal($this->settings))->apply($attempt, $finding),
            default => Settled::Nothing,
        };
    }

    /** In what a finding does not fit what was asked; null where it does. */
    private function difference(Attempt $attempt, Finding $finding): ?string
    {
        $named = ['account' => [$finding->account, $attempt->account], 'order' => [$finding->orderId, $attempt->orderId], 'intent' => [$finding->intent, $attempt->intent]];
        foreach ($named as $part => [$found, $ours]) {
            if ($found !== null && $found !== $ours) {
                return "it names the $part $found, expected is $ours";
            }
        }
        if ($finding->review !== null) {
            return "it waits for a review: $finding->review. To decide: bayar journal show $attempt->intent";
        }
        return $finding->taken() ? $this->differenceOfMoney($attempt, $finding) : null;
    }

    private function differenceOfMoney(Attempt $attempt, Finding $finding): ?string
    {
        if ($finding->currency !== 'IDR') {
            return "its currency is $finding->currency, expected is IDR";
        }
        if ($finding->amount !== $attempt->amount) {
            return 'its amount is ' . ($finding->amount ?? 'missing') . ", expected is $attempt->amount";
        }
        if ($finding->payable !== null && $attempt->payable !== null && $finding->payable !== $attempt->payable) {
            return "the payer was to pay $attempt->payable, it says $finding->payable";
        }
        return null;
    }

    /** Told once: cron looks at it again and again. */
    private function setAside(Attempt $attempt, Finding $finding, string $why): Settled
    {
        if ($attempt->doubt === $why) {
            return Settled::Mismatch;
        }
        $this->attempts->doubted($attempt, $why);
        $this->log($attempt, $finding, Settled::Mismatch, $why);
        Host::remind("Payment $attempt->orderId was not credited", "Invoice $attempt->invoice, {$attempt->account}: $why.");
        return Settled::Mismatch;
    }

    private function credit(Attempt $attempt, Finding $finding): Settled
    {
        if ($attempt->creditedAt !== null) {
            return Settled::Repeated;
        }
        $invoice = Host::invoice($attempt->invoice);
        $difference = self::differenceOfInvoice($attempt, $invoice);
        if ($difference !== null) {
            return $this->setAside($attempt, $finding, $difference);
        }
        try {
            $settled = Lock::hold($attempt->intent, $this->settings->patience(), fn() => $this->locked($attempt, $finding));
        } catch (InProgress) {
            $settled = Settled::Later;
        } catch (NotPossible $refusal) {
            return $this->setAside($attempt, $finding, $refusal->document['message']);
        }
        $settled ??= Settled::Later;
        $this->log($attempt, $finding, $settled);
        if ($settled === Settled::Credited && !$invoice->payable()) {
            Host::remind("Invoice $attempt->invoice was paid twice", "Payment $attempt->orderId arrived when the invoice was $invoice->status already. WHMCS keeps it as the client's credit.");
        }
        return $settled;
    }

    private static function differenceOfInvoice(Attempt $attempt, ?Invoice $invoice): ?string
    {
        return match (true) {
            $invoice === null => 'its invoice is gone',
            $invoice->user !== $attempt->user => "its invoice belongs to client $invoice->user now, expected is $attempt->user",
            $invoice->currency !== $attempt->currency => "its invoice is in $invoice->currency now, expected is $attempt->currency",
            !$invoice->takesMoney() => "its invoice is $invoice->status",
            default => null,
        };
    }

    /** Between the lock and its end nobody else credits this payment. */
    private function locked(Attempt $attempt, Finding $finding): Settled
    {
        $claim = $this->bayar->claim($attempt->intent, 'credit', $this->settings->lease());
        $transaction = $claim->transactionId;
        $settled = Settled::Repeated;
        if ($claim->granted && !Host::recorded($transaction)) {
            $failure = $this->addPayment($attempt, $finding, $transaction);
            if (!Host::recorded($transaction)) {
                $this->bayar->release($claim);
                return $failure === null ? Settled::Later : throw $failure;
            }
            $settled = Settled::Credited;
        }
        if ($claim->granted) {
            $this->bayar->confirm($claim);
        }
        $this->attempts->credited($attempt, $transaction);
        if ($claim->granted && $settled === Settled::Repeated) {
            self::finished($attempt, $transaction);
        }
        return $settled;
    }

    /** Who entered it died before it was confirmed, and perhaps before WHMCS had done what follows an entry. */
    private static function finished(Attempt $attempt, string $transaction): void
    {
        $invoice = Host::invoice($attempt->invoice);
        if ($invoice !== null && $invoice->payable() && (float) $invoice->balance <= 0) {
            Host::remind("Invoice $attempt->invoice is unpaid though its payment is recorded", "WHMCS was stopped while it recorded transaction $transaction. Mark the invoice as paid, and look whether its services were set up.");
        }
    }

    /** Whatever a hook on the payment throws: what counts is whether it stands in the books. */
    private function addPayment(Attempt $attempt, Finding $finding, string $transaction): ?\Throwable
    {
        // What the rounding up of an invoice with a fraction of a rupiah adds is the client's, too.
        $amount = $attempt->currency === 'IDR' ? (float) $attempt->amount : (float) $attempt->invoiceAmount;
        try {
            Host::addPayment($attempt, $transaction, $amount, $attempt->inInvoiceCurrency((float) $finding->fee));
            return null;
        } catch (\Throwable $e) {
            $where = $e::class . ' in ' . basename($e->getFile()) . ':' . $e->getLine();
            Host::remind("Something failed while payment $attempt->orderId was credited", "Invoice $attempt->invoice: $where. Look whether what follows a payment was done.");
            return $e;
        }
    }

    private function log(Attempt $attempt, Finding $finding, Settled $settled, ?string $why = null): void
    {
        Host::log($attempt->gateway, ['invoice' => $attempt->invoice] + $finding->forLog() + ['why' => $why], ucfirst($settled->value));
    }
}
