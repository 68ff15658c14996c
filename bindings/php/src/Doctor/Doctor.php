<?php

declare(strict_types=1);

namespace Bayar\Doctor;

use Bayar\Error;
use Bayar\Native\Bundle;
use Bayar\Native\Library;
use Bayar\Native\Platform;

/**
 * Looks at this PHP and says what keeps Bayar from working in it, with the line to change and its file.
 *
 * Sends nothing. What it says holds for the PHP that runs it: a web server's is set up by other files.
 */
final class Doctor
{
    /** A clock that is this far behind the files of this package is wrong, in seconds. */
    private const LATE = 86400;

    /** Where systems keep the certificates that they trust. */
    private const ROOTS = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem', '/etc/ssl/ca-bundle.pem'];

    /**
     * @param array|string|null $config as of Client::open(); without one, accounts and journal are not
     *     looked at
     * @param ?string $socket likewise
     *
     * @return list<Finding>
     */
    public static function examine(#[\SensitiveParameter] array|string|null $config = null, ?string $socket = null): array
    {
        return [
            self::php(),
            self::ffi(),
            ...self::preload(),
            self::platform(),
            self::library(),
            self::proc(),
            self::curl(),
            ...self::traces(),
            self::clock(),
            ...($config === null && $socket === null ? [self::without()] : Engine::examine($config, $socket)),
        ];
    }

    /** @param list<Finding> $findings */
    public static function works(array $findings): bool
    {
        return !in_array(Level::Error, array_column($findings, 'level'), true);
    }

    private static function php(): Finding
    {
        $files = implode(' and ', Settings::places()) ?: 'no php.ini';
        $found = 'PHP ' . PHP_VERSION . ' (' . PHP_SAPI . "), set up by $files";
        return PHP_VERSION_ID >= 80100 ? Finding::ok('php', $found) : new Finding('php', Level::Error, "$found; 8.1 or later is needed", 'Install PHP 8.1 or later.');
    }

    /** Without FFI there are other ways; what is lacking is a warning, and no way at all an error of `mode`. */
    private static function ffi(): Finding
    {
        $why = Platform::withoutFfi();
        if ($why === null) {
            return Finding::ok('ffi', "loaded, and ffi.enable is '" . ini_get('ffi.enable') . "'");
        }
        $why .= '; without it a client goes to a daemon that is named, or starts a bayar of its own';
        if (!extension_loaded('ffi')) {
            return new Finding('ffi', Level::Warning, $why, 'extension = ffi', Settings::extensionFile('ffi'));
        }
        return new Finding('ffi', Level::Warning, $why, ...Settings::line('ffi.enable', '1'));
    }

    /** @return list<Finding> */
    private static function preload(): array
    {
        if (PHP_SAPI === 'cli' || strtolower((string) ini_get('ffi.enable')) !== 'preload') {
            return [];
        }
        if (Platform::withoutFfi() === null) {
            return [Finding::ok('preload', 'this package is preloaded')];
        }
        $script = dirname(__DIR__, 2) . '/bayar-preload.php';
        $already = (string) ini_get('opcache.preload');
        if ($already === '') {
            $what = 'instead of ffi.enable = 1, this package may be preloaded, for ffi.enable=preload allows FFI to what is; restart PHP afterwards';
            return [new Finding('preload', Level::Warning, $what, "opcache.preload = $script", Settings::file('opcache.preload'))];
        }
        return [new Finding('preload', Level::Warning, "$already is preloaded, and this package is not; restart PHP afterwards", "require '$script';", $already)];
    }

    private static function platform(): Finding
    {
        $name = Platform::name();
        $version = Platform::gnuVersion();
        $has = self::trying(fn() => Bundle::own()?->platforms() ?? []);
        if ($has instanceof Error) {
            return new Finding('platform', Level::Error, $has->document['message'], $has->advice);
        }
        $found = $name . ($version === null ? '' : ", GNU libc $version");
        if ($has === [] || in_array($name, $has, true)) {
            return Finding::ok('platform', $found);
        }
        return new Finding('platform', Level::Warning, "$found; this package brings files for " . implode(', ', $has), 'Install a library for this platform and name it by BAYAR_LIB.');
    }

    private static function library(): Finding
    {
        $library = self::trying(fn() => Library::find(null));
        if ($library instanceof Error) {
            $level = $library->name === 'library_not_found' ? Level::Warning : Level::Error;
            return new Finding('library', $level, $library->document['message'], $library->advice);
        }
        if (Platform::withoutFfi() !== null) {
            return new Finding('library', Level::Ok, "$library, not loaded without FFI");
        }
        $loaded = self::trying(fn() => Library::load(null, null));
        if ($loaded instanceof Error) {
            return new Finding('library', Level::Error, $loaded->document['message'], $loaded->advice);
        }
        // Whole files, not only what a client compares before it loads one.
        $damaged = self::trying(fn() => Bundle::own()?->compareAll());
        if ($damaged instanceof Error) {
            return new Finding('library', Level::Error, $damaged->document['message'], $damaged->advice);
        }
        return Finding::ok('library', "$library, version " . $loaded->c->bayar_version() . ', ABI ' . Library::ABI);
    }

    private static function proc(): Finding
    {
        if (!function_exists('proc_open')) {
            return new Finding('proc_open', Level::Warning, 'it is disabled; without FFI a client can start no bayar of its own', 'disable_functions = (without proc_open)', Settings::file('disable_functions'));
        }
        $command = self::trying(fn() => Bundle::own()?->command(Platform::name()));
        if (is_string($command) && !is_executable($command)) {
            return new Finding('proc_open', Level::Warning, "$command may not be started", "chmod 755 $command");
        }
        return Finding::ok('proc_open', 'programs may be started');
    }

    private static function curl(): Finding
    {
        if (!extension_loaded('curl')) {
            return new Finding('curl', Level::Warning, 'the extension is not loaded; a gateway cannot be used', 'extension = curl', Settings::extensionFile('curl'));
        }
        $places = array_filter([ini_get('curl.cainfo') ?: ini_get('openssl.cafile')]) ?: self::ROOTS;
        $there = array_filter($places, fn(string $place) => @is_readable($place));
        if ($there === []) {
            $found = 'no certificates at ' . implode(' or ', $places) . ': no gateway is trusted';
            return new Finding('tls', Level::Warning, $found, 'curl.cainfo = ' . self::ROOTS[0], Settings::file('curl.cainfo'));
        }
        return Finding::ok('tls', 'a gateway is verified by ' . reset($there) . ', a provider by what the engine brings (or its ca_file)');
    }

    /** @return list<Finding> */
    private static function traces(): array
    {
        // From 8.2 on what is sensitive is left out of them.
        if (PHP_VERSION_ID >= 80200 || ini_get('zend.exception_ignore_args')) {
            return [];
        }
        return [new Finding('traces', Level::Warning, 'PHP 8.1 writes arguments into stack traces, configurations among them', 'zend.exception_ignore_args = On', Settings::file('zend.exception_ignore_args'))];
    }

    private static function clock(): Finding
    {
        $now = gmdate('Y-m-d H:i:s') . ' UTC';
        if (time() < filemtime(__FILE__) - self::LATE) {
            return new Finding('clock', Level::Error, "it says $now, which is before this package was made: certificates and callbacks are refused", 'timedatectl set-ntp true');
        }
        $kept = @is_file('/run/systemd/timesync/synchronized') ? ', synchronised' : '';
        return Finding::ok('clock', $now . $kept);
    }

    private static function without(): Finding
    {
        return new Finding('configuration', Level::Warning, 'neither one nor a daemon was named: accounts and journal were not looked at', 'bayar doctor --config /etc/bayar/bayar.toml');
    }

    /** What it gives, or the error. */
    private static function trying(\Closure $action): mixed
    {
        try {
            return $action();
        } catch (Error $error) {
            return $error;
        }
    }
}
