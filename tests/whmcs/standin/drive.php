<?php

declare(strict_types=1);

// A test calls what WHMCS would: php drive.php FUNCTION '[ARGUMENTS]' prints what it gives as JSON.

require_once __DIR__ . '/init.php';
require_once __DIR__ . '/includes/gatewayfunctions.php';
require_once __DIR__ . '/includes/invoicefunctions.php';

standin_gateway('bayar');
require_once __DIR__ . '/modules/servers/bayarbiller/bayarbiller.php';

/** An order of a service is paid, or an admin presses Create. */
function standin_create(int $service): string
{
    $hosting = WHMCS\Database\Capsule::table('tblhosting')->join('tblproducts', 'tblproducts.id', '=', 'tblhosting.packageid')->where('tblhosting.id', $service)->first();
    $answer = bayarbiller_CreateAccount(standin_module($service, $hosting));
    if ($answer === 'success') {
        localAPI('UpdateClientProduct', ['serviceid' => $service, 'status' => 'Active']);
    }
    return $answer;
}

function standin_module(int $service, stdClass $hosting): array
{
    $fields = WHMCS\Database\Capsule::table('tblcustomfieldsvalues')->join('tblcustomfields', 'tblcustomfields.id', '=', 'tblcustomfieldsvalues.fieldid')
        ->where('tblcustomfieldsvalues.relid', $service)->pluck('value', 'fieldname')->all();
    return ['serviceid' => $service, 'userid' => $hosting->userid, 'pid' => $hosting->packageid, 'customfields' => $fields,
        'configoption1' => $hosting->configoption1, 'configoption2' => $hosting->configoption2, 'configoption3' => $hosting->configoption3];
}

function standin_link(int $invoice): string
{
    $module = WHMCS\Database\Capsule::table('tblinvoices')->where('id', $invoice)->value('paymentmethod');
    standin_gateway($module);
    return ($module . '_link')(standin_params($invoice, $module));
}

/**
 * What the module makes of a finding about an invoice's attempt: what was asked, paid, with changes.
 *
 * @param ?array<string, mixed> $callback what the engine is told of it before
 */
function standin_settle(int $invoice, array $changes, ?array $callback): string
{
    $settings = Bayar\Whmcs\Settings::load();
    $bayar = Bayar\Whmcs\Engine::open($settings);
    $attempt = (new Bayar\Whmcs\Attempts())->last($invoice);
    if ($callback !== null) {
        $bayar->callback($attempt->account, $callback['body'], $callback['headers']);
    }
    $changes['status'] = Bayar\Status::from($changes['status'] ?? 'paid');
    $parts = ['account' => $attempt->account, 'orderId' => $attempt->orderId, 'intent' => $attempt->intent, 'amount' => $attempt->amount, 'payable' => $attempt->payable];
    $finding = new Bayar\Whmcs\Finding(...array_merge($parts, $changes));
    return (new Bayar\Whmcs\Credit($bayar, $settings))->settle($attempt, $finding)->value;
}

/** As an admin changes an invoice's status. */
function standin_cancel(int $invoice): void
{
    WHMCS\Database\Capsule::table('tblinvoices')->where('id', $invoice)->update(['status' => 'Cancelled']);
    run_hook('InvoiceCancelled', ['invoiceid' => $invoice]);
}

[, $function, $arguments] = $argv + [2 => '[]'];
echo json_encode($function(...json_decode($arguments, true, 16, JSON_THROW_ON_ERROR)), JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
