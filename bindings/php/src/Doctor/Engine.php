<?php

declare(strict_types=1);

namespace Bayar\Doctor;

use Bayar\Client;
use Bayar\Error;

/**
 * What the engine says of a configuration: how it is reached, plugins, accounts, journal.
 *
 * @internal
 */
final class Engine
{
    /** @return list<Finding> */
    public static function examine(#[\SensitiveParameter] array|string|null $config, ?string $socket): array
    {
        try {
            $bayar = Client::open($config, socket: $socket);
            $description = $bayar->describe();
            return [
                Finding::ok('mode', "a client runs in the mode '{$bayar->mode()->value}', engine {$description['bayar']}"),
                ...self::plugins($description['plugins']),
                ...array_map(self::account(...), $description['accounts']),
                ...self::wouldBeRoots($description['journal']) ?? self::found($bayar->call('bayar', 'doctor')->data),
            ];
        } catch (Error $error) {
            return [new Finding($config === null ? 'mode' : 'configuration', Level::Error, $error->document['message'], $error->advice, self::file($config))];
        }
    }

    /** @return list<Finding> */
    private static function plugins(array $plugins): array
    {
        $findings = [];
        foreach ($plugins as $plugin) {
            if (isset($plugin['error'])) {
                $error = $plugin['error'];
                $findings[] = new Finding('plugins', Level::Error, "{$plugin['id']}: {$error['message']}", $error['advice'] ?? null);
            }
        }
        $whole = array_column(array_filter($plugins, fn(array $plugin) => !isset($plugin['error'])), 'id');
        return $whole === [] ? $findings : [Finding::ok('plugins', implode(', ', $whole)), ...$findings];
    }

    private static function account(array $account): Finding
    {
        return Finding::ok('account', "{$account['account']}: {$account['id']}, {$account['environment']}");
    }

    /**
     * To look into a journal that is not there makes it; root must not, where another user is to write it.
     *
     * @return ?list<Finding>
     */
    private static function wouldBeRoots(string $journal): ?array
    {
        $path = str_starts_with($journal, 'sqlite:') ? substr($journal, 7) : null;
        if ($path === null || file_exists($path) || !function_exists('posix_geteuid') || posix_geteuid() !== 0) {
            return null;
        }
        $found = "$path is not there yet; as root it was not looked at, or it would be made, and be root's own";
        return [new Finding('journal', Level::Warning, $found, 'sudo -u www-data vendor/bin/bayar doctor, as the user of the web server')];
    }

    /** @return list<Finding> what the engine itself found; an error is one of the journal */
    private static function found(array $report): array
    {
        $findings = [];
        foreach ($report['findings'] as $finding) {
            [$subject, $level] = $finding['level'] === 'error' ? ['journal', Level::Error] : ['engine', Level::Warning];
            $findings[] = new Finding($subject, $level, $finding['finding']);
        }
        $works = !in_array(Level::Error, array_column($findings, 'level'), true);
        return $works ? [Finding::ok('journal', $report['journal']), ...$findings] : $findings;
    }

    /** The file that a configuration is. */
    private static function file(#[\SensitiveParameter] array|string|null $config): ?string
    {
        $file = is_array($config) ? $config['file'] ?? null : $config;
        return is_string($file) && !str_contains($file, "\n") ? $file : null;
    }
}
