<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Gateway as Served;

/** Opens Bayar as the settings say. The library and the command lie in the module, beside the PHP client. */
final class Engine
{
    /** @throws Unusable|\Bayar\Error */
    public static function open(Settings $settings): Client
    {
        return match ($settings->engine()) {
            'here' => Client::open($settings->configuration()),
            'file' => Client::open($settings->needed('config_file')),
            'daemon' => Client::open(socket: $settings->needed('socket')),
            'gateway' => Client::open(gateway: self::gateway($settings)),
        };
    }

    private static function gateway(Settings $settings): Served
    {
        $secrets = array_filter([$settings->needed('webhook_secret'), $settings->text('webhook_secret_before')]);
        return new Served($settings->needed('gateway_url'), $settings->needed('app_code'), $settings->needed('api_key'), array_values($secrets));
    }
}
