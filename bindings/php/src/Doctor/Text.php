<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/**
 * Findings as a terminal shows them.
 *
 * @internal
 */
final class Text
{
    /** How wide a line may be, in characters. */
    private const WIDTH = 100;

    /** @param list<Finding> $findings */
    public static function of(array $findings): string
    {
        $width = max(array_map(fn(Finding $finding) => strlen($finding->subject), $findings));
        $indent = str_repeat(' ', 10 + $width);
        $text = '';
        foreach ($findings as $finding) {
            $text .= sprintf("%-8s %-{$width}s ", $finding->level->value, $finding->subject) . self::wrapped($finding->found, $indent);
            if ($finding->change !== null) {
                // A line to copy is not broken.
                $text .= "$indent> $finding->change\n" . ($finding->file === null ? '' : "$indent  in $finding->file\n");
            } elseif ($finding->file !== null) {
                $text .= "$indent  in $finding->file\n";
            }
        }
        return $text;
    }

    private static function wrapped(string $text, string $indent): string
    {
        return str_replace("\n", "\n$indent", wordwrap($text, self::WIDTH - strlen($indent))) . "\n";
    }
}
