<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/**
 * Where the engine keeps its journal when its settings are typed into WHMCS.
 *
 * It holds payers' data, so it must not lie where a browser can fetch it.
 */
final class Journal
{
    /** Beside the directory of WHMCS: /home/shop/bayar for /home/shop/public_html. */
    public static function usual(): string
    {
        return dirname(Host::root()) . '/bayar';
    }

    /**
     * The folder, made where it is missing.
     *
     * @throws Unusable where it would be reachable from outside, or cannot be written
     */
    public static function folder(string $named): string
    {
        $folder = $named === '' ? self::usual() : rtrim($named, '/');
        if (!str_starts_with($folder, '/') || str_contains("$folder/", '/../')) {
            throw new Unusable("The journal's folder is '$folder', expected is an absolute path without '..'.");
        }
        foreach (self::served() as $tree) {
            if (str_starts_with(self::real($folder) . '/', rtrim($tree, '/') . '/')) {
                throw new Unusable("The journal's folder $folder lies under $tree, which the web server hands out. Choose one outside, such as " . dirname($tree) . '/bayar.');
            }
        }
        if (!is_dir($folder) && !@mkdir($folder, 0700, true) && !is_dir($folder)) {
            throw new Unusable("The journal's folder $folder cannot be made. Make it for the user that PHP runs as: install -d -m 700 -o " . self::user() . " $folder");
        }
        if (!is_writable($folder)) {
            throw new Unusable("The journal's folder $folder cannot be written. Give it to the user that PHP runs as: chown " . self::user() . " $folder");
        }
        return $folder;
    }

    /** @return list<string> what is served to browsers: WHMCS itself, and the site that it is part of */
    private static function served(): array
    {
        $site = $_SERVER['DOCUMENT_ROOT'] ?? '';
        return array_values(array_filter([realpath(Host::root()), $site === '' ? false : realpath($site)]));
    }

    /** Where a path that may not be there yet will really be. */
    private static function real(string $path): string
    {
        for ($above = $path, $rest = ''; !file_exists($above) && $above !== '/'; $above = dirname($above)) {
            $rest = '/' . basename($above) . $rest;
        }
        return rtrim((string) realpath($above), '/') . $rest;
    }

    private static function user(): string
    {
        return function_exists('posix_geteuid') ? posix_getpwuid(posix_geteuid())['name'] ?? (string) posix_geteuid() : get_current_user();
    }
}
