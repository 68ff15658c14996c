<?php

declare(strict_types=1);

namespace Bayar;

/** Where `bayar serve` is, and as whom to speak to it. */
final class Gateway
{
    /** @internal */
    public readonly Secret $apiKey;
    /**
     * @internal
     *
     * @var list<Secret>
     */
    public readonly array $webhookSecrets;

    /**
     * @param string $url its address, without /v1; https, or http to this machine itself
     * @param string $appCode the application's code, as the gateway's pages show it
     * @param list<string> $webhookSecrets what the gateway signs its callbacks with, whsec_…; while one
     *     is replaced, both
     * @param ?string $caFile the certificates to trust, PEM, where the system's are not the ones
     *
     * @throws InvalidConfig
     */
    public function __construct(
        public readonly string $url,
        public readonly string $appCode,
        #[\SensitiveParameter] string $apiKey,
        #[\SensitiveParameter] array $webhookSecrets = [],
        public readonly ?string $caFile = null,
    ) {
        self::checkUrl($url);
        foreach (['appCode' => $appCode, 'apiKey' => $apiKey] as $field => $value) {
            if (!preg_match('/^[\x21-\x7e]+$/D', $value)) {
                throw self::invalid("gateway.$field holds something else than printable ASCII, or nothing", $field);
            }
        }
        $secrets = [];
        foreach ($webhookSecrets as $secret) {
            $key = is_string($secret) && str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6), true) : false;
            if ($key === false || $key === '') {
                throw self::invalid('one of gateway.webhookSecrets is not whsec_ and base64', 'webhookSecrets');
            }
            $secrets[] = new Secret($key);
        }
        $this->apiKey = new Secret($apiKey);
        $this->webhookSecrets = $secrets;
    }

    /** Whether it is on this machine. */
    public function isLocal(): bool
    {
        return self::local(parse_url($this->url, PHP_URL_HOST));
    }

    private static function checkUrl(string $url): void
    {
        $parts = parse_url($url);
        $scheme = $parts['scheme'] ?? '';
        $host = $parts['host'] ?? '';
        if ($host === '' || isset($parts['user']) || isset($parts['query']) || isset($parts['fragment'])) {
            throw self::invalid('gateway.url is not the form https://pay.example.com', 'url');
        }
        if ($scheme !== 'https' && !($scheme === 'http' && self::local($host))) {
            throw self::invalid("gateway.url is $scheme://$host, expected https, or http to 127.0.0.1, ::1 or localhost", 'url');
        }
    }

    private static function local(string $host): bool
    {
        return in_array($host, ['localhost', '[::1]'], true)
            || (filter_var($host, FILTER_VALIDATE_IP, FILTER_FLAG_IPV4) && str_starts_with($host, '127.'));
    }

    private static function invalid(string $message, string $field): Error
    {
        return Error::refused('invalid_config', $message, 'Correct it where the client is opened.', "gateway.$field");
    }

    public function __debugInfo(): array
    {
        return ['url' => $this->url, 'appCode' => $this->appCode];
    }

    public function __serialize(): array
    {
        throw new \LogicException('it holds secrets; it is made anew where it is needed');
    }
}
