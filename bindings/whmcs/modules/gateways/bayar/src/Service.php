<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Error;

/** What WHMCS calls in the provisioning module bayarbiller. */
final class Service
{
    /** The settings of a product, in the order in which WHMCS numbers them. */
    public static function options(): array
    {
        return [
            'Product code' => ['Type' => 'text', 'Size' => '25', 'Description' => 'The biller\'s code of the product: s5'],
            'Field of the destination' => ['Type' => 'text', 'Size' => '25', 'Default' => 'Nomor tujuan', 'Description' => 'The custom field of the product in which clients write the phone or customer number'],
            'Account' => ['Type' => 'text', 'Size' => '25', 'Default' => 'biller', 'Description' => 'The biller\'s account of the engine'],
        ];
    }

    /** Buys the product. */
    public static function create(array $params): string
    {
        $product = trim((string) ($params['configoption1'] ?? ''));
        $field = trim((string) ($params['configoption2'] ?? '')) ?: 'Nomor tujuan';
        $account = trim((string) ($params['configoption3'] ?? '')) ?: 'biller';
        $destination = preg_replace('/[\s.-]+/', '', (string) ($params['customfields'][$field] ?? ''));
        if ($product === '' || $destination === '') {
            return $product === '' ? 'The product has no product code.' : "The custom field '$field' of the service is empty.";
        }
        try {
            Tables::ensure();
            $settings = Settings::load();
            return Purchase::buy(Engine::open($settings), $settings, (int) $params['serviceid'], $account, $product, $destination);
        } catch (Unusable|Error $e) {
            return $e->getMessage();
        }
    }

    /** What the client sees of it. */
    public static function clientArea(array $params): string
    {
        Tables::ensure();
        $purchase = Purchase::ofService((int) $params['serviceid']);
        if ($purchase === null) {
            return '';
        }
        $texts = Texts::here();
        $rows = ['purchase_destination' => $purchase->destination, 'purchase_status' => $texts->say("purchase_$purchase->status"), 'purchase_serial' => $purchase->serial];
        $html = '';
        foreach (array_filter($rows) as $name => $value) {
            $html .= '<dt>' . Box::escape($texts->say($name)) . "</dt><dd data-bayar=\"$name\">" . Box::escape($value) . '</dd>';
        }
        return "<dl class=\"bayar-purchase\">$html</dl>";
    }

    /** What the shop's people see of it. */
    public static function adminFields(array $params): array
    {
        Tables::ensure();
        $purchase = Purchase::ofService((int) $params['serviceid']);
        if ($purchase === null) {
            return ['Purchase' => 'none yet'];
        }
        $fields = ['Purchase' => "$purchase->orderId: $purchase->product for $purchase->destination", 'State' => $purchase->status, 'Serial number' => $purchase->serial, 'Why' => $purchase->reason, 'Intent' => $purchase->intent];
        return array_map(Box::escape(...), array_filter($fields));
    }
}
