<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Illuminate\Database\Connection;
use WHMCS\Database\Capsule;

/**
 * One request at a time for one payment, from the look into WHMCS's books until the entry is
 * confirmed.
 *
 * A claim of the engine's runs out by the clock: a process that was stopped for longer, and goes on
 * afterwards, does not know. This lock lives on the connection that WHMCS writes its books with: the
 * database gives it to nobody else while that connection lives. Should the connection be lost, its
 * owner must not write over a new one, so it gets none.
 */
final class Lock
{
    /**
     * Does something while holding the lock.
     *
     * @template T
     *
     * @param \Closure(): T $do
     *
     * @return ?T null where another request held it for all the time
     */
    public static function hold(string $what, int $seconds, \Closure $do): mixed
    {
        $connection = Capsule::connection();
        // A server's locks are common to all its databases.
        $name = 'bayar ' . substr(hash('sha256', $connection->getDatabaseName() . "\0$what"), 0, 48);
        if ((int) self::ask($connection, 'SELECT GET_LOCK(?, ?) AS answer', [$name, $seconds]) !== 1) {
            return null;
        }
        $reconnector = new \ReflectionProperty(Connection::class, 'reconnector');
        $usual = $reconnector->getValue($connection);
        $connection->setReconnector(static function (): never {
            throw new \RuntimeException('The connection to the database was lost while a payment was recorded.');
        });
        try {
            return $do();
        } finally {
            $reconnector->setValue($connection, $usual);
            self::release($connection, $name);
        }
    }

    private static function release(Connection $connection, string $name): void
    {
        try {
            self::ask($connection, 'SELECT RELEASE_LOCK(?) AS answer', [$name]);
        } catch (\Throwable) {
            // It went with the connection.
        }
    }

    private static function ask(Connection $connection, string $sql, array $values): mixed
    {
        return $connection->selectOne($sql, $values, false)->answer;
    }
}
