<?php

declare(strict_types=1);

namespace Bayar\Laravel\Events;

use Bayar\Outcome;

/**
 * Something else became of a payment: it expired, failed, was refunded, or waits for a person to
 * look (its review says why). Credit nothing. From recovery also what became of another call, such as
 * a refund: the outcome's operation says which.
 *
 * It may come again with the same outcome, and is sent again where a listener throws.
 */
final class PaymentChanged
{
    public function __construct(public readonly Outcome $outcome) {}
}
