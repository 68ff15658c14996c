<?php

declare(strict_types=1);

namespace Bayar\Transport;

use Bayar\Documents;
use Bayar\Error;
use Bayar\Transport;

/**
 * The engine in another process on this machine, spoken to in messages.
 *
 * A message is two parts, each a length of 4 bytes, big-endian, and so many bytes: a JSON document,
 * then raw bytes, which are the body of a callback and otherwise none. Each request has its answer
 * before the next one. Nothing is spoken over a connection that was inherited by a fork: two
 * processes would read each other's answers.
 */
abstract class Frames implements Transport
{
    private const PROTOCOL = 1;

    /** The longest part that is sent, in bytes. */
    private const LONGEST = 1024 * 1024;

    /** The longest part that is read: lists out of a large journal. */
    private const LONGEST_ANSWER = 256 * 1024 * 1024;

    /** How long an answer may take, in seconds: far above the deadline that the engine itself keeps. */
    private const PATIENCE = 300;

    /** The same of the engine's own operations: recovery asks the providers about payment after payment. */
    private const PATIENCE_OF_OWN = 3600;

    private const NO_ANSWER = 'what was answered is no answer of a daemon';

    private ?Pipe $pipe = null;

    /** The process that opened it. */
    private int $owner = 0;

    /** Whether something was asked and not answered. */
    private bool $waiting = false;

    /** Why the last answer is none. */
    private string $fault = '';

    /** What the other side said of itself. */
    private string $version = '';

    /** Opens a way to the other side. */
    abstract protected function connect(): Pipe;

    /** What is to be asked first on a new connection, after its hello; null for nothing. */
    abstract protected function opening(): ?array;

    /** Who the other side is, for people. */
    abstract protected function name(): string;

    /** What to look at where it cannot be reached, in a sentence. */
    abstract protected function advice(): string;

