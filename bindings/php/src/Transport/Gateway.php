<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Documents;
use Bayar\Error;
use Bayar\Gateway as Settings;
use Bayar\Mode;
use Bayar\Transport;

/**
 * The engine in `bayar serve`, over HTTPS.
 *
 * By curl and not by PHP's own streams: it keeps the connection for the next call, and it says
 * whether a request can have been sent.
 */
final class Gateway implements Transport
{
    /** How long connecting and a whole call may take, in seconds: above what the gateway allows a provider. */
    private const CONNECT = 5, CALL = 90;

    /** The longest answer that is read, in bytes. */
    private const LONGEST = 16 * 1024 * 1024;

    /** What curl says where certainly nothing was sent. */
    private const NOT_SENT = [
        CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
        CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT, CURLE_SSL_PEER_CERTIFICATE, CURLE_SSL_CACERT_BADFILE,
        CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_FAILED_INIT,
    ];

    private ?\CurlHandle $curl = null;

    /** The process that made it: a connection that crossed a fork is not used. */
    private int $owner = 0;

    public function __construct(private readonly Settings $settings) {}

    public function mode(): Mode
    {
        return Mode::Gateway;
    }

    public function call(string $account, string $operation, #[\SensitiveParameter] array $params): array
    {
        $key = $params['key'] ?? null;
        unset($params['key']);
        $headers = $key === null ? [] : ['Idempotency-Key: ' . self::header($key)];
        $path = '/v1/accounts/' . rawurlencode($account) . '/operations/' . rawurlencode($operation);
        return $this->ask($path, $headers, Documents::encode($params, 'params'));
    }

    /** A callback of the gateway's own. What it says is about whichever account the outcome names. */
    public function callback(string $account, #[\SensitiveParameter] array $envelope, #[\SensitiveParameter] string $body): array
    {
        return Webhook::read($this->settings->webhookSecrets, $envelope['headers'], $body, time());
    }

    public function describe(?string $account): array
    {
        return $this->ask($account === null ? '/v1/describe' : '/v1/accounts/' . rawurlencode($account) . '/describe');
    }

    /** None: the gateway keeps its own log. */
    public function drainLog(): array
    {
        return [];
    }

    public function version(): string
    {
        return $this->ask('/v1/version')['version'];
    }

    /** A key as a header can say it. */
    private static function header(mixed $key): string
    {
        if (!is_string($key) || !preg_match('/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/D', $key)) {
            throw Error::refused('invalid_params', 'key: found something else than printable ASCII', 'Through the gateway a key is a header: use letters, digits and signs.', 'key');
        }
        return $key;
    }

    /**
     * @param list<string> $headers
     * @param ?string $json what to post; null to read only
     */
    private function ask(string $path, #[\SensitiveParameter] array $headers = [], #[\SensitiveParameter] ?string $json = null): array
    {
        $safe = $json === null || $headers !== [];
        [$status, $body] = $this->exchange($path, $headers, $json, $safe);
        $document = json_decode($body, true, 512, JSON_BIGINT_AS_STRING);
        if (!is_array($document)) {
            throw $this->unavailable("it answered $status, and not in JSON", 'maybe_sent', $safe);
        }
        if ($status >= 200 && $status < 300) {
            return $document;
        }
        if (!is_string($document['code'] ?? null)) {
            throw $this->unavailable("it answered $status without a code", 'maybe_sent', $safe);
        }
        $message = $document['message'] ?? $document['detail'] ?? $document['title'] ?? "the gateway answered $status";
        throw Error::of(['message' => $message] + array_diff_key($document, ['type' => 0, 'title' => 0, 'status' => 0, 'detail' => 0]));
    }

    /** @return array{int, string} the status and the body */
    private function exchange(string $path, #[\SensitiveParameter] array $headers, #[\SensitiveParameter] ?string $json, bool $safe): array
    {
        $curl = $this->handle();
        $body = '';
        curl_setopt_array($curl, [
            CURLOPT_URL => rtrim($this->settings->url, '/') . $path,
            // Where a kept connection turns out dead, curl sends again by itself.
            CURLOPT_FRESH_CONNECT => !$safe,
            CURLOPT_HTTPHEADER => [...$this->headers(), ...$headers],
            CURLOPT_WRITEFUNCTION => function (\CurlHandle $_, string $piece) use (&$body): int {
                $body .= $piece;
                return strlen($body) > self::LONGEST ? 0 : strlen($piece);
            },
        ] + ($json === null ? [CURLOPT_HTTPGET => true] : [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $json]));
        if (curl_exec($curl) === false) {
            $sent = !in_array(curl_errno($curl), self::NOT_SENT, true);
            throw $this->unavailable(curl_error($curl), $sent ? 'maybe_sent' : 'not_sent', !$sent || $safe);
        }
        return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $body];
    }

    private function handle(): \CurlHandle
    {
        if ($this->curl !== null && $this->owner === getmypid()) {
            return $this->curl;
        }
        $this->owner = getmypid();
        $this->curl = curl_init();
        curl_setopt_array($this->curl, [
            CURLOPT_PROTOCOLS => $this->settings->isLocal() ? CURLPROTO_HTTPS | CURLPROTO_HTTP : CURLPROTO_HTTPS,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_CONNECTTIMEOUT => self::CONNECT,
            CURLOPT_TIMEOUT => self::CALL,
            CURLOPT_USERAGENT => 'bayar-php',
        ] + ($this->settings->isLocal() ? [CURLOPT_NOPROXY => '*'] : [])
          + ($this->settings->caFile !== null ? [CURLOPT_CAINFO => $this->settings->caFile] : []));
        return $this->curl;
    }

    /** @return list<string> */
    private function headers(): array
    {
        return [
            'Accept: application/json, application/problem+json',
            'Content-Type: application/json',
            // Curl would wait for a "100 Continue" before a long body.
            'Expect:',
            "X-App-Code: {$this->settings->appCode}",
            "X-Api-Key: {$this->settings->apiKey->reveal()}",
        ];
    }

    private function unavailable(string $why, string $stage, bool $retry): Error
    {
        $message = "the gateway at {$this->settings->url}: $why";
        $advice = match (true) {
            $stage === 'not_sent' => 'See whether it can be reached from here, then call again.',
            $retry => 'Call again with the same key: its journal knows what became of it.',
            default => 'It may have been carried out: look before calling again.',
        };
        return Error::of(['code' => 'gateway_unavailable'] + compact('message', 'stage', 'retry', 'advice'));
    }

    public function __debugInfo(): array
    {
        return ['url' => $this->settings->url];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a client is opened anew where it is needed, not serialized');
    }
}
