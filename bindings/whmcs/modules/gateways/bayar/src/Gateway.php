<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;
use WHMCS\Billing\Payment\Transaction\Information;
use WHMCS\Carbon;
use WHMCS\Module\Gateway\Balance;
use WHMCS\Module\Gateway\BalanceCollection;

/** What WHMCS calls in a gateway module, for bayar.php and the aliases. */
final class Gateway
{
    public static function metaData(string $name): array
    {
        return ['DisplayName' => $name, 'APIVersion' => '1.1'];
    }

    public static function config(): array
    {
        return Config::fields(Texts::of(Host::language(true)), Host::url() . 'modules/gateways/bayar/check.php');
    }

    /**
     * The payment box of an invoice. It only looks into the database: a page must not wait for a
     * provider.
     *
     * @param string $only an alias's one way to pay, as a line of the setting; '' for all
     */
    public static function link(array $params, string $only = ''): string
    {
        $texts = Texts::here((string) ($params['clientdetails']['language'] ?? ''));
        try {
            Tables::ensure();
            $choices = $only === '' ? Settings::load()->choices() : [Choice::read($only)];
            return self::box($params, $only, array_values($choices), $texts);
        } catch (Unusable) {
            return Box::sentence($texts->say('unavailable'));
        }
    }

    private static function box(array $params, string $only, array $choices, Texts $texts): string
    {
        $invoice = Host::invoice((int) $params['invoiceid']);
        if ($invoice === null || !$invoice->payable()) {
            return '';
        }
        $amount = $params['currency'] === 'IDR' ? Rupiah::of((string) $params['amount']) : null;
        if ($amount === null) {
            return Box::sentence($texts->say('not_rupiah', ['currency' => (string) $params['currency']]));
        }
        $attempts = new Attempts();
        $last = $attempts->last($invoice->id);
        $open = $last?->open ? $last : $attempts->open($invoice->id);
        $quote = new Quote($invoice->id, $invoice->user, ($last?->number ?? 0) + 1, (string) $params['paymentmethod'], $only, $amount, $invoice->balance, $invoice->currency, time());
        $box = new Box($texts, Host::url() . 'modules/gateways/bayar/pay.php', $quote, time());
        if ($open !== null && !($open->overdue(time()) && $open->status !== 'unknown')) {
            return $box->attempt($open);
        }
        return $choices === [] ? Box::sentence($texts->say('unavailable')) : $box->choose($choices, $last);
    }

    public static function refund(array $params): array
    {
        try {
            Tables::ensure();
            [$bayar, $settings] = self::open();
            return (new Refund($bayar, $settings))->give($params);
        } catch (Unusable|Error $e) {
            return ['status' => 'error', 'rawdata' => $e->getMessage()];
        }
    }

    /** What an admin sees who clicks on a transaction. */
    public static function information(array $params): Information
    {
        Tables::ensure();
        $attempt = (new Attempts())->ofTransaction((string) $params['transactionId']);
        $information = (new Information())->setTransactionId((string) $params['transactionId']);
        if ($attempt === null) {
            return $information->setDescription('Not recorded by Bayar.');
        }
        try {
            [$bayar] = self::open();
            $intent = $bayar->intent((string) $attempt->intent)['intent'];
        } catch (Unusable|Error $e) {
            return $information->setDescription($e->getMessage());
        }
        return $information
            ->setAmount($attempt->amount)
            ->setCurrency('IDR')
            ->setType('payment')
            ->setCreated(Carbon::createFromTimestamp($attempt->createdAt))
            ->setDescription("$attempt->label, order $attempt->orderId")
            ->setFee((float) ($intent['outcome']['fee'] ?? 0))
            ->setStatus($intent['state'])
            ->setAdditionalDatum('Account', $attempt->account)
            ->setAdditionalDatum('Reference', $intent['reference'])
            ->setAdditionalDatum('Reference of the provider', $intent['provider_reference'] ?? '')
            ->setAdditionalDatum('Intent', $intent['id']);
    }

    /** What lies with the providers that tell. WHMCS's page of transactions must not fail because one does not. */
    public static function balances(): BalanceCollection
    {
        $balances = [];
        try {
            [$bayar, $settings] = self::open();
            foreach (array_unique(array_column($settings->choices(), 'account')) as $account) {
                $balances[] = self::balance($bayar, $account);
            }
        } catch (Unusable|Error $e) {
            logActivity('Bayar: no balances, ' . $e->getMessage());
        }
        return BalanceCollection::factoryFromItems(...array_filter($balances));
    }

    private static function balance(Client $bayar, string $account): ?Balance
    {
        // K-Link has balances of members, none of the shop's.
        if ($bayar->describe($account)['id'] === 'klink' || !$bayar->supports($account, 'balance')) {
            return null;
        }
        return Balance::factory((float) $bayar->call($account, 'balance')->data['balance'], 'IDR');
    }

    /** @return array{Client, Settings} */
    private static function open(): array
    {
        $settings = Settings::load();
        return [Engine::open($settings), $settings];
    }
}
