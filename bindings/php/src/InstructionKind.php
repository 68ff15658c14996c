<?php

declare(strict_types=1);

namespace Bayar;

/** What a payer does in order to pay. */
enum InstructionKind: string
{
    /** Goes to a page: url; Midtrans gives token and clientKey for a widget in your own page, too. */
    case Redirect = 'redirect';
    /** Transfers to a virtual account: bank, vaNumber; for Mandiri billerCode; perhaps name. */
    case VirtualAccount = 'virtual_account';
    /** Scans a QR code: qrText, imageUrl, or both. */
    case Qr = 'qr';
    /** Opens a wallet's application: deeplink; perhaps qrText or imageUrl. */
    case Deeplink = 'deeplink';
    /** Pays in a shop: store, shopCode. */
    case Retail = 'retail';
    /** Transfers by hand, exactly the outcome's payableAmount: bank, accountNumber, holder; perhaps branch. */
    case ManualTransfer = 'manual_transfer';
    /** Pays the courier: awb, once there is a way bill. */
    case Cod = 'cod';
    /** Does nothing. */
    case None = 'none';
    /** Something that this version of the package does not know; toArray() has it. */
    case Unknown = 'unknown';
}
