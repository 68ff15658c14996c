<?php

declare(strict_types=1);

namespace Bayar;

/** The state of a payment; Done for what succeeded and is no payment. */
enum Status: string
{
    /** Waiting for the payer, or for the provider to finish. */
    case Pending = 'pending';
    /** Reserved on a card, not yet taken. */
    case Authorized = 'authorized';
    /** The money was taken. */
    case Paid = 'paid';
    /** It did not succeed and will not. */
    case Failed = 'failed';
    /** The payer did not pay in time. */
    case Expired = 'expired';
    /** Withdrawn before it was paid. */
    case Cancelled = 'cancelled';
    /** Part of the money went back. */
    case PartiallyRefunded = 'partially_refunded';
    /** All of the money went back. */
    case Refunded = 'refunded';
    /** The payer's bank took the money back, or disputes it. */
    case Disputed = 'disputed';
    /** The provider said something that nobody here knows. */
    case Unknown = 'unknown';
    /** Succeeded, and is no payment. */
    case Done = 'done';
}
