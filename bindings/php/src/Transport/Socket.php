<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Error;
use Bayar\Mode;

/** The engine in `bayar daemon`, over its Unix socket. The daemon has the configuration. */
final class Socket extends Frames
{
    /** Where the daemon listens unless it is told otherwise. */
    public const DEFAULT = '/run/bayar/bayar.sock';

    /** How long connecting may take, in seconds. */
    private const PATIENCE = 5;

    public function __construct(private readonly string $path = self::DEFAULT) {}

    public function mode(): Mode
    {
        return Mode::Socket;
    }

    protected function connect(): Pipe
    {
        $this->check();
        $stream = @stream_socket_client("unix://$this->path", $code, $why, self::PATIENCE);
        if ($stream === false) {
            throw $this->unreachable("cannot connect: $why");
        }
        return new Pipe($stream, $stream);
    }

    /** Where everybody may make files, anybody may play the daemon, and say that something was paid. */
    private function check(): void
    {
        if (!str_starts_with($this->path, '/')) {
            $what = "socket is '$this->path', expected an absolute path";
            throw Error::refused('invalid_config', $what, 'Name the socket by an absolute path.', 'socket');
        }
        $directory = dirname($this->path);
        $mode = @fileperms($directory);
        if ($mode !== false && ($mode & 0o002) !== 0) {
            $what = "everybody may make files in $directory, where the socket is";
            throw Error::refused('untrusted', $what, 'Have the daemon listen in a directory of its own: bayar daemon --socket PATH.', 'socket');
        }
    }

    protected function opening(): ?array
    {
        return null;
    }

    protected function name(): string
    {
        return "the daemon at $this->path";
    }

    protected function advice(): string
    {
        return 'See whether `bayar daemon` runs, and whether this user may connect (--group, --allow); then call again.';
    }
}
