<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/**
 * In which file a setting of this PHP is, or belongs. The command line and the web server's PHP have
 * files of their own: what is said here holds for the PHP that says it.
 *
 * @internal
 */
final class Settings
{
    /** Where php-fpm's pools are described, by distribution; %s is PHP's version, 8.2. */
    private const POOLS = ['/etc/php/%s/fpm/pool.d/*.conf', '/etc/php-fpm.d/*.conf', '/usr/local/etc/php-fpm.d/*.conf', '/etc/php*/php-fpm.d/*.conf'];

    /** @return list<string> the files that this PHP has read, the later ones winning */
    public static function files(): array
    {
        $scanned = array_map('trim', explode(',', (string) php_ini_scanned_files()));
        return array_values(array_filter([php_ini_loaded_file() ?: '', ...$scanned]));
    }

    /** @return list<string> the same, short: php.ini, and the folders of the others */
    public static function places(): array
    {
        $main = php_ini_loaded_file() ?: null;
        $folders = array_map(fn(string $file) => dirname($file) . '/*.ini', array_diff(self::files(), [$main]));
        return array_values(array_filter([$main, ...array_unique($folders)]));
    }

    /** The file in which a directive is set; where it is in none, the one that it belongs into. */
    public static function file(string $directive): string
    {
        $found = php_ini_loaded_file() ?: (PHP_CONFIG_FILE_PATH ?: '/etc') . '/php.ini';
        foreach (self::files() as $file) {
            if (preg_match('/^\s*' . preg_quote($directive, '/') . '\s*=/m', (string) @file_get_contents($file))) {
                $found = $file;
            }
        }
        return $found;
    }

    /** The file for a new extension: beside the others. */
    public static function extensionFile(string $extension): string
    {
        foreach (self::files() as $file) {
            if (str_contains(basename(dirname($file)), '.d')) {
                return dirname($file) . "/20-$extension.ini";
            }
        }
        return self::file('extension');
    }

    /**
     * A directive of the system's as it is to be written, and where: a line in php-fpm's pool, else in
     * php.ini.
     *
     * @return array{string, string}
     */
    public static function line(string $directive, string $value): array
    {
        return PHP_SAPI === 'fpm-fcgi'
            ? ["php_admin_value[$directive] = $value", self::pool()]
            : ["$directive = $value", self::file($directive)];
    }

    /** The file of the pool that this worker belongs to. */
    private static function pool(): string
    {
        $name = function_exists('fpm_get_status') ? (@fpm_get_status()['pool'] ?? 'www') : 'www';
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        foreach (self::POOLS as $pattern) {
            foreach (glob(sprintf($pattern, $version)) ?: [] as $file) {
                if (preg_match('/^\s*\[' . preg_quote($name, '/') . '\]/m', (string) @file_get_contents($file))) {
                    return $file;
                }
            }
        }
        return "the section [$name] of php-fpm's configuration (php-fpm -tt lists it)";
    }
}
