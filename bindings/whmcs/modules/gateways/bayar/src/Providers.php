<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/**
 * The providers whose credentials can be typed into WHMCS. What is written here is what the settings
 * page needs; everything else the engine knows.
 */
final class Providers
{
    /**
     * By the engine's name of each: fields as [setting of the engine, label, secret]; the path of the
     * simulator; whether there is a page of the provider's where payers choose by themselves; and what
     * a charge does not take.
     */
    public const ALL = [
        'midtrans' => [
            'name' => 'Midtrans',
            'fields' => [['server_key', 'Server Key', true], ['client_key', 'Client Key', false]],
            'address' => 'base_url', 'page' => true, 'without' => [],
        ],
        'klink' => [
            'name' => 'K-Link',
            'fields' => [['email', 'e-mail', false], ['password', 'password', true], ['pid_key', 'PID', true]],
            'address' => 'base_url', 'page' => false, 'without' => ['callback_url', 'expires_in'],
        ],
        'ipaymu' => [
            'name' => 'iPaymu',
            'fields' => [['va', 'VA', false], ['api_key', 'API Key', true]],
            'address' => 'base_url', 'page' => true, 'without' => [],
        ],
        'duitku' => [
            'name' => 'Duitku',
            'fields' => [['merchant_code', 'Merchant Code', false], ['merchant_key', 'API Key', true]],
            'address' => 'base_url', 'page' => true, 'without' => [],
        ],
        'biller' => [
            'name' => 'Biller',
            'fields' => [
                ['url', 'URL', false], ['user', 'user', false], ['password', 'password', true],
                ['callback_token', 'callback token', true], ['callback_addresses', 'callback addresses', false],
            ],
            'address' => 'url', 'page' => false, 'without' => [],
        ],
    ];

    /** The setting of WHMCS that holds a field: midtrans_server_key. */
    public static function setting(string $provider, string $field): string
    {
        return "{$provider}_$field";
    }

    /** What a way to pay is called where the shop gives it no name of its own. */
    public static function label(string $name): string
    {
        static $labels = null;
        $labels ??= require __DIR__ . '/labels.php';
        return $labels[$name] ?? self::ALL[$name]['name'] ?? $name;
    }

    /** @return array<string, string> the ways to pay that have a name here, by their own */
    public static function labels(): array
    {
        return require __DIR__ . '/labels.php';
    }
}
