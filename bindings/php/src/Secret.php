<?php

declare(strict_types=1);

namespace Bayar;

/**
 * A value that no dump, export or trace shows: it is not in the object.
 *
 * @internal
 */
final class Secret
{
    /** @var ?\WeakMap<self, string> */
    private static ?\WeakMap $values = null;

    public function __construct(#[\SensitiveParameter] string $value)
    {
        self::$values ??= new \WeakMap();
        self::$values[$this] = $value;
    }

    public function reveal(): string
    {
        return self::$values[$this];
    }

    private function __clone() {}

    public function __serialize(): array
    {
        throw new \LogicException('a secret is not serialized');
    }
}
