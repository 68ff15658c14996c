<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/**
 * A gateway module of its own for one way to pay, for shops whose clients choose "QRIS" or "BCA" when
 * they order. It has no settings: those of bayar hold.
 */
final class Alias
{
    /** The name of its module: bayar_midtrans_qris. */
    public static function module(Choice $choice): string
    {
        return 'bayar_' . trim((string) preg_replace('/[^a-z0-9]+/', '_', strtolower($choice->name())), '_');
    }

    /** The text of its file. */
    public static function file(Choice $choice): string
    {
        $module = self::module($choice);
        $line = var_export("{$choice->name()} = $choice->label", true);
        $label = var_export($choice->label, true);
        return <<<PHP
            <?php

            // Made by bayar/alias.php: one way to pay of the module bayar. Do not edit; make it anew.

            if (!defined('WHMCS')) {
                exit('This file is loaded by WHMCS.');
            }

            require_once __DIR__ . '/bayar/boot.php';

            function {$module}_MetaData()
            {
                return Bayar\\Whmcs\\Gateway::metaData('Bayar: ' . $label);
            }

            function {$module}_config()
            {
                return ['FriendlyName' => ['Type' => 'System', 'Value' => $label]];
            }

            function {$module}_link(\$params)
            {
                return Bayar\\Whmcs\\Gateway::link(\$params, $line);
            }

            function {$module}_refund(\$params)
            {
                return Bayar\\Whmcs\\Gateway::refund(\$params);
            }

            function {$module}_TransactionInformation(\$params = [])
            {
                return Bayar\\Whmcs\\Gateway::information(\$params);
            }

            PHP;
    }
}
