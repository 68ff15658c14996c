<?php

declare(strict_types=1);

namespace Bayar\Laravel;

use Bayar\Client;
use Bayar\Error;
use Bayar\Gateway;
use Bayar\Mode;
use Illuminate\Contracts\Foundation\Application;

/**
 * config/bayar.php, read.
 *
 * @internal
 */
final class Settings
{
    /** @param array<string, mixed> $settings */
    private function __construct(private readonly Application $app, #[\SensitiveParameter] private readonly array $settings) {}

    public static function of(Application $app): self
    {
        return new self($app, $app->make('config')->get('bayar'));
    }

    /**
     * Opens the client that they describe.
     *
     * @throws Error
     */
    public function open(): Client
    {
        $named = [
            'mode' => $this->mode(),
            'library' => $this->settings['library'] ?? null,
            'socket' => $this->settings['socket'] ?? null,
            'binary' => $this->settings['binary'] ?? null,
            'gateway' => $this->gateway(),
            'logger' => isset($this->settings['log']) ? $this->app->make('log')->channel($this->settings['log']) : null,
        ];
        return Client::open($this->config(), ...self::given($named));
    }

    /** How long a claim holds while listeners are at work, in seconds. */
    public function lease(): int
    {
        return (int) $this->settings['lease'];
    }

    /**
     * The engine's configuration: the path of its file, else what stands in config/bayar.php. None where
     * the engine is reached at a daemon or a gateway, which have theirs.
     */
    private function config(): array|string|null
    {
        if (isset($this->settings['file'])) {
            return $this->settings['file'];
        }
        $elsewhere = isset($this->settings['socket']) || isset($this->settings['gateway']['url']);
        if ($elsewhere || in_array($this->settings['mode'] ?? null, ['socket', 'gateway'], true)) {
            return null;
        }
        // As objects: an empty array would be a list to the engine.
        return [
            'engine' => (object) self::given($this->settings['engine'] ?? []),
            'providers' => (object) array_map(static fn(array $section): object => (object) self::given($section), $this->settings['providers'] ?? []),
        ];
    }

    private function mode(): ?Mode
    {
        $named = $this->settings['mode'] ?? null;
        $mode = Mode::tryFrom($named ?? '');
        if ($named !== null && $mode === null) {
            throw new \InvalidArgumentException("bayar.mode is '$named', expected native, socket, process or gateway");
        }
        return $mode;
    }

    private function gateway(): ?Gateway
    {
        $gateway = $this->settings['gateway'] ?? [];
        if (!isset($gateway['url'])) {
            return null;
        }
        $secrets = $gateway['webhook_secrets'] ?? [];
        return new Gateway(
            url: $gateway['url'],
            appCode: $gateway['app_code'] ?? '',
            apiKey: $gateway['api_key'] ?? '',
            webhookSecrets: is_array($secrets) ? $secrets : array_map('trim', explode(',', $secrets)),
        );
    }

    /** Without what is null: env() gives null for what is not set. */
    private static function given(#[\SensitiveParameter] array $settings): array
    {
        return array_filter($settings, static fn(mixed $value): bool => $value !== null);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
