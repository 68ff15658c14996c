<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Conflict;
use Bayar\Error;
use Bayar\InProgress;
use Bayar\OutcomeUnknown;

/** The way out: asks the provider for what the payer needs. */
final class Charge
{
    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /** Charges an attempt, or again one that was not answered: its order id is the key. */
    public function carryOut(Attempt $attempt): Attempt
    {
        try {
            $account = $this->bayar->describe($attempt->account);
            $this->attempts->can($attempt, array_column($account['operations'], 'name'));
            $outcome = $this->bayar->charge($attempt->account, $this->params($attempt, $account['id']), $attempt->orderId);
        } catch (Conflict) {
            // The client's address or the settings changed since it was sent first: the journal knows the rest.
            return (new Inquiry($this->bayar, $this->settings))->look($attempt, false);
        } catch (Error $e) {
            $this->log($attempt, $e->document);
            return $this->failed($attempt, $e);
        }
        $this->log($attempt, ['status' => $outcome->status->value, 'intent' => $outcome->intent, 'reference' => $outcome->reference]);
        $answered = $this->attempts->answered($attempt, $outcome, $this->settings->life());
        (new Credit($this->bayar, $this->settings))->settle($answered, Finding::ofOutcome($outcome));
        return $this->attempts->find($attempt->id);
    }

    /** @return array<string, mixed> */
    private function params(Attempt $attempt, string $provider): array
    {
        $client = array_map(static fn(mixed $value) => is_string($value) ? html_entity_decode($value, ENT_QUOTES) : $value, Host::client($attempt->user));
        $invoice = Host::url() . "viewinvoice.php?id=$attempt->invoice";
        $params = [
            'order_id' => $attempt->orderId,
            'amount' => $attempt->amount,
            'channel' => $attempt->channel,
            'description' => "Invoice $attempt->invoice",
            'customer' => array_filter([
                'name' => trim("{$client['firstname']} {$client['lastname']}"),
                'email' => $client['email'] ?? '',
                'phone' => self::phone((string) ($client['phonenumberformatted'] ?? $client['phonenumber'] ?? '')),
            ]),
            'return_url' => $invoice,
            'cancel_url' => $invoice,
            'callback_url' => self::callbackUrl($attempt->account),
            'expires_in' => $this->settings->life(),
        ];
        // Providers call the gateway back, and that calls us.
        $without = $this->settings->engine() === 'gateway' ? ['callback_url'] : [];
        return array_diff_key(array_filter($params), array_flip([...$without, ...Providers::ALL[$provider]['without'] ?? []]));
    }

    /** Where an account's callbacks arrive. */
    public static function callbackUrl(string $account): string
    {
        return Host::url() . 'modules/gateways/callback/bayar.php?account=' . rawurlencode($account);
    }

    /** WHMCS writes +62.81200000001; providers here know 081200000001. */
    private static function phone(string $written): string
    {
        return (string) preg_replace('/^\+?62(?=8)/', '0', preg_replace('/[^\d+]/', '', $written));
    }

    private function failed(Attempt $attempt, Error $error): Attempt
    {
        $payers = $error->field !== null && str_starts_with($error->field, 'customer');
        return match (true) {
            $error instanceof OutcomeUnknown, $error->stage === 'maybe_sent' && !$error instanceof InProgress,
            $error->name === 'journal_unavailable' && $error->stage === 'answered' => $this->attempts->waits($attempt, 'unknown', 'unknown', $error->intent),
            $error->retry => $this->attempts->waits($attempt, 'new', $error instanceof InProgress ? 'working' : 'try_again', $error->intent),
            default => $this->attempts->close($attempt, 'failed', $payers ? 'profile' : 'refused'),
        };
    }

    /** Without parameters and answers: they hold the payer's data, and the journal has them. */
    private function log(Attempt $attempt, array $answer): void
    {
        $asked = ['account' => $attempt->account, 'channel' => $attempt->channel, 'order' => $attempt->orderId, 'amount' => $attempt->amount];
        Host::logCall('charge', $asked, array_intersect_key($answer, array_flip(['status', 'intent', 'reference', 'code', 'message', 'stage', 'field'])), $this->settings->secrets());
    }
}
