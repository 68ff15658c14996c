<?php

declare(strict_types=1);

// Buys a prepaid product (phone credit, an electricity token) through a biller when its order is paid.

if (!defined('WHMCS')) {
    exit('This file is loaded by WHMCS.');
}

require_once __DIR__ . '/../../gateways/bayar/boot.php';

use Bayar\Whmcs\Service;

function bayarbiller_MetaData(): array
{
    return ['DisplayName' => 'Bayar: prepaid products', 'APIVersion' => '1.1', 'RequiresServer' => false];
}

function bayarbiller_ConfigOptions(): array
{
    return Service::options();
}

function bayarbiller_CreateAccount(array $params): string
{
    return Service::create($params);
}

function bayarbiller_ClientArea(array $params): string
{
    return Service::clientArea($params);
}

function bayarbiller_AdminServicesTabFields(array $params): array
{
    return Service::adminFields($params);
}
