<?php

declare(strict_types=1);

namespace Bayar;

use Psr\Log\LoggerInterface;

/**
 * The engine's log records on their way to a PSR-3 logger.
 *
 * They are fetched after a call, never handed over during one: an exception inside a C callback
 * would end the process.
 *
 * @internal
 */
final class Log
{
    private const LEVELS = ['error' => 'error', 'warn' => 'warning', 'info' => 'info', 'debug' => 'debug', 'trace' => 'debug'];

    /** Passes on what was kept. Neither a lost daemon nor a logger that throws may replace what a call concluded. */
    public static function pass(Transport $transport, LoggerInterface $logger): void
    {
        try {
            foreach ($transport->drainLog() as $record) {
                $level = self::LEVELS[strtolower($record['level'])] ?? 'info';
                $logger->log($level, $record['message'], ['target' => $record['target']]);
            }
        } catch (\Throwable $e) {
            // Only its class: what it says may repeat a record.
            error_log('bayar: log records were lost, ' . $e::class . ' in ' . basename($e->getFile()) . ':' . $e->getLine());
        }
    }
}
