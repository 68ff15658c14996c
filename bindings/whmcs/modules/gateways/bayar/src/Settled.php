<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** What came of looking at a payment. */
enum Settled: string
{
    /** It was credited now. */
    case Credited = 'credited';
    /** It was credited before. */
    case Repeated = 'credited before';
    /** A credited payment went back, and so did its credit. */
    case Reversed = 'reversed';
    /** There is nothing to credit. */
    case Nothing = 'noted';
    /** It does not fit what was asked: nothing is credited, and the shop's people are told. */
    case Mismatch = 'not credited';
    /** It could not be finished now: the provider is to send its callback again. */
    case Later = 'to be sent again';
}
