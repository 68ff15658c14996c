<?php

declare(strict_types=1);

namespace Bayar\Doctor;

/** How bad a finding is. */
enum Level: string
{
    case Ok = 'ok';
    /** It works; somebody should know. */
    case Warning = 'warning';
    /** It does not work. */
    case Error = 'error';
}
