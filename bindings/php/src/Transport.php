<?php

declare(strict_types=1);

namespace Bayar;

/**
 * A way to the engine. Documents go in and out as arrays, exactly as the C ABI has them; what is
 * no success is thrown.
 */
interface Transport
{
    public function mode(): Mode;

    /**
     * Calls an operation of an account.
     *
     * @param array<string, mixed> $params
     *
     * @return array<string, mixed> the outcome
     *
     * @throws Error
     */
    public function call(string $account, string $operation, #[\SensitiveParameter] array $params): array;

    /**
     * Receives a callback.
     *
     * @param array{method: string, path: string, query: string, headers: list<array{string, string}>, remote_addr: ?string} $envelope
     * @param string $body byte for byte
     *
     * @return array<string, mixed> the outcome, with its acknowledgement
     *
     * @throws Error
     */
    public function callback(string $account, #[\SensitiveParameter] array $envelope, #[\SensitiveParameter] string $body): array;

    /**
     * @return array<string, mixed>
     *
     * @throws Error
     */
    public function describe(?string $account): array;

    /**
     * Takes the log records of this client's calls that were kept since the last time.
     *
     * @return list<array{level: string, target: string, message: string}>
     *
     * @throws Error
     */
    public function drainLog(): array;

    /** The version of the engine. */
    public function version(): string;
}
