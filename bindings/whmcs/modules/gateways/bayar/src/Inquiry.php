<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;
use Bayar\InvalidParams;
use Bayar\Outcome;

/** What became of an attempt. */
final class Inquiry
{
    /** How long the provider is left alone between two questions of a payer, in seconds. */
    private const PAUSE = 30;
    /** How long an attempt that was never sent may still be sent, in seconds. */
    private const UNSENT = 600;

    private readonly Attempts $attempts;

    public function __construct(private readonly Client $bayar, private readonly Settings $settings)
    {
        $this->attempts = new Attempts();
    }

    /**
     * Looks at an attempt, credits it if it was paid, closes it if its time has passed.
     *
     * @param bool $ask also ask the provider; otherwise the journal only
     */
    public function look(Attempt $attempt, bool $ask): Attempt
    {
        if ($ask && $attempt->canAsk && $this->attempts->mayAsk($attempt, time(), self::PAUSE)) {
            $this->ask($attempt);
        }
        $intent = $this->intent($attempt);
        if ($intent === null || $intent['state'] === 'new') {
            return $this->unsent($attempt);
        }
        $this->complete($attempt, $intent);
        (new Credit($this->bayar, $this->settings))->settle($this->attempts->find($attempt->id), Finding::ofIntent($intent));
        $attempt = $this->attempts->find($attempt->id);
        return $attempt->open && $attempt->overdue(time()) ? $this->attempts->close($attempt, 'expired', 'expired') : $attempt;
    }

    /** The answer is kept in the journal. */
    private function ask(Attempt $attempt): void
    {
        try {
            $this->bayar->status($attempt->account, ['order_id' => $attempt->orderId]);
        } catch (Error $e) {
            Host::logCall('status', ['account' => $attempt->account, 'order' => $attempt->orderId], ['code' => $e->name, 'message' => $e->document['message']], $this->settings->secrets());
        }
    }

    /** @return ?array<string, mixed> what the journal has of it */
    private function intent(Attempt $attempt): ?array
    {
        if ($attempt->intent === null) {
            return $this->bayar->intents(['account' => $attempt->account, 'operation' => 'charge', 'order_id' => $attempt->orderId])[0] ?? null;
        }
        try {
            return $this->bayar->intent($attempt->intent)['intent'];
        } catch (InvalidParams) { // forgotten by now
            return null;
        }
    }

    /** Nothing of it reached the provider: the same button sends it, for a while. */
    private function unsent(Attempt $attempt): Attempt
    {
        $late = $attempt->createdAt + self::UNSENT < time();
        return $attempt->open && $late ? $this->attempts->close($attempt, 'failed', 'refused') : $attempt;
    }

    /** The program that charged it may have died before it wrote down what the payer needs. */
    private function complete(Attempt $attempt, array $intent): void
    {
        if ($attempt->open && $attempt->instruction === null && isset($intent['outcome']['instruction'])) {
            $this->attempts->answered($attempt, new Outcome($intent['outcome']), $this->settings->life());
        }
    }
}
