<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** One way to pay that the shop offers. */
final class Choice
{
    public function __construct(
        /** The engine's account. */
        public readonly string $account,
        /** How the payer pays, as the provider's channels name it; null for the provider's own page. */
        public readonly ?string $channel,
        /** What the payer reads. */
        public readonly string $label,
    ) {}

    /** As settings and forms name it: midtrans/bca_va. */
    public function name(): string
    {
        return $this->account . ($this->channel === null ? '' : "/$this->channel");
    }

    /** Reads a line of the setting: midtrans/bca_va = BCA. Null for a blank line and a comment. */
    public static function read(string $line): ?self
    {
        [$name, $label] = array_map('trim', explode('=', $line, 2)) + [1 => ''];
        if ($name === '' || $name[0] === '#') {
            return null;
        }
        [$account, $channel] = explode('/', $name, 2) + [1 => ''];
        return new self($account, $channel === '' ? null : $channel, $label !== '' ? $label : Providers::label($name));
    }
}
