<?php

declare(strict_types=1);

namespace Bayar\Native;

use Bayar\Documents;
use Bayar\Error;

/**
 * libbayar.so: where it is, and how its documents are read.
 *
 * @internal
 */
final class Library
{
    /** The version of the ABI that this package is written for. */
    public const ABI = 1;

    /** @var array<string, self> what this request has loaded */
    private static array $loaded = [];

    private function __construct(public readonly \FFI $c, public readonly string $path) {}

    /**
     * The library at $path, else at BAYAR_LIB, in this package, or of the system. What is named is
     * taken or refused; nothing else is tried then.
     *
     * @throws Error
     */
    public static function load(?string $path, ?string $header): self
    {
        $found = self::find($path);
        return self::$loaded[$found] ??= self::open($found, self::header($header));
    }

    /**
     * Where it is, by an absolute path.
     *
     * @throws Error library_not_found, saying where it was looked for
     */
    public static function find(?string $path): string
    {
        $named = self::named(['library' => $path, 'BAYAR_LIB' => getenv('BAYAR_LIB')]);
        if ($named !== null) {
            return $named;
        }
        $bundle = Bundle::own();
        $bundled = $bundle?->library(Platform::name());
        if ($bundled !== null) {
            return $bundled;
        }
        foreach (self::places() as $place) {
            if (is_file($place)) {
                return $place;
            }
        }
        $tried = [self::bundled($bundle), ...self::places()];
        throw self::missing('libbayar.so was not found; tried: ' . implode(', ', $tried), 'Install it, or set BAYAR_LIB to its absolute path.');
    }

    /** The first that is named, by an absolute path. */
    private static function named(array $sources): ?string
    {
        foreach ($sources as $source => $named) {
            if ($named === null || $named === false || $named === '') {
                continue;
            }
            if ($named[0] !== '/') {
                throw self::missing("$source is '$named', expected an absolute path", 'Name the library by an absolute path.');
            }
            return is_file($named) ? $named : throw self::missing("$source names $named, which is not there", 'Correct the path, or leave it out.');
        }
        return null;
    }

    /** @return list<string> where the system would have it */
    private static function places(): array
    {
        $soname = 'libbayar.so.' . self::ABI;
        $multiarch = Platform::machine() . '-linux-gnu';
        return ["/usr/local/lib/$soname", "/usr/lib/$multiarch/$soname", "/usr/lib64/$soname", "/usr/lib/$soname"];
    }

    /** What a search says of this package. */
    private static function bundled(?Bundle $bundle): string
    {
        $has = $bundle === null ? 'brings none' : 'brings those for ' . implode(', ', $bundle->platforms());
        return 'this package for ' . Platform::name() . " ($has)";
    }

    private static function open(string $path, string $header): self
    {
        $why = Platform::withoutFfi();
        if ($why !== null) {
            throw self::missing($why, 'Allow it, as `vendor/bin/bayar doctor` says, or name another mode.');
        }
        $bundle = Bundle::own();
        if ($bundle !== null && in_array($path, $bundle->files(), true)) {
            $bundle->verify($path);
        }
        try {
            $c = \FFI::cdef($header, $path);
        } catch (\FFI\Exception $e) {
            throw self::missing("$path cannot be used: {$e->getMessage()}", 'Install the library that belongs to this package and this machine.');
        }
        if ($c->bayar_abi_version() !== self::ABI) {
            $found = $c->bayar_abi_version();
            throw Error::refused('abi_mismatch', "$path speaks ABI $found, this package speaks " . self::ABI, 'Install package and library of one version.');
        }
        return new self($c, $path);
    }

    private static function header(?string $named): string
    {
        $own = [dirname(__DIR__, 2) . '/lib/bayar.ffi.h', dirname(__DIR__, 4) . '/include/bayar.ffi.h'];
        $tried = $named !== null ? [$named] : [...$own, '/usr/local/include/bayar.ffi.h', '/usr/include/bayar.ffi.h'];
        foreach ($tried as $place) {
            if (is_file($place)) {
                return file_get_contents($place);
            }
        }
        throw self::missing('bayar.ffi.h was not found; tried: ' . implode(', ', $tried), 'Install it beside this package.');
    }

    private static function missing(string $message, string $advice): Error
    {
        return Error::refused('library_not_found', $message, $advice);
    }

    /**
     * Calls a function whose last argument takes its document, and reads that.
     *
     * @return array<string, mixed>
     */
    public function call(string $function, #[\SensitiveParameter] mixed ...$arguments): array
    {
        $out = $this->c->new('bayar_doc *');
        $status = $this->c->$function(...[...$arguments, \FFI::addr($out)]);
        $document = $this->take($out);
        if ($status < 0) {
            throw $this->error($status, $document);
        }
        return $document;
    }

    /** Opens an engine. */
    public function openEngine(#[\SensitiveParameter] string $config): \FFI\CData
    {
        $out = $this->c->new('bayar_engine *');
        $err = $this->c->new('bayar_doc *');
        $status = $this->c->bayar_engine_open(self::ABI, $config, strlen($config), \FFI::addr($out), \FFI::addr($err));
        $document = $this->take($err);
        if ($status < 0) {
            throw $this->error($status, $document);
        }
        return $out;
    }

    /** Reads a document and frees it. Read as bytes of its length: it is not PHP that looks for the NUL. */
    private function take(\FFI\CData $doc): array
    {
        if (\FFI::isNull($doc)) {
            return [];
        }
        try {
            // A returned `const char *` would become a PHP string by itself, up to its NUL; JSON has only the last.
            return Documents::decode($this->c->bayar_doc_json($doc));
        } finally {
            $this->c->bayar_doc_free($doc);
        }
    }

    private function error(int $status, array $document): Error
    {
        $name = $this->c->bayar_status_name($status);
        return Error::of($document + ['code' => $name, 'message' => 'the library gave no reason'], $status);
    }
}
