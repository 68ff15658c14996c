<?php

declare(strict_types=1);

// The gateway module that WHMCS loads. What each function does stands in bayar/src.

if (!defined('WHMCS')) {
    exit('This file is loaded by WHMCS.');
}

require_once __DIR__ . '/bayar/boot.php';

use Bayar\Whmcs\Gateway;
use WHMCS\Billing\Payment\Transaction\Information;
use WHMCS\Module\Gateway\BalanceCollection;

function bayar_MetaData(): array
{
    return Gateway::metaData('Bayar');
}

function bayar_config(): array
{
    return Gateway::config();
}

function bayar_link(array $params): string
{
    return Gateway::link($params);
}

function bayar_refund(array $params): array
{
    return Gateway::refund($params);
}

function bayar_TransactionInformation(array $params = []): Information
{
    return Gateway::information($params);
}

function bayar_account_balance(array $params = []): BalanceCollection
{
    return Gateway::balances();
}
