<?php

declare(strict_types=1);

// Loaded from includes/hooks and, by versions of WHMCS that do so, from here: once either way.

if (!defined('WHMCS')) {
    exit('This file is loaded by WHMCS.');
}
// The module needs PHP 8.1; WHMCS's cron must not fail because a server has an older one.
if (defined('BAYAR_HOOKS') || PHP_VERSION_ID < 80100) {
    return;
}
define('BAYAR_HOOKS', true);

// Payments whose callback was lost, and what became of those that nobody heard of.
add_hook('AfterCronJob', 1, static function (): void {
    require_once __DIR__ . '/boot.php';
    Bayar\Whmcs\Recovery::cron();
});

// What nobody is to pay any more is withdrawn.
foreach (['InvoiceCancelled', 'InvoicePaid'] as $event) {
    add_hook($event, 1, static function (array $vars): void {
        require_once __DIR__ . '/boot.php';
        Bayar\Whmcs\Withdrawal::ofInvoice((int) $vars['invoiceid']);
    });
}
