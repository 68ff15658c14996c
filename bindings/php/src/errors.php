<?php

declare(strict_types=1);

namespace Bayar;

/**
 * Why there is no outcome. getMessage() says what was found and allowed and what to do;
 * getCode() is the number of the C ABI, $name the same in words.
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

    /** @internal */
    public static function of(array $document, int $status): self
    {
        $class = self::CLASSES[$document['code']] ?? self::class;
        return new $class($document, $status);
    }

    /** @internal An error of the binding itself, before the library was called. */
    public static function refused(string $code, string $message, string $advice, ?string $field = null): self
    {
        $status = $code === 'invalid_params' ? -7 : -1;
        return self::of(compact('code', 'message', 'advice') + array_filter(['field' => $field]), $status);
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
