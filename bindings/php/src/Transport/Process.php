<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Mode;
use Bayar\Secret;

/** The engine in a `bayar` of its own, started by this client and ended with it. */
final class Process extends Frames
{
    /** How much of its standard error is passed on, in bytes. */
    private const LONGEST_COMPLAINT = 500;

    /** The configuration. It is told over the pipe: command lines and environments are shown to others. */
    private readonly Secret $config;

    /** @var ?resource what it says on standard error */
    private $complaints = null;

    /** @param string $binary the absolute path of the command `bayar` */
    public function __construct(private readonly string $binary, #[\SensitiveParameter] string $config)
    {
        $this->config = new Secret($config);
    }

    public function mode(): Mode
    {
        return Mode::Process;
    }

    protected function connect(): Pipe
    {
        $this->complaints = tmpfile() ?: null;
        $streams = [['pipe', 'r'], ['pipe', 'w'], $this->complaints ?? ['null']];
        // It would take a configuration from there, too.
        $environment = array_diff_key(getenv(), ['BAYAR_CONFIG' => '']);
        $process = @proc_open([$this->binary, 'daemon', '--stdio'], $streams, $pipes, null, $environment);
        if ($process === false) {
            throw $this->unreachable('cannot be started: ' . (error_get_last()['message'] ?? 'no reason given'));
        }
        return new Pipe($pipes[1], $pipes[0], $process);
    }

    protected function opening(): ?array
    {
        return ['do' => 'open', 'config' => $this->config->reveal()];
    }

    protected function name(): string
    {
        return $this->binary;
    }

    protected function advice(): string
    {
        return 'See whether this user may start it: `' . $this->binary . ' --version`. ' . $this->complaint();
    }

    /** What it said before it ended. */
    private function complaint(): string
    {
        if ($this->complaints === null || fseek($this->complaints, 0) !== 0) {
            return '';
        }
        $text = trim((string) stream_get_contents($this->complaints, self::LONGEST_COMPLAINT));
        return $text === '' ? '' : "It said: $text";
    }
}
