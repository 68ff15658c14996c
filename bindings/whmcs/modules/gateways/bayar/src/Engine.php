<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;

/** Opens Bayar as the settings say. */
final class Engine
{
    /** @throws Unusable|\Bayar\Error */
    public static function open(Settings $settings): Client
    {
        $native = dirname(__DIR__) . '/lib/native';
        return match ($settings->engine()) {
            'here' => Client::open($settings->configuration(self::one("$native/plugins-*")), ...self::library($native)),
            'file' => Client::open($settings->text('config_file'), ...self::library($native)),
            default => throw new Unusable('not yet'),
        };
    }

    /** What packaging put into lib/native. */
    private static function library(string $native): array
    {
        return ['library' => self::one("$native/libbayar-*.so"), 'header' => "$native/bayar.ffi.h"];
    }

    /** Versioned names: an upgrade must not write over a library that a worker has mapped. */
    private static function one(string $pattern): string
    {
        $found = glob($pattern) ?: throw new Unusable("$pattern is missing: upload the module whole.");
        natsort($found);
        return end($found);
    }
}
