<?php

declare(strict_types=1);

namespace Bayar;

/** What not every provider can do. What is not here is asked for by the operation's name. */
enum Capability: string
{
    case Charge = 'charge';
    case Status = 'status';
    case Cancel = 'cancel';
    case Refund = 'refund';
    case Channels = 'channels';
    case Balance = 'balance';
    /** Buys a prepaid product. */
    case Purchase = 'purchase';
    /** Says by itself what became of a payment. */
    case Callback = 'callback';
}
