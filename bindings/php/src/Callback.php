<?php

declare(strict_types=1);

namespace Bayar;

/** A callback that is proven genuine, and what to answer it. */
final class Callback
{
    public function __construct(public readonly Outcome $outcome, public readonly Acknowledgement $acknowledgement) {}

    /**
     * @internal
     *
     * @param array<string, mixed> $document
     */
    public static function of(#[\SensitiveParameter] array $document): self
    {
        return new self(new Outcome($document), Acknowledgement::of($document['acknowledgement'] ?? ['status' => 200]));
    }
}
