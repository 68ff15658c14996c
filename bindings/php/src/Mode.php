<?php

declare(strict_types=1);

namespace Bayar;

/** How a client reaches the engine. */
enum Mode: string
{
    /** In this process, through PHP's FFI. */
    case Native = 'native';
    /** In `bayar daemon`, over a Unix socket. */
    case Socket = 'socket';
    /** In a `bayar` of its own, through proc_open. */
    case Process = 'process';
    /** In `bayar serve`, over HTTPS. */
    case Gateway = 'gateway';
    /** Nowhere: scripted, for an application's own tests. */
    case Fake = 'fake';
}
