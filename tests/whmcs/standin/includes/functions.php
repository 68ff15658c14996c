<?php

declare(strict_types=1);

// Hooks, logs and the local API.

use WHMCS\Database\Capsule;

$hooks = [];

function add_hook(string $event, int $priority, callable $do): void
{
    $GLOBALS['hooks'][$event][] = $do;
}

function run_hook(string $event, array $vars): void
{
    foreach ($GLOBALS['hooks'][$event] ?? [] as $do) {
        $do($vars);
    }
}

function logActivity(string $message, int $client = 0): void
{
    Capsule::table('tblactivitylog')->insert(['date' => date('Y-m-d H:i:s'), 'description' => $message, 'userid' => $client]);
}

function logModuleCall($module, $action, $request, $response, $data = '', $mask = []): void
{
    $text = static fn(mixed $value) => str_replace($mask, '***', is_string($value) ? $value : print_r($value, true));
    Capsule::table('tblmodulelog')->insert([
        'date' => date('Y-m-d H:i:s'), 'module' => $module, 'action' => $action,
        'request' => $text($request), 'response' => $text($response), 'arrdata' => $text($data),
    ]);
}

function localAPI(string $command, array $values = [], string $admin = ''): array
{
    return match ($command) {
        'GetInvoice' => standin_invoice((int) $values['invoiceid']),
        'GetClientsDetails' => standin_client((int) $values['clientid']),
        'UpdateClientProduct' => standin_service((int) $values['serviceid'], $values),
        default => throw new BadFunctionCallException($command),
    };
}

function standin_invoice(int $id): array
{
    $invoice = Capsule::table('tblinvoices')->where('id', $id)->first();
    if ($invoice === null) {
        return ['result' => 'error', 'message' => 'Invoice ID Not Found'];
    }
    return ['result' => 'success', 'invoiceid' => $id, 'balance' => number_format(standin_balance($invoice), 2, '.', '')] + (array) $invoice;
}

function standin_balance(stdClass $invoice): float
{
    $paid = Capsule::table('tblaccounts')->where('invoiceid', $invoice->id)->selectRaw('COALESCE(SUM(amountin) - SUM(amountout), 0) AS paid')->first()->paid;
    return (float) $invoice->total - (float) $paid;
}

function standin_client(int $id): array
{
    $client = (array) Capsule::table('tblclients')->where('id', $id)->first();
    return ['result' => 'success', 'client' => ['phonenumberformatted' => $client['phonenumber']] + $client];
}

function standin_service(int $id, array $values): array
{
    Capsule::table('tblhosting')->where('id', $id)->update(['domainstatus' => $values['status']]);
    return ['result' => 'success', 'serviceid' => $id];
}

/** A gateway module's file, once. */
function standin_gateway(string $module): void
{
    require_once ROOTDIR . "/modules/gateways/$module.php";
}

/** What a gateway's functions are given about an invoice. */
function standin_params(int $id, string $module): array
{
    $invoice = Capsule::table('tblinvoices')->where('id', $id)->first();
    $currency = Capsule::table('tblclients')->join('tblcurrencies', 'tblcurrencies.id', '=', 'tblclients.currency')->where('tblclients.id', $invoice->userid)->first(['tblcurrencies.*']);
    $settings = getGatewayVariables($module);
    $amount = standin_balance($invoice);
    $code = $currency->code;
    if (!empty($settings['convertto'])) {
        $into = Capsule::table('tblcurrencies')->where('id', $settings['convertto'])->first();
        [$amount, $code] = [round($amount / (float) $currency->rate * (float) $into->rate, 2), $into->code];
    }
    return [
        'invoiceid' => $id, 'description' => "Toko Contoh - Invoice #$id", 'amount' => number_format($amount, 2, '.', ''), 'currency' => $code,
        'clientdetails' => standin_client((int) $invoice->userid)['client'], 'paymentmethod' => $module,
        'returnurl' => $settings['systemurl'] . "viewinvoice.php?id=$id", 'langpaynow' => 'Pay Now', 'whmcsVersion' => '8.13.1',
    ] + $settings;
}
