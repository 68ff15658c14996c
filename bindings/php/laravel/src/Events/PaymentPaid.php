<?php

declare(strict_types=1);

namespace Bayar\Laravel\Events;

use Bayar\Outcome;

/**
 * A payment was proven to be paid, and is to be credited now.
 *
 * Dispatched while its effect is claimed. Where all listeners return, that is confirmed, and this
 * payment's event never comes again; where one throws or dies, it comes again with the same
 * transaction id. Put that into a unique column beside the credit, in one transaction with it.
 */
final class PaymentPaid
{
    public function __construct(
        public readonly Outcome $outcome,
        /** The same whenever this payment's event comes. */
        public readonly string $transactionId,
    ) {}
}
