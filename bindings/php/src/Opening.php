<?php

declare(strict_types=1);

namespace Bayar;

use Bayar\Native\Bundle;
use Bayar\Native\Library;
use Bayar\Native\Platform;

/**
 * How a client reaches the engine: what was given, and what of it can be used here.
 *
 * Only what is named and installed decides, never whether something answers. A daemon that restarts
 * must not have its callers keep another journal meanwhile, in which no payment of theirs is known.
 *
 * @internal
 */
final class Opening
{
    private readonly ?Secret $config;

    /** @param ?string $config TOML or JSON text */
    public function __construct(
        #[\SensitiveParameter] ?string $config,
        private readonly ?string $library = null,
        private readonly ?string $header = null,
        private readonly ?string $socket = null,
        private readonly ?string $binary = null,
        private readonly ?Gateway $gateway = null,
    ) {
        $this->config = $config === null ? null : new Secret($config);
    }

    /**
     * Opens the way of a mode, or the first that can be used.
     *
     * @throws Error
     */
    public function transport(?Mode $wanted): Transport
    {
        $tried = [];
        foreach ($wanted === null ? [Mode::Native, Mode::Socket, Mode::Process, Mode::Gateway] : [$wanted] as $mode) {
            $why = $wanted === Mode::Socket ? null : $this->without($mode);
            if ($why === null) {
                return $this->open($mode);
            }
            $tried[] = "$mode->value: $why";
        }
        $message = 'there is no way to the engine here. ' . implode('; ', $tried);
        throw Error::refused('mode_unavailable', $message, '`vendor/bin/bayar doctor` says what to change.');
    }

    /** Why a mode cannot be used here, in words; null where it can. */
    public function without(Mode $mode): ?string
    {
        return match ($mode) {
            Mode::Native => $this->withoutNative(),
            Mode::Socket => $this->withoutSocket(),
            Mode::Process => $this->withoutProcess(),
            Mode::Gateway => $this->withoutGateway(),
            Mode::Fake => 'it is made by Bayar::fake()',
        };
    }

    private function open(Mode $mode): Transport
    {
        return match ($mode) {
            Mode::Native => new Transport\Native(Library::load($this->library, $this->header), $this->config->reveal()),
            Mode::Socket => new Transport\Socket($this->socket ?? Transport\Socket::DEFAULT),
            Mode::Process => new Transport\Process($this->command(), $this->config->reveal()),
            Mode::Gateway => new Transport\Gateway($this->gateway),
        };
    }

    private function withoutNative(): ?string
    {
        if ($this->config === null) {
            return 'no configuration is given';
        }
        // A library that is named and wrong, or packed and damaged, is an error and no reason to go elsewhere.
        $why = Platform::withoutFfi();
        if ($why !== null || $this->library !== null || getenv('BAYAR_LIB')) {
            return $why;
        }
        try {
            Library::find(null);
            return null;
        } catch (Error $error) {
            return $error->name === 'library_not_found' ? $error->document['message'] : throw $error;
        }
    }

    /** A daemon has accounts of its own: where a configuration is given, it takes its place only if it is named. */
    private function withoutSocket(): ?string
    {
        if ($this->socket !== null) {
            return null;
        }
        if ($this->config !== null) {
            return 'no socket is named';
        }
        return $this->gateway !== null ? 'no socket is named, and a gateway is' : null;
    }

    private function withoutProcess(): ?string
    {
        if ($this->config === null) {
            return 'no configuration is given';
        }
        if (!function_exists('proc_open')) {
            return 'proc_open is in disable_functions of php.ini';
        }
        return $this->command() === null ? 'the command bayar was not found; tried: ' . implode(', ', self::commands()) : null;
    }

    private function withoutGateway(): ?string
    {
        if ($this->gateway === null) {
            return 'no gateway is named';
        }
        return extension_loaded('curl') ? null : 'the PHP extension curl is not loaded';
    }

    /** The command `bayar`: what is named is taken or refused. */
    private function command(): ?string
    {
        if ($this->binary !== null) {
            if (!str_starts_with($this->binary, '/') || !is_executable($this->binary)) {
                $what = "binary is '$this->binary', expected the absolute path of a program that may be started";
                throw Error::refused('invalid_config', $what, 'Correct it, or allow it: chmod 755.', 'binary');
            }
            return $this->binary;
        }
        $found = array_filter(self::commands(), fn(string $place) => @is_executable($place));
        return $found === [] ? null : reset($found);
    }

    /** @return list<string> where it is looked for */
    private static function commands(): array
    {
        $bundle = Bundle::own();
        $bundled = $bundle?->command(Platform::name());
        if ($bundled !== null) {
            // Hashing it would take longer than starting it.
            $bundle->weigh($bundled);
        }
        return array_filter([$bundled, '/usr/local/bin/bayar', '/usr/bin/bayar']);
    }
}
