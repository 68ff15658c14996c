<?php

declare(strict_types=1);

namespace Bayar\Native;

/**
 * What this machine runs, found without starting a program.
 *
 * @internal
 */
final class Platform
{
    /** The dynamic linkers. A program starts where its own is there. */
    private const LINKERS = [
        'gnu' => ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'],
        'musl' => ['/lib/ld-musl-x86_64.so.1', '/lib/ld-musl-aarch64.so.1'],
    ];

    /** As built files are named: x86_64-linux-gnu. */
    public static function name(): string
    {
        return self::machine() . '-' . strtolower(PHP_OS_FAMILY) . '-' . self::libc();
    }

    /** The machine that this PHP was built for: x86_64, aarch64. */
    public static function machine(): string
    {
        $machine = php_uname('m');
        // A 32-bit PHP may run on a 64-bit kernel.
        $names = PHP_INT_SIZE === 4 ? ['x86_64' => 'i686', 'aarch64' => 'armv7l'] : ['amd64' => 'x86_64', 'arm64' => 'aarch64'];
        return $names[$machine] ?? $machine;
    }

    /** Whose C library: gnu or musl. */
    public static function libc(): string
    {
        if (self::withoutFfi() === null) {
            // Asked of the one that this PHP itself runs on.
            return self::gnuVersion() === null ? 'musl' : 'gnu';
        }
        foreach (self::LINKERS as $libc => $linkers) {
            if (array_filter($linkers, fn(string $linker) => @is_file($linker))) {
                return $libc;
            }
        }
        return 'gnu';
    }

    /** The version of GNU's C library, 2.36; null for another one, and where it cannot be asked. */
    public static function gnuVersion(): ?string
    {
        try {
            return \FFI::cdef('const char *gnu_get_libc_version(void);')->gnu_get_libc_version();
        } catch (\Throwable) {
            return null;
        }
    }

    /** Why FFI cannot be used here; null where it can. */
    public static function withoutFfi(): ?string
    {
        if (!extension_loaded('ffi')) {
            return 'the PHP extension FFI is not loaded';
        }
        try {
            \FFI::cdef('');
            return null;
        } catch (\Throwable) {
            return "ffi.enable is '" . ini_get('ffi.enable') . "', which does not allow it in " . PHP_SAPI;
        }
    }
}
