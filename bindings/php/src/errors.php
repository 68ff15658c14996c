<?php

declare(strict_types=1);

namespace Bayar;

/**
 * Why there is no outcome. getMessage() says what was found and allowed and what to do;
 * getCode() is the number of the C ABI, 0 where the package itself refused; $name is the same in words.
 */
class Error extends \RuntimeException
{
    /** The codes that hosts act upon, each with its class. All others are a plain Error. */
    private const CLASSES = [
        'invalid_config' => InvalidConfig::class,
        'unknown_account' => UnknownAccount::class,
        'unsupported' => Unsupported::class,
        'invalid_params' => InvalidParams::class,
        'conflict' => Conflict::class,
        'in_progress' => InProgress::class,
        'rejected' => Rejected::class,
        'unauthorized' => Unauthorized::class,
        'order_not_found' => OrderNotFound::class,
        'not_possible' => NotPossible::class,
        'outcome_unknown' => OutcomeUnknown::class,
        'callback_refused' => CallbackRefused::class,
        'callback_ignored' => CallbackIgnored::class,
        'callback_unconfirmed' => CallbackUnconfirmed::class,
        'mode_unavailable' => ModeUnavailable::class,
        'daemon_unavailable' => Unavailable::class,
        'gateway_unavailable' => Unavailable::class,
    ];

    /** The numbers of the C ABI, for what arrives by another way. */
    private const NUMBERS = [
        'invalid_argument' => -1, 'abi_mismatch' => -2, 'invalid_config' => -3, 'config_exposed' => -4,
        'unknown_account' => -5, 'unsupported' => -6, 'invalid_params' => -7, 'conflict' => -8,
        'in_progress' => -9, 'internal' => -10, 'not_found' => -20, 'untrusted' => -21, 'hash' => -22,
        'truncated' => -23, 'wrong_machine' => -24, 'dlopen' => -25, 'not_a_provider' => -26,
        'incompatible' => -27, 'plugin_failed' => -28, 'network' => -40, 'tls' => -41, 'timeout' => -42,
        'protocol' => -43, 'forbidden_origin' => -44, 'too_many_exchanges' => -45, 'rejected' => -60,
        'unauthorized' => -61, 'order_not_found' => -62, 'not_possible' => -63, 'outcome_unknown' => -64,
        'callback_refused' => -80, 'callback_ignored' => -81, 'callback_unconfirmed' => -82,
        'journal_unavailable' => -100, 'journal_forked' => -101, 'journal_open_elsewhere' => -102,
    ];

    /** The code: invalid_params. */
    public readonly string $name;
    /** How far the request got: not_sent, maybe_sent or answered. */
    public readonly string $stage;
    /** Whether the same call, with the same key, may safely be made again now. */
    public readonly bool $retry;
    /** What to do, in a sentence. */
    public readonly string $advice;
    /** The parameter or setting concerned: items[0].price. */
    public readonly ?string $field;
    /** The engine's id of the call. */
    public readonly ?string $intent;
    /** What the provider knows, or may know, the order by. */
    public readonly ?string $reference;
    /** What the provider said: code, message, http_status. */
    public readonly ?array $provider;
    /** What to answer the provider, where a callback failed. */
    public readonly ?Acknowledgement $acknowledgement;

    /** @param array<string, mixed> $document the error document; credentials are removed from it by the engine */
    final public function __construct(public readonly array $document, int $status = 0)
    {
        $this->name = $document['code'];
        $this->stage = $document['stage'] ?? 'not_sent';
        $this->retry = $document['retry'] ?? false;
        $this->advice = $document['advice'] ?? '';
        foreach (['field', 'intent', 'reference', 'provider'] as $part) {
            $this->$part = $document[$part] ?? null;
        }
        $this->acknowledgement = isset($document['acknowledgement']) ? Acknowledgement::of($document['acknowledgement']) : null;
        $end = preg_match('/[.?!]$/', $document['message']) ? '' : '.';
        parent::__construct(rtrim("$this->name: {$document['message']}$end $this->advice"), $status);
    }

    /**
     * @internal
     *
     * @param ?int $status its number, where it came with one
     */
    public static function of(array $document, ?int $status = null): self
    {
        $class = self::CLASSES[$document['code']] ?? self::class;
        return new $class($document, $status ?? self::NUMBERS[$document['code']] ?? 0);
    }

    /** @internal An error of the package itself, before the engine was asked. */
    public static function refused(string $code, string $message, string $advice, ?string $field = null): self
    {
        return self::of(compact('code', 'message', 'advice') + array_filter(['field' => $field]));
    }

    /** @internal The same with an answer for the one who called back; its own, where it has one. */
    public function answering(Acknowledgement $acknowledgement): self
    {
        if ($this->acknowledgement !== null) {
            return $this;
        }
        $answer = ['status' => $acknowledgement->status, 'body' => $acknowledgement->body, 'content_type' => $acknowledgement->contentType];
        return new static(['acknowledgement' => $answer] + $this->document, $this->getCode());
    }
}

class InvalidConfig extends Error {}
class UnknownAccount extends Error {}
class Unsupported extends Error {}
class InvalidParams extends Error {}
class Conflict extends Error {}
class InProgress extends Error {}
class Rejected extends Error {}
class Unauthorized extends Error {}
class OrderNotFound extends Error {}
class NotPossible extends Error {}
class OutcomeUnknown extends Error {}
class CallbackRefused extends Error {}
class CallbackIgnored extends Error {}
class CallbackUnconfirmed extends Error {}
/** None of the ways to the engine that were named or found can be used here. */
class ModeUnavailable extends Error {}
/** The daemon or the gateway could not be reached, or was lost before it answered. */
class Unavailable extends Error {}
