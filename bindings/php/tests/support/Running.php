<?php

declare(strict_types=1);

namespace Bayar\Tests;

/** A program that a test started, and ends. */
final class Running
{
    /**
     * @param resource $process
     * @param array<int, resource> $pipes
     */
    private function __construct(private $process, public readonly array $pipes, public readonly string $line) {}

    /**
     * Starts one, and waits for the line in which it says that it is ready.
     *
     * @param list<string> $command
     * @param int $speaks the stream of that line: 1 or 2
     * @param string $ready what the line holds; those before it are passed over
     * @param ?array<string, string> $environment null for this process's own
     */
    public static function start(array $command, int $speaks = 1, string $ready = '', ?array $environment = null): self
    {
        $streams = [['pipe', 'r'], $speaks === 1 ? ['pipe', 'w'] : ['null'], $speaks === 2 ? ['pipe', 'w'] : STDERR];
        $process = proc_open($command, $streams, $pipes, null, $environment);
        $said = '';
        do {
            $line = fgets($pipes[$speaks]);
            $said .= $line;
        } while ($line !== false && !str_contains($line, $ready));
        if ($line === false) {
            proc_close($process);
            throw new \RuntimeException("$command[0] did not start: $said");
        }
        return new self($process, $pipes, trim($line));
    }

    /** The next line that it says on standard output; null where there is none for half a minute. */
    public function hear(): ?string
    {
        $readable = [$this->pipes[1]];
        return stream_select($readable, $write, $other, 30) === 1 ? fgets($this->pipes[1]) : null;
    }

    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    public function pid(): int
    {
        return proc_get_status($this->process)['pid'];
    }

    /** Ends it, and waits until it has ended. */
    public function stop(int $signal = SIGTERM): void
    {
        if ($this->process === null) {
            return;
        }
        proc_terminate($this->process, $signal);
        array_map('fclose', $this->pipes);
        proc_close($this->process);
        $this->process = null;
    }

    public function __destruct()
    {
        $this->stop();
    }
}
