<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;
use Bayar\InstructionKind;

/** Serves the buttons of the payment box. */
final class Counter
{
    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /**
     * Answers the request that PHP is serving.
     *
     * @param array<string, mixed> $post $_POST
     */
    public static function request(string $method, array $post): Answer
    {
        Tables::ensure();
        $signed = $post['quote'] ?? null;
        $quote = $method === 'POST' && is_string($signed) ? Quote::read($signed, time()) : null;
        if ($quote === null) {
            return Answer::refuse(Texts::here()->say('out_of_date'), Host::url() . 'clientarea.php?action=invoices');
        }
        // A link in an e-mail is opened by who is not signed in; but nobody acts on another client's page.
        $client = Host::signedIn();
        if ($client !== null && $client !== $quote->user) {
            return Answer::refuse(Texts::here()->say('not_yours'), Host::url() . 'clientarea.php?action=invoices');
        }
        $do = $post['do'] ?? '';
        try {
            $settings = Settings::load();
            return (new self(Engine::open($settings), $settings))->serve($quote, is_string($do) ? $do : '');
        } catch (Unusable|Error $e) {
            Host::remind('Payments by Bayar do not work', $e->getMessage());
            return self::back($quote);
        }
    }

    public function serve(Quote $quote, string $do): Answer
    {
        $open = $this->attempts->open($quote->invoice);
        if ($open !== null && $do === 'check') {
            (new Inquiry($this->bayar, $this->settings))->look($open, true);
        }
        if ($open !== null && $do === 'change' && Withdrawal::possible($open, time())) {
            (new Withdrawal($this->bayar, $this->settings))->withdraw($open);
        }
        $attempt = str_starts_with($do, 'pay ') ? $this->pay($quote, substr($do, 4), $open) : null;
        $instruction = $attempt !== null && $attempt->open ? $attempt->instruction : null;
        return $instruction?->kind === InstructionKind::Redirect && Box::safe($instruction->url) ? Answer::redirect($instruction->url) : self::back($quote);
    }

    /** One open attempt an invoice: what is there is gone on with, and another begun only after it. */
    private function pay(Quote $quote, string $name, ?Attempt $open): ?Attempt
    {
        if ($open !== null && $open->overdue(time())) {
            $open = (new Inquiry($this->bayar, $this->settings))->look($open, true);
        }
        if ($open === null || !$open->open) {
            $open = $this->begin($quote, $name) ?? $this->attempts->open($quote->invoice);
        }
        return $open?->status === 'new' ? (new Charge($this->bayar, $this->settings))->carryOut($open) : $open;
    }

    /** Begins what the page offered, if it is still true. */
    private function begin(Quote $quote, string $name): ?Attempt
    {
        $choice = $quote->choices($this->settings)[$name] ?? null;
        $invoice = Host::invoice($quote->invoice);
        $true = $choice !== null && $quote->amount > 0 && $invoice !== null && $invoice->payable()
            && $invoice->user === $quote->user && $invoice->balance === $quote->balance && $invoice->currency === $quote->currency;
        return $true ? $this->attempts->begin($quote, $choice, $this->settings->prefix(), time()) : null;
    }

    private static function back(Quote $quote): Answer
    {
        return Answer::redirect(Host::url() . "viewinvoice.php?id=$quote->invoice");
    }
}
