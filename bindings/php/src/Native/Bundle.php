<?php

declare(strict_types=1);

namespace Bayar\Native;

use Bayar\Error;

/**
 * The built files that this package brings: lib/<machine>-linux-<libc>/libbayar-<version>.so and the
 * like, listed with size and SHA-256 in lib/manifest.json.
 *
 * Their names hold the version because a file that a running PHP has mapped must never be
 * overwritten: an update lies beside its predecessor.
 *
 * @internal
 */
final class Bundle
{
    /** dlopen: resolve lazily, and only if it is loaded already. GNU and musl agree on both. */
    private const RTLD_LAZY = 1, RTLD_NOLOAD = 4;

    /** @param array{version: string, abi: int, files: array<string, array{size: int, sha256: string}>} $manifest */
    private function __construct(private readonly string $directory, private readonly array $manifest) {}

    /** The one of a package; null where it brings nothing, as in the repository. */
    public static function in(string $directory): ?self
    {
        $file = "$directory/manifest.json";
        if (!is_file($file)) {
            return null;
        }
        $manifest = json_decode((string) file_get_contents($file), true);
        if (!is_array($manifest) || !isset($manifest['version'], $manifest['abi'], $manifest['files'])) {
            throw self::damaged("$file cannot be read");
        }
        return new self($directory, $manifest);
    }

    /** Of this package. */
    public static function own(): ?self
    {
        return self::in(dirname(__DIR__, 2) . '/lib');
    }

    /** The absolute path of the library for a platform, not yet verified; null where there is none. */
    public function library(string $platform): ?string
    {
        return $this->find("$platform/libbayar-{$this->manifest['version']}.so");
    }

    /** The same of the command `bayar`. */
    public function command(string $platform): ?string
    {
        return $this->find("$platform/bayar-{$this->manifest['version']}");
    }

    /** The header. */
    public function header(): ?string
    {
        return $this->find('bayar.ffi.h');
    }

    /** @return list<string> for which there are files: x86_64-linux-gnu */
    public function platforms(): array
    {
        $names = array_filter(array_keys($this->manifest['files']), fn(string $name) => str_contains($name, '/'));
        return array_values(array_unique(array_map(fn(string $name) => strtok($name, '/'), $names)));
    }

    /** What is there by that name and listed. What is listed and gone has been lost on the way here. */
    private function find(string $name): ?string
    {
        if (!isset($this->manifest['files'][$name])) {
            return null;
        }
        $path = "$this->directory/$name";
        return is_file($path) ? $path : throw self::damaged("$path is listed in manifest.json and not there");
    }

    /**
     * Sees to it that a library is the one that was packed, before a process loads it.
     *
     * To hash it in each request would take longer than a payment. Once a process has it, it keeps it
     * (the library is never unloaded), whatever becomes of the file: so what is loaded already was
     * verified when it was loaded, and a warm worker asks only the dynamic linker, which takes
     * microseconds.
     *
     * @throws Error
     */
    public function verify(string $path): void
    {
        if ($this->manifest['abi'] !== Library::ABI) {
            $what = "the files in $this->directory speak ABI {$this->manifest['abi']}, this package speaks " . Library::ABI;
            throw Error::refused('abi_mismatch', $what, 'Install the package anew, the whole of it.');
        }
        if (\FFI::cdef('void *dlopen(const char *, int);')->dlopen($path, self::RTLD_LAZY | self::RTLD_NOLOAD) === null) {
            $this->compare($path);
        }
    }

    /**
     * Compares a file with the manifest, in full.
     *
     * @throws Error
     */
    public function compare(string $path): void
    {
        $this->weigh($path);
        if (!hash_equals($this->entry($path)['sha256'], (string) hash_file('sha256', $path))) {
            throw self::damaged("$path does not have the SHA-256 of manifest.json");
        }
    }

    /**
     * Compares every file, those for other platforms included.
     *
     * @throws Error
     */
    public function compareAll(): void
    {
        array_map($this->compare(...), $this->files());
    }

    /**
     * Compares a file's size, which is what a broken upload changes.
     *
     * @throws Error
     */
    public function weigh(string $path): void
    {
        $expected = $this->entry($path)['size'];
        $found = @filesize($path);
        if ($found !== $expected) {
            throw self::damaged($found === false ? "$path is not there" : "$path has $found bytes, expected $expected");
        }
    }

    /** @return list<string> every listed file's absolute path, there or not */
    public function files(): array
    {
        return array_map(fn(string $name) => "$this->directory/$name", array_keys($this->manifest['files']));
    }

    /** @return array{size: int, sha256: string} */
    private function entry(string $path): array
    {
        return $this->manifest['files'][substr($path, strlen($this->directory) + 1)];
    }

    private static function damaged(string $what): Error
    {
        return Error::refused('hash', $what, 'Install the package anew; by FTP, in binary mode.');
    }
}
