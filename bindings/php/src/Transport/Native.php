<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Documents;
use Bayar\Mode;
use Bayar\Native\Library;
use Bayar\Transport;

/**
 * The engine in this process.
 *
 * Opening costs little after the first time: what is behind it (plugins, connections, sessions)
 * is kept by the library over requests. It goes on working in a forked child.
 */
final class Native implements Transport
{
    private readonly \FFI\CData $handle;

    /** @param string $config TOML or JSON text */
    public function __construct(private readonly Library $library, #[\SensitiveParameter] string $config)
    {
        $this->handle = $library->openEngine($config);
    }

    public function mode(): Mode
    {
        return Mode::Native;
    }

    public function call(string $account, string $operation, #[\SensitiveParameter] array $params): array
    {
        $names = [Documents::name($account, 'account'), Documents::name($operation, 'operation')];
        $json = Documents::encode($params, 'params');
        return $this->library->call('bayar_call', $this->handle, ...[...$names, $json, strlen($json)]);
    }

    public function callback(string $account, #[\SensitiveParameter] array $envelope, #[\SensitiveParameter] string $body): array
    {
        $name = Documents::name($account, 'account');
        $json = Documents::encode($envelope, 'envelope');
        return $this->library->call('bayar_callback', $this->handle, $name, $json, strlen($json), $body, strlen($body));
    }

    public function describe(?string $account): array
    {
        $name = $account === null ? null : Documents::name($account, 'account');
        return $this->library->call('bayar_describe', $this->handle, $name);
    }

    public function drainLog(): array
    {
        return $this->library->call('bayar_drain_log', $this->handle)['records'];
    }

    public function version(): string
    {
        return $this->library->c->bayar_version();
    }

    public function __destruct()
    {
        if (isset($this->handle)) {
            $this->library->c->bayar_engine_free($this->handle);
        }
    }

    /** Not to be cloned: the handle would be freed twice. */
    private function __clone() {}

    public function __debugInfo(): array
    {
        return ['library' => $this->library->path];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a client is opened anew where it is needed, not serialized');
    }
}
