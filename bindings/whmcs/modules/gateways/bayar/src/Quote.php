<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use WHMCS\Database\Capsule;

/**
 * What the payment box offered: which attempt of which invoice may be begun, for how much.
 *
 * It travels in the box's form, signed, so that the payer is charged what the page said, and only
 * somebody who was shown the page can begin an attempt. It begins one: the next attempt has
 * another number.
 */
final class Quote
{
    /** How long a page may lie open, in seconds. */
    private const LIFE = 86_400;

    public function __construct(
        public readonly int $invoice,
        public readonly int $user,
        /** The number of the attempt that it may begin. */
        public readonly int $number,
        /** The WHMCS module whose box it was. */
        public readonly string $gateway,
        /** The only way to pay that the box offered, as a line of the setting; '' for those of the settings. */
        public readonly string $only,
        /** Whole rupiah; 0 where the page offered nothing to begin. */
        public readonly int $amount,
        /** The invoice's balance in its own currency, a decimal text. */
        public readonly string $balance,
        public readonly string $currency,
        public readonly int $made,
    ) {}

    /** Rupiah for one unit of the invoice's currency, a decimal text. */
    public function rate(): string
    {
        return $this->currency === 'IDR' ? '1' : number_format($this->amount / (float) $this->balance, 10, '.', '');
    }

    public function sign(): string
    {
        $text = self::pack(json_encode(get_object_vars($this), JSON_THROW_ON_ERROR));
        return $text . '.' . self::pack(self::digest($text));
    }

    /** Reads a signed one; null where it is not ours, or too old. */
    public static function read(string $signed, int $now): ?self
    {
        [$text, $digest] = explode('.', $signed, 2) + [1 => ''];
        if (!hash_equals(self::pack(self::digest($text)), $digest)) {
            return null;
        }
        $quote = new self(...json_decode(self::unpack($text), true, 4, JSON_THROW_ON_ERROR));
        return $quote->made + self::LIFE >= $now ? $quote : null;
    }

    /** @return array<string, Choice> what the box offered */
    public function choices(Settings $settings): array
    {
        $only = Choice::read($this->only);
        return $only === null ? $settings->choices() : [$only->name() => $only];
    }

    private static function digest(string $text): string
    {
        return hash_hmac('sha256', "bayar quote 1 $text", self::key(), true);
    }

    /** A secret of this shop's own, made once. */
    private static function key(): string
    {
        $row = ['name' => 'quote key'];
        $known = Capsule::table(Tables::SETTINGS)->where($row)->value('value');
        if ($known === null) {
            Capsule::table(Tables::SETTINGS)->insertOrIgnore($row + ['value' => bin2hex(random_bytes(32))]);
            $known = Capsule::table(Tables::SETTINGS)->where($row)->value('value');
        }
        return hex2bin($known);
    }

    private static function pack(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    private static function unpack(string $text): string
    {
        return (string) base64_decode(strtr($text, '-_', '+/'));
    }
}
