<?php

declare(strict_types=1);

namespace Bayar\Laravel;

use Bayar\Claim;
use Bayar\Client;
use Bayar\Error;
use Bayar\InProgress;
use Bayar\Laravel\Events\PaymentChanged;
use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Outcome;
use Illuminate\Contracts\Events\Dispatcher;

/** Tells the application's listeners what became of payments; that one was paid, once. */
final class Payments
{
    /** The effect that is claimed for the listeners of PaymentPaid. */
    public const EFFECT = 'credit';

    public function __construct(
        private readonly Client $client,
        private readonly Dispatcher $events,
        private readonly int $leaseSeconds = 60,
    ) {}

    /**
     * Dispatches the event that belongs to a payment's outcome: PaymentPaid once, under a claim, where
     * it may be credited; else PaymentChanged.
     *
     * @param Outcome $outcome of a charge or a callback; that of `status` names no payment, only the asking
     *
     * @return bool whether it was credited now
     *
     * @throws InProgress where another process is crediting it
     * @throws \Throwable what a listener throws; the claim is released then
     */
    public function tell(Outcome $outcome): bool
    {
        if ($outcome->creditable()) {
            return $this->credit($outcome);
        }
        $this->events->dispatch(new PaymentChanged($outcome));
        return false;
    }

    private function credit(Outcome $outcome): bool
    {
        // Confirmed without anybody listening, the money would never be credited.
        if (!$this->events->hasListeners(PaymentPaid::class)) {
            throw new \LogicException("Nobody listens to Bayar\Laravel\Events\PaymentPaid; $outcome->intent was paid and is not credited. Register a listener, then run bayar:recover.");
        }
        $claim = $this->client->claim($outcome->intent, self::EFFECT, $this->leaseSeconds);
        if (!$claim->granted) {
            return false; // credited before
        }
        try {
            $this->events->dispatch(new PaymentPaid($outcome, $claim->transactionId));
        } catch (\Throwable $failure) {
            $this->release($claim);
            throw $failure;
        }
        $this->client->confirm($claim);
        return true;
    }

    /** What cannot be released runs out by itself; the failure that led here matters more. */
    private function release(Claim $claim): void
    {
        try {
            $this->client->release($claim);
        } catch (Error $error) {
            report($error);
        }
    }
}
