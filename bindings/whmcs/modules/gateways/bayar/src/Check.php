<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;

/** A page for admins: whether the engine runs, what to register with the providers, what can be offered. */
final class Check
{
    private function __construct(private readonly Client $bayar, private readonly Settings $settings) {}

    /** @param array<string, mixed> $get $_GET: account, whose ways to pay are asked for */
    public static function request(array $get): Answer
    {
        if (!Host::isAdmin()) {
            return Answer::refuse('Sign in as an admin first.', Host::url());
        }
        try {
            $settings = Settings::load();
            $check = new self(Engine::open($settings), $settings);
            $page = $check->engine() . $check->accounts() . $check->channels(is_string($get['account'] ?? null) ? $get['account'] : '');
        } catch (Unusable|Error $e) {
            $page = '<p class="bad">' . Box::escape($e->getMessage()) . '</p>';
        }
        return Answer::page('Bayar: check', $page);
    }

    private function engine(): string
    {
        $described = $this->bayar->describe();
        $choices = array_map(static fn(Choice $choice) => "{$choice->name()} = $choice->label", array_values($this->settings->choices()));
        return self::table([
            'Engine' => 'runs, version ' . $this->bayar->version() . ', reached by ' . $this->bayar->mode()->value,
            'PHP' => PHP_VERSION . ', ' . PHP_SAPI,
            'Journal' => (string) ($described['journal'] ?? 'where the engine runs'),
            'Ways to pay that are offered' => $choices === [] ? 'none: fill in the setting' : implode("\n", $choices),
        ]);
    }

    private function accounts(): string
    {
        $page = '';
        foreach ($this->bayar->describe()['accounts'] as $account) {
            $name = $account['account'];
            $ask = array_intersect(['channels'], array_column($account['operations'], 'name')) === [] ? '' : "\n" . Host::url() . 'modules/gateways/bayar/check.php?account=' . rawurlencode($name);
            $page .= '<h2>' . Box::escape($name) . '</h2>' . self::table([
                'Provider' => "{$account['name']}, {$account['environment']}",
                'Callback address' => Charge::callbackUrl($name) . ($account['id'] === 'biller' ? '&token=(the callback token)' : ''),
                'To be registered' => $account['callback']['registration'] ?? 'no callbacks',
                'Ways to pay' => $ask === '' ? 'none' : trim($ask),
            ]);
        }
        return $page;
    }

    /** Asks the provider, and writes its answer as lines for the setting. */
    private function channels(string $account): string
    {
        if ($account === '') {
            return '';
        }
        try {
            $channels = $this->bayar->channels($account)->data['channels'];
        } catch (Error $e) {
            return '<p class="bad">' . Box::escape($e->getMessage()) . '</p>';
        }
        $lines = array_map(static fn(array $channel) => "$account/{$channel['id']} = {$channel['name']}", $channels);
        return '<h2>' . Box::escape("Ways to pay of $account, for the setting") . '</h2><pre>' . Box::escape(implode("\n", $lines)) . '</pre>';
    }

    /** @param array<string, string> $rows */
    private static function table(array $rows): string
    {
        $html = '';
        foreach ($rows as $name => $value) {
            $text = preg_replace('~(https?://\S+check\.php\?account=\S+)~', '<a href="$1">$1</a>', nl2br(Box::escape($value)));
            $html .= '<tr><th scope="row">' . Box::escape($name) . "</th><td>$text</td></tr>";
        }
        return "<table>$html</table>";
    }
}
