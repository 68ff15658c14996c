<?php

declare(strict_types=1);

namespace Bayar\Tests;

/** `bayar daemon`, started for a test. */
final class Daemon
{
    public readonly string $socket;
    private Running $running;

    public function __construct(private readonly Place $place, private readonly array $arguments = [])
    {
        $this->socket = "$place->path/bayar.sock";
        $this->start();
    }

    public function start(): void
    {
        $command = [getenv('BAYAR_TARGET') . '/bayar', '--config', $this->place->config, 'daemon', '--socket', $this->socket];
        $this->running = Running::start([...$command, ...$this->arguments], speaks: 2);
    }

    public function stop(int $signal = SIGTERM): void
    {
        $this->running->stop($signal);
    }
}
