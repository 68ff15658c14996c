<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/**
 * The doctor for the web server's PHP, as a page.
 *
 * It shows nothing but a field for a token until it is given that, and nothing at all after its time:
 * what it says (paths, versions, account names) helps an attacker. `bayar check-page` makes a file
 * that calls answer(); a framework calls it in a route of its own.
 */
final class Page
{
    /**
     * Answers a request for it.
     *
     * @param string $tokenSha256 the SHA-256 of the token, in hexadecimal; of a token that was drawn at
     *     random, at least 16 bytes
     * @param int $until seconds since 1970-01-01 UTC, after which the page is not there any more
     * @param ?string $config the path of the configuration to look at
     * @param ?string $socket that of the daemon's socket, where a daemon has it
     */
    public static function answer(string $tokenSha256, int $until, ?string $config = null, ?string $socket = null): void
    {
        header('Cache-Control: no-store');
        header('X-Robots-Tag: noindex, nofollow');
        header("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
        if (time() > $until || !preg_match('/^[0-9a-f]{64}$/D', $tokenSha256)) {
            http_response_code(404);
            echo 'Not Found';
            return;
        }
        if (!self::isPrivate()) {
            http_response_code(403);
            echo self::html('<p>Open this page by https: the token would cross the network for all to read.</p>');
            return;
        }
        $token = $_POST['token'] ?? null;
        if (!is_string($token)) {
            echo self::html(self::FORM);
            return;
        }
        if (!hash_equals($tokenSha256, hash('sha256', trim($token)))) {
            http_response_code(403);
            echo self::html('<p>That is not the token.</p>' . self::FORM);
            return;
        }
        echo self::html(self::table(Doctor::examine($config, $socket)));
    }

    private const FORM = '<form method="post"><label>Token, as <code>bayar check-page</code> printed it<br>'
        . '<input type="password" name="token" autocomplete="off" required autofocus></label> <button>Look</button></form>';

    /** Whether nobody reads along. A proxy says how it was asked; one who lies about that harms himself. */
    private static function isPrivate(): bool
    {
        $https = $_SERVER['HTTPS'] ?? '';
        $forwarded = $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '';
        $from = $_SERVER['REMOTE_ADDR'] ?? '';
        return ($https !== '' && $https !== 'off') || $forwarded === 'https' || $from === '::1' || str_starts_with($from, '127.');
    }

    /** @param list<Finding> $findings */
    private static function table(array $findings): string
    {
        $rows = '';
        foreach ($findings as $finding) {
            $change = ($finding->change === null ? '' : '<pre>' . self::escaped($finding->change) . '</pre>')
                . ($finding->file === null ? '' : 'in <code>' . self::escaped($finding->file) . '</code>');
            $level = $finding->level->value;
            $rows .= "<tr class=\"$level\"><td>$level</td><th>" . self::escaped($finding->subject) . '</th><td>' . self::escaped($finding->found) . "$change</td></tr>\n";
        }
        return "<table>$rows</table><p>Delete this file now.</p>";
    }

    private static function html(string $body): string
    {
        $sapi = self::escaped(PHP_SAPI);
        return <<<HTML
            <!DOCTYPE html>
            <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Bayar: this web server's PHP</title>
            <style>
            body { font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
            table { border-collapse: collapse } td, th { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-top: 1px solid #ccc }
            pre { margin: .3rem 0; padding: .3rem .5rem; background: #eee; white-space: pre-wrap }
            .error td:first-child { color: #b00; font-weight: bold } .warning td:first-child { color: #850 }
            </style>
            <h1>Bayar: this web server's PHP ($sapi)</h1>
            $body
            </html>
            HTML;
    }

    private static function escaped(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }
}
