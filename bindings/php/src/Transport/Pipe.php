<?php

declare(strict_types=1);

namespace Bayar\Transport;

/**
 * Bytes to another process and back, never waiting longer than is said.
 *
 * @internal
 */
final class Pipe
{
    /** How much is read or written at once, in bytes. */
    private const PIECE = 65536;

    /** How long the other side may take to read what is written to it, in seconds. */
    private const PATIENCE = 30;

    /** How long a process of ours may take to end after its input has, in seconds. */
    private const FAREWELL = 1;

    /**
     * @param resource $from
     * @param resource $to may be the same
     * @param ?resource $process the one at the other side, where it was started for this pipe
     */
    public function __construct(private $from, private $to, private $process = null)
    {
        stream_set_blocking($from, false);
        stream_set_blocking($to, false);
    }

    /** Whether all of it was taken. */
    public function write(#[\SensitiveParameter] string $bytes): bool
    {
        $until = microtime(true) + self::PATIENCE;
        for ($at = 0; $at < strlen($bytes); $at += $written) {
            // What breaks here is no surprise: a daemon may have ended meanwhile.
            $written = $this->ready('to', $until) ? @fwrite($this->to, substr($bytes, $at, self::PIECE)) : false;
            if ($written === false) {
                return false;
            }
        }
        return true;
    }

    /** So many bytes; null where fewer come before the end, or until then. */
    public function read(int $length, float $until): ?string
    {
        $bytes = '';
        while (strlen($bytes) < $length) {
            $more = $this->ready('from', $until) ? @fread($this->from, min($length - strlen($bytes), self::PIECE)) : false;
            if ($more === false || ($more === '' && feof($this->from))) {
                return null;
            }
            $bytes .= $more;
        }
        return $bytes;
    }

    /** Whether the other side has closed, or speaks without having been asked. */
    public function ended(): bool
    {
        return $this->ready('from', 0);
    }

    /** Whether the other side was seen to close. */
    public function atEnd(): bool
    {
        return feof($this->from);
    }

    /** Closes it; where a process was started for it, waits until that has ended. */
    public function close(): void
    {
        fclose($this->to);
        if ($this->process !== null) {
            // It ends because its input did, unless a forked child still holds that open.
            $this->read(PHP_INT_MAX, microtime(true) + self::FAREWELL);
            if (!feof($this->from)) {
                proc_terminate($this->process);
            }
            proc_close($this->process);
        }
        $this->leave();
    }

    /** Closes this process's end and nothing else: for one that is not ours to end, or not now. */
    public function leave(): void
    {
        foreach ([$this->to, $this->from] as $stream) {
            if (is_resource($stream)) {
                fclose($stream);
            }
        }
    }

    /** Waits until there is something to read or room to write. At the end there is something to read: the end. */
    private function ready(string $side, float $until): bool
    {
        do {
            $wanted = [$this->$side];
            [$read, $write, $other] = $side === 'from' ? [$wanted, null, null] : [null, $wanted, null];
            $left = max(0, $until - microtime(true));
            $found = @stream_select($read, $write, $other, (int) $left, (int) (fmod($left, 1) * 1e6));
            // A signal interrupts the wait; the program's own handlers may run.
        } while ($found === false && microtime(true) < $until);
        return $found > 0;
    }
}
