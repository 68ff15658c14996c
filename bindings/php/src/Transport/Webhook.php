<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Acknowledgement;
use Bayar\Error;
use Bayar\Secret;

/**
 * A callback of the gateway's, in the form of Standard Webhooks: webhook-id, webhook-timestamp and
 * webhook-signature, an HMAC-SHA256 over "id.timestamp.body".
 *
 * @internal
 */
final class Webhook
{
    /** How far the time of signing may lie from now, in seconds. */
    private const TOLERANCE = 300;

    /**
     * The outcome that it carries, with the acknowledgement to answer.
     *
     * @param list<Secret> $secrets any of which may have signed it
     * @param list<array{string, string}> $headers
     * @param int $now seconds since 1970-01-01 UTC
     *
     * @return array<string, mixed>
     *
     * @throws Error callback_refused, callback_ignored
     */
    public static function read(array $secrets, #[\SensitiveParameter] array $headers, #[\SensitiveParameter] string $body, int $now): array
    {
        if ($secrets === []) {
            throw Error::refused('invalid_config', 'no webhookSecrets are set, and a callback cannot be verified', 'Give them to Gateway, as its pages show them.', 'gateway.webhookSecrets');
        }
        $id = self::only($headers, 'webhook-id');
        $timestamp = self::only($headers, 'webhook-timestamp');
        $signatures = self::only($headers, 'webhook-signature');
        if (!preg_match('/^\d{1,12}$/D', $timestamp) || abs($now - (int) $timestamp) > self::TOLERANCE) {
            throw self::refused('its time is not within 5 minutes of this clock');
        }
        if (!self::isSigned($secrets, "$id.$timestamp.$body", $signatures)) {
            throw self::refused('no signature of it fits a secret that is known here');
        }
        $outcome = json_decode($body, true, 512, JSON_BIGINT_AS_STRING)['data'] ?? null;
        if (!isset($outcome['account'], $outcome['provider'], $outcome['operation'], $outcome['intent'], $outcome['status'])) {
            throw self::error('callback_ignored', 'it is genuine and concerns no payment', 'There is nothing to do. Answer the acknowledgement.', 200, 'ignored');
        }
        return ['acknowledgement' => self::answer(200, 'ok')] + $outcome;
    }

    /** Every secret is tried on every signature: how long it takes says nothing. */
    private static function isSigned(array $secrets, #[\SensitiveParameter] string $content, #[\SensitiveParameter] string $signatures): bool
    {
        $signed = false;
        foreach ($secrets as $secret) {
            $right = 'v1,' . base64_encode(hash_hmac('sha256', $content, $secret->reveal(), true));
            foreach (explode(' ', $signatures) as $signature) {
                $signed = hash_equals($right, $signature) || $signed;
            }
        }
        return $signed;
    }

    /** The only header of that name: of two nobody could say which one was signed. */
    private static function only(#[\SensitiveParameter] array $headers, string $name): string
    {
        $found = array_values(array_filter($headers, fn(array $header) => strcasecmp($header[0], $name) === 0));
        if (count($found) !== 1 || $found[0][1] === '') {
            throw self::refused('found ' . count($found) . " headers $name, expected one with a value");
        }
        return $found[0][1];
    }

    private static function refused(string $why): Error
    {
        return self::error('callback_refused', $why, 'Credit nothing. Answer the acknowledgement.', 401, 'refused');
    }

    private static function error(string $code, string $message, string $advice, int $status, string $word): Error
    {
        return Error::of(compact('code', 'message', 'advice') + ['acknowledgement' => self::answer($status, $word)]);
    }

    /** @return array{status: int, body: string, content_type: string} */
    private static function answer(int $status, string $word): array
    {
        return ['status' => $status, 'body' => '{"status":"' . $word . '"}', 'content_type' => 'application/json'];
    }
}
