<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;

/** What cron does every few minutes. */
final class Recovery
{
    /** How many of each kind one run looks at. */
    private const MOST = 100;
    /** How long what was credited may go back unseen by a callback, in days. */
    private const DAYS = 120;

    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /** A run that fails must not stop WHMCS's other hooks; the next one is minutes away. */
    public static function cron(): void
    {
        try {
            if (!Tables::exist() || Host::gateway('bayar') === []) {
                return;
            }
            Tables::ensure();
            $settings = Settings::load();
            (new self(Engine::open($settings), $settings))->run();
        } catch (\Throwable $e) {
            Host::remind('Recovery of payments does not run', $e instanceof Error || $e instanceof Unusable ? $e->getMessage() : $e::class . ' in ' . basename($e->getFile()) . ':' . $e->getLine());
        }
    }

    public function run(): void
    {
        // A gateway recovers by itself, and tells what came of it.
        $recovered = $this->settings->engine() === 'gateway' ? [] : $this->bayar->recover(limit: self::MOST)['intents'];
        foreach ($recovered as $looked) {
            if (isset($looked['review'])) {
                Host::remind("Payment {$looked['reference']} waits for a review", "{$looked['account']}: {$looked['review']}. To decide: bayar journal show {$looked['intent']}");
            }
        }
        $inquiry = new Inquiry($this->bayar, $this->settings);
        foreach ($this->attempts->unsettled(time(), self::MOST) as $attempt) {
            $this->each($attempt->orderId, static fn() => $inquiry->look($attempt, false));
        }
        $credit = new Credit($this->bayar, $this->settings);
        foreach ($this->wentBack() as [$attempt, $finding]) {
            $this->each($attempt->orderId, static fn() => $credit->settle($attempt, $finding));
        }
        foreach (Purchase::waiting(self::MOST) as $purchase) {
            $this->each($purchase->orderId, fn() => $purchase->look($this->bayar));
        }
    }

    /** @return iterable<array{Attempt, Finding}> credited payments that went back */
    private function wentBack(): iterable
    {
        $since = (time() - self::DAYS * 86_400) * 1000;
        foreach (['disputed', 'refunded', 'partially_refunded'] as $state) {
            foreach ($this->bayar->intents(['state' => $state, 'operation' => 'charge', 'since_ms' => $since, 'limit' => 1000]) as $intent) {
                $attempt = $this->attempts->ofOrder($intent['account'], $intent['order_id'] ?? '');
                $known = $attempt === null || $attempt->reversedAt !== null || ($state !== 'disputed' && ($attempt->status === $state || $attempt->refunded > 0));
                if (!$known) {
                    yield [$attempt, Finding::ofIntent($intent)];
                }
            }
        }
    }

    /** One payment that cannot be looked at must not keep the others waiting. */
    private function each(string $order, \Closure $do): void
    {
        try {
            $do();
        } catch (\Throwable $e) {
            Host::log('bayar', ['order' => $order, 'why' => $e instanceof Error ? $e->getMessage() : $e::class . ' in ' . basename($e->getFile()) . ':' . $e->getLine()], 'Not looked at');
        }
    }
}