    public function call(string $account, string $operation, #[\SensitiveParameter] array $params): array
    {
        $ask = ['do' => 'call', 'account' => $account, 'operation' => $operation, 'params' => (object) $params];
        $patience = $account === 'bayar' ? self::PATIENCE_OF_OWN : self::PATIENCE;
        $again = isset($params['key']) ? 'Call again with the same key: the journal knows what became of it.' : null;
        return $this->ask($ask, again: $again, patience: $patience);
    }

    public function callback(string $account, #[\SensitiveParameter] array $envelope, #[\SensitiveParameter] string $body): array
    {
        $ask = ['do' => 'callback', 'account' => $account, 'envelope' => $envelope];
        return $this->ask($ask, $body, 'Answer the acknowledgement: the provider will send it again.');
    }

    public function describe(?string $account): array
    {
        return $this->ask(['do' => 'describe', 'account' => $account], again: 'Call again.');
    }

    public function drainLog(): array
    {
        // Records are of one connection: of one that is gone there are none.
        return $this->isOpen() ? $this->ask(['do' => 'drain_log'], again: 'Call again.')['records'] : [];
    }

    public function version(): string
    {
        $this->open();
        return $this->version;
    }

    /**
     * Asks, and reads the answer.
     *
     * @param ?string $again what to do where nobody knows what became of it; null where asking again is
     *     not safe
     */
    private function ask(
        #[\SensitiveParameter] array $ask,
        #[\SensitiveParameter] string $body = '',
        ?string $again = null,
        int $patience = self::PATIENCE,
    ): array {
        $message = self::message($ask, $body);
        $this->open();
        if (!$this->write($message)) {
            // Nobody can have read the whole of it. The daemon closes what was idle for long, so a
            // connection that was kept is opened anew, once.
            $this->refusal();
            $this->open();
            if (!$this->write($message)) {
                $this->refusal();
                throw $this->unreachable('the connection broke while the request was written');
            }
        }
        $answer = $this->answer($patience);
        if ($answer === null) {
            $advice = $again ?? 'It may have been carried out: look before calling again.';
            throw $this->unavailable("the request was written, and then $this->fault", 'maybe_sent', $again !== null, $advice);
        }
        return self::read($answer);
    }

    /** An open connection of this process: the one that is kept, or a new one. */
    private function open(): void
    {
        if ($this->isOpen()) {
            return;
        }
        $this->drop();
        $this->pipe = $this->connect();
        $this->owner = getmypid();
        $this->version = $this->introduce(['do' => 'hello', 'protocol' => self::PROTOCOL])['version'];
        $opening = $this->opening();
        if ($opening !== null) {
            $this->introduce($opening);
        }
    }

    private function isOpen(): bool
    {
        return $this->pipe !== null && $this->owner === getmypid() && !$this->pipe->ended();
    }

    /** A request of a new connection. Where it fails, there is none. */
    private function introduce(#[\SensitiveParameter] array $ask): array
    {
        // One who is refused is answered before asking: the answer is there even where this breaks.
        $this->pipe->write(self::message($ask, ''));
        $answer = $this->answer(self::PATIENCE);
        if ($answer === null) {
            throw $this->unreachable("it was greeted, and then $this->fault");
        }
        try {
            return self::read($answer);
        } catch (Error $refused) {
            $this->drop();
            throw $refused;
        }
    }

    /** Where the other side said why before it closed, that is thrown. */
    private function refusal(): void
    {
        $answer = $this->answer(0);
        $this->drop();
        if ($answer !== null) {
            self::read($answer);
        }
    }

    private function write(#[\SensitiveParameter] string $message): bool
    {
        $this->waiting = $this->pipe->write($message);
        return $this->waiting;
    }

    /** @return ?array{status: int, document: array<string, mixed>} null where there is none, and the connection is lost */
    private function answer(float $patience): ?array
    {
        $until = microtime(true) + $patience;
        $document = $this->part($until);
        if ($document === null || $this->part($until) === null) {
            $this->fault = match (true) {
                $this->pipe->atEnd() => 'the connection broke',
                microtime(true) >= $until => "no answer came within $patience seconds",
                default => self::NO_ANSWER,
            };
            $this->drop();
            return null;
        }
        $this->waiting = false;
        $answer = json_decode($document, true, 512, JSON_BIGINT_AS_STRING);
        if (!is_int($answer['status'] ?? null) || !is_array($answer['document'] ?? null)) {
            $this->fault = self::NO_ANSWER;
            $this->drop();
            return null;
        }
        return $answer;
    }

    private function part(float $until): ?string
    {
        $length = $this->pipe->read(4, $until);
        if ($length === null) {
            return null;
        }
        $length = unpack('N', $length)[1];
        // Nothing that large is an answer; what it is, is not waited for.
        return $length > self::LONGEST_ANSWER ? null : $this->pipe->read($length, $until);
    }

    /** The document of an answer, or its error. */
    private static function read(#[\SensitiveParameter] array $answer): array
    {
        if ($answer['status'] < 0) {
            throw Error::of($answer['document'], $answer['status']);
        }
        return $answer['document'];
    }

    private static function message(#[\SensitiveParameter] array $ask, #[\SensitiveParameter] string $body): string
    {
        $document = Documents::encode($ask, 'params');
        foreach (['the request' => $document, 'the body' => $body] as $what => $part) {
            if (strlen($part) > self::LONGEST) {
                $found = strlen($part);
                throw Error::refused('invalid_params', "$what has $found bytes; allowed: " . self::LONGEST, 'Send less.');
            }
        }
        return pack('N', strlen($document)) . $document . pack('N', strlen($body)) . $body;
    }

    /** Nothing was asked. */
    protected function unreachable(string $why): Error
    {
        return $this->unavailable($why, 'not_sent', true, $this->advice());
    }

    private function unavailable(string $why, string $stage, bool $retry, string $advice): Error
    {
        $message = "{$this->name()}: $why";
        return Error::of(['code' => 'daemon_unavailable'] + compact('message', 'stage', 'retry', 'advice'));
    }

    /** Gives the connection up. */
    private function drop(): void
    {
        $pipe = $this->pipe;
        $this->pipe = null;
        // What is being carried out is left to end by itself, and what a parent opened is its own.
        $ours = $this->owner === getmypid() && (!$this->waiting || $pipe?->atEnd());
        $ours ? $pipe?->close() : $pipe?->leave();
        $this->waiting = false;
    }

    public function __destruct()
    {
        $this->drop();
    }

    private function __clone() {}

    public function __debugInfo(): array
    {
        return ['at' => $this->name()];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a client is opened anew where it is needed, not serialized');
    }
}
