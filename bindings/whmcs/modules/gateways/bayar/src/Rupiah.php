<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Money;

/** Whole rupiah out of WHMCS's decimal texts, and back. */
final class Rupiah
{
    /** The largest amount that the engine takes, 15 digits. */
    private const MOST = 999_999_999_999_999;

    /**
     * Whole rupiah that are not less than a decimal text: there are no coins below one.
     *
     * @return ?int null where it is no positive amount
     */
    public static function of(string $decimal): ?int
    {
        if (!preg_match('/^(\d{1,15})(?:\.(\d{1,10}))?$/D', trim($decimal), $parts)) {
            return null;
        }
        $whole = (int) $parts[1] + (rtrim($parts[2] ?? '', '0') === '' ? 0 : 1);
        return $whole >= 1 && $whole <= self::MOST ? $whole : null;
    }

    /** As people read it: Rp150.000. */
    public static function format(int $amount): string
    {
        return (new Money($amount))->format();
    }
}
