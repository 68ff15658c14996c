<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/**
 * The command `vendor/bin/bayar`.
 *
 * @internal
 */
final class Command
{
    private const USAGE = <<<'TEXT'
        Looks at this PHP and says what keeps Bayar from working in it. Sends nothing.

            bayar doctor [--config FILE] [--socket PATH] [--json]
            bayar check-page DIRECTORY [--config FILE] [--socket PATH] [--minutes 60]

        doctor looks at the PHP of the command line; a web server's is set up by other files. check-page
        makes a page in a directory of the web server, which shows the same of that one to whoever has
        the token that is printed. Ends with 0, or with 1 where something does not work.

        TEXT;

    /**
     * @param list<string> $arguments without the command's own name
     * @param string $loader the file that a page is to load, autoload.php or bayar.php
     *
     * @return int what to exit with
     */
    public static function run(array $arguments, string $loader): int
    {
        $options = [];
        $words = [];
        while (($argument = array_shift($arguments)) !== null) {
            if (in_array($argument, ['--config', '--socket', '--minutes'], true)) {
                $options[$argument] = array_shift($arguments) ?? '';
            } elseif ($argument === '--json') {
                $options[$argument] = true;
            } else {
                $words[] = $argument;
            }
        }
        $socket = $options['--socket'] ?? null;
        $config = $options['--config'] ?? ($socket === null ? getenv('BAYAR_CONFIG') ?: null : null);
        return match (true) {
            $words === ['doctor'] => self::doctor($config, $socket, isset($options['--json'])),
            count($words) === 2 && $words[0] === 'check-page' => self::page($words[1], $config, $socket, (int) ($options['--minutes'] ?? 60), $loader),
            default => self::usage($words),
        };
    }

    private static function doctor(?string $config, ?string $socket, bool $json): int
    {
        $findings = Doctor::examine($config, $socket);
        if ($json) {
            echo json_encode(['sapi' => PHP_SAPI, 'findings' => $findings], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
        } else {
            echo 'This is the PHP of the command line (' . PHP_SAPI . "); for the web server's: bayar check-page DIRECTORY\n\n", Text::of($findings);
        }
        return Doctor::works($findings) ? 0 : 1;
    }

    private static function page(string $directory, ?string $config, ?string $socket, int $minutes, string $loader): int
    {
        $file = rtrim($directory, '/') . '/bayar-check-' . bin2hex(random_bytes(4)) . '.php';
        $token = rtrim(strtr(base64_encode(random_bytes(24)), '+/', '-_'), '=');
        $until = time() + max(1, $minutes) * 60;
        $text = "<?php\n\n// Made by `bayar check-page`; not there any more after " . gmdate('Y-m-d H:i', $until) . " UTC. Delete it.\n\nrequire " . var_export(realpath($loader), true) . ";\n\n"
            . 'Bayar\Doctor\Page::answer(' . var_export(hash('sha256', $token), true) . ", $until, "
            . var_export($config === null ? null : (realpath($config) ?: $config), true) . ', ' . var_export($socket, true) . ");\n";
        if (@file_put_contents($file, $text) === false) {
            fwrite(STDERR, "$file cannot be written; name a directory that the web server serves\n");
            return 1;
        }
        echo "made    $file\ntoken   $token\nuntil   ", gmdate('Y-m-d H:i', $until), " UTC\n\nOpen it in a browser, give it the token, and delete it afterwards.\n";
        return 0;
    }

    /** @param list<string> $words */
    private static function usage(array $words): int
    {
        fwrite($words === [] || $words === ['help'] || $words === ['--help'] ? STDOUT : STDERR, self::USAGE);
        return $words === ['help'] || $words === ['--help'] ? 0 : 1;
    }
}
