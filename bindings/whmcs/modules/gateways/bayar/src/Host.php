<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use WHMCS\Database\Capsule;

/** WHMCS: its documented functions, and those of its tables that it documents no function for. */
final class Host
{
    public static function invoice(int $id): ?Invoice
    {
        $found = localAPI('GetInvoice', ['invoiceid' => $id]);
        if (($found['result'] ?? '') !== 'success') {
            return null;
        }
        $user = (int) $found['userid'];
        $balance = number_format((float) $found['balance'], 2, '.', '');
        return new Invoice($id, $user, (string) $found['status'], $balance, self::currencyOf($user));
    }

    /** The settings of a gateway module; empty where it is not active. */
    public static function gateway(string $module): array
    {
        self::functions('gateway', 'getGatewayVariables');
        $settings = getGatewayVariables($module);
        return empty($settings['type']) ? [] : $settings;
    }

    /** @return array<string, mixed> */
    public static function client(int $id): array
    {
        $found = localAPI('GetClientsDetails', ['clientid' => $id, 'stats' => false]);
        return $found['client'] ?? $found;
    }

    /** Records a payment on an invoice. WHMCS takes amounts as floats; those of a payment are exact in one. */
    public static function addPayment(Attempt $attempt, string $transaction, float $amount, float $fee): void
    {
        self::functions('invoice', 'addInvoicePayment');
        addInvoicePayment($attempt->invoice, $transaction, $amount, $fee, $attempt->gateway);
    }

    /** Takes a recorded payment back. */
    public static function reverse(string $reversal, string $transaction): void
    {
        self::functions('invoice', 'paymentReversed');
        paymentReversed($reversal, $transaction);
    }

    /** Whether a transaction stands in WHMCS's books. */
    public static function recorded(string $transaction): bool
    {
        return Capsule::table('tblaccounts')->where('transid', $transaction)->exists();
    }

    /** @return array{int, float} how often a transaction was refunded so far, and how much of it */
    public static function refunded(string $transaction): array
    {
        $original = Capsule::table('tblaccounts')->where('transid', $transaction)->value('id');
        $refunds = Capsule::table('tblaccounts')->where('refundid', $original ?? -1);
        return [$refunds->count(), (float) $refunds->sum('amountout')];
    }

    /** The rate of a currency against the shop's default one; null where there is no such currency. */
    public static function rate(string $currency): ?float
    {
        $rate = Capsule::table('tblcurrencies')->where('code', $currency)->value('rate');
        return $rate === null ? null : (float) $rate;
    }

    /** Where the shop's pages are, ending in a slash. */
    public static function url(): string
    {
        return rtrim((string) Capsule::table('tblconfiguration')->where('setting', 'SystemURL')->value('value'), '/') . '/';
    }

    /** The directory that WHMCS is installed in. */
    public static function root(): string
    {
        return dirname(__DIR__, 4);
    }

    /**
     * The language of whoever is looking, by WHMCS's name of it.
     *
     * @param string $usual that of a client, where nobody has chosen one: in an e-mail
     */
    public static function language(bool $admin = false, string $usual = ''): string
    {
        $chosen = ($_SESSION[$admin ? 'adminlang' : 'Language'] ?? '') ?: $usual;
        return $chosen !== '' ? (string) $chosen : (string) Capsule::table('tblconfiguration')->where('setting', 'Language')->value('value');
    }

    /** The client who is signed in here. */
    public static function signedIn(): ?int
    {
        return (new \WHMCS\Authentication\CurrentUser())->client()?->id;
    }

    public static function isAdmin(): bool
    {
        return (new \WHMCS\Authentication\CurrentUser())->isAuthenticatedAdmin();
    }

    /**
     * Writes to the gateway log.
     *
     * @param array<string, scalar|null> $what never a body, a header or a parameter of a provider's
     */
    public static function log(string $gateway, array $what, string $result): void
    {
        self::functions('gateway', 'logTransaction');
        logTransaction($gateway, array_filter($what, static fn(mixed $value) => $value !== null && $value !== ''), $result);
    }

    /**
     * Writes to the module log, which shops switch on to look for trouble.
     *
     * @param list<string> $secrets WHMCS masks them wherever they stand
     */
    public static function logCall(string $action, array $request, array|string $answer, array $secrets): void
    {
        logModuleCall('bayar', $action, $request, $answer, '', $secrets);
    }

    /** Asks the shop's people to look at something; once, until they have done it. */
    public static function remind(string $title, string $text): void
    {
        $list = Capsule::table('tbltodolist');
        if ((clone $list)->where('title', $title)->where('status', '<>', 'Completed')->exists()) {
            return;
        }
        $today = date('Y-m-d');
        $list->insert(['date' => $today, 'title' => $title, 'description' => $text, 'admin' => 0, 'status' => 'New', 'duedate' => $today]);
        logActivity("Bayar: $title");
    }

    private static function currencyOf(int $user): string
    {
        return (string) Capsule::table('tblclients')->join('tblcurrencies', 'tblcurrencies.id', '=', 'tblclients.currency')
            ->where('tblclients.id', $user)->value('tblcurrencies.code');
    }

    /** Hooks and cron begin without the files that callbacks and payment pages load. */
    private static function functions(string $file, string $one): void
    {
        if (!function_exists($one)) {
            require_once self::root() . "/includes/{$file}functions.php";
        }
    }
}
