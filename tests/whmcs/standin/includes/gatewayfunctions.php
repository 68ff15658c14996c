<?php

declare(strict_types=1);

use WHMCS\Database\Capsule;

function getGatewayVariables(string $module): array
{
    $values = Capsule::table('tblpaymentgateways')->where('gateway', $module)->pluck('value', 'setting')->all();
    $system = Capsule::table('tblconfiguration')->pluck('value', 'setting');
    return $values + ['type' => '', 'paymentmethod' => $module, 'companyname' => $system['CompanyName'], 'systemurl' => $system['SystemURL']];
}

function checkCbTransID(string $transaction): void
{
    if (Capsule::table('tblaccounts')->where('transid', $transaction)->exists()) {
        exit;
    }
}

function logTransaction(string $gateway, string|array $data, string $result): void
{
    $text = '';
    foreach ((array) $data as $name => $value) {
        $text .= "$name => $value\n";
    }
    Capsule::table('tblgatewaylog')->insert(['date' => date('Y-m-d H:i:s'), 'gateway' => $gateway, 'data' => $text, 'result' => $result]);
}
