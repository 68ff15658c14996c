<?php

declare(strict_types=1);

namespace Bayar\Laravel;

/** What a run of Recovery did, and what it leaves to people. */
final class RecoveryReport
{
    /** How many have come to an end. */
    public int $settled = 0;
    /** @var list<array<string, mixed>> what the providers were asked about: intent, account, operation, reference, from, to */
    public array $looked = [];
    /** @var list<array<string, mixed>> those of them that no later run can ask about either, each with its error */
    public array $stuck = [];
    /** @var list<array<string, mixed>> intents that wait for a person's decision */
    public array $waiting = [];
    /** @var list<string> intents that were credited now */
    public array $credited = [];
    /** @var array<string, string> why a listener failed, by intent; what was paid is not credited then */
    public array $failed = [];

    public function needsPeople(): bool
    {
        return $this->waiting !== [] || $this->stuck !== [] || $this->failed !== [];
    }
}
