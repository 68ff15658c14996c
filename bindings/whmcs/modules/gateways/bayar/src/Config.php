<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** The page of settings, as WHMCS wants it described. */
final class Config
{
    /** @return array<string, array<string, mixed>> */
    public static function fields(Texts $texts, string $check): array
    {
        $fields = [
            'FriendlyName' => ['Type' => 'System', 'Value' => 'Bayar'],
            'engine' => self::field($texts, 'engine', 'dropdown', ['Default' => 'here', 'Options' => [
                'here' => $texts->say('config_engine_here'),
                'file' => $texts->say('config_engine_file'),
                'daemon' => $texts->say('config_engine_daemon'),
                'gateway' => $texts->say('config_engine_gateway'),
            ]], ['check' => Box::escape($check)]),
            'sandbox' => self::field($texts, 'sandbox', 'yesno'),
        ];
        foreach (Providers::ALL as $id => $provider) {
            foreach ($provider['fields'] as [$field, $label, $secret]) {
                $fields[Providers::setting($id, $field)] = ['FriendlyName' => "{$provider['name']}: $label", 'Type' => $secret ? 'password' : 'text', 'Size' => '40', 'Default' => ''];
            }
        }
        return $fields + [
            'channels' => self::field($texts, 'channels', 'textarea', ['Rows' => '6', 'Cols' => '60']),
            'prefix' => self::field($texts, 'prefix', 'text', ['Size' => '10', 'Default' => 'INV']),
            'expires' => self::field($texts, 'expires', 'text', ['Size' => '5', 'Default' => '24']),
            'journal' => self::field($texts, 'journal', 'text', ['Size' => '60', 'Default' => ''], ['usual' => Journal::usual()]),
            'simulator' => self::field($texts, 'simulator', 'text', ['Size' => '40', 'Default' => '']),
            'config_file' => self::field($texts, 'config_file', 'text', ['Size' => '60', 'Default' => '']),
            'socket' => self::field($texts, 'socket', 'text', ['Size' => '40', 'Default' => '/run/bayar/bayar.sock']),
            'gateway_url' => self::field($texts, 'gateway_url', 'text', ['Size' => '40', 'Default' => '']),
            'app_code' => self::field($texts, 'app_code', 'text', ['Size' => '25', 'Default' => '']),
            'api_key' => self::field($texts, 'api_key', 'password', ['Size' => '40', 'Default' => '']),
            'webhook_secret' => self::field($texts, 'webhook_secret', 'password', ['Size' => '40', 'Default' => '']),
            'webhook_secret_before' => self::field($texts, 'webhook_secret_before', 'password', ['Size' => '40', 'Default' => '']),
        ];
    }

    private static function field(Texts $texts, string $name, string $type, array $more = [], array $with = []): array
    {
        return ['FriendlyName' => $texts->say("config_$name"), 'Type' => $type] + $more + ['Description' => $texts->say("config_{$name}_is", $with)];
    }
}
