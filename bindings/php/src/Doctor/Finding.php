<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/** One thing that was looked at. */
final class Finding implements \JsonSerializable
{
    /**
     * @param string $subject what was looked at
     * @param string $found what was found, for people
     * @param ?string $change the line to write, or the command to run
     * @param ?string $file the file that the line belongs into
     */
    public function __construct(
        public readonly string $subject,
        public readonly Level $level,
        public readonly string $found,
        public readonly ?string $change = null,
        public readonly ?string $file = null,
    ) {}

    public static function ok(string $subject, string $found): self
    {
        return new self($subject, Level::Ok, $found);
    }

    public function jsonSerialize(): array
    {
        return array_filter(['subject' => $this->subject, 'level' => $this->level->value, 'found' => $this->found, 'change' => $this->change, 'file' => $this->file], fn(?string $part) => $part !== null);
    }
}
