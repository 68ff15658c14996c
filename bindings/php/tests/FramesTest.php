<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Client;
use Bayar\Error;
use Bayar\Mode;
use Bayar\Unavailable;
use PHPUnit\Framework\TestCase;

/** What becomes of a call where the other side breaks. */
final class FramesTest extends TestCase
{
    private Place $place;
    private ?Running $server = null;

    protected function setUp(): void
    {
        $this->place = new Place();
    }

    protected function tearDown(): void
    {
        $this->server?->stop();
    }

    private function misbehaving(string $behaviour): Client
    {
        $socket = "{$this->place->path}/fake.sock";
        $this->server = Running::start([PHP_BINARY, __DIR__ . '/programs/frames.php', $socket, $behaviour]);
        return Client::open(socket: $socket);
    }

    /** @return list<string> what the fake daemon was asked: the number of the connection, and what */
    private function asked(): array
    {
        return file("{$this->place->path}/fake.sock.asked", FILE_IGNORE_NEW_LINES);
    }

    /**
     * @testWith ["closes after the request"]
     *           ["closes within the answer"]
     *           ["answers no JSON"]
     *           ["answers without end"]
     */
    public function testAfterTheRequestNobodyKnows(string $behaviour): void
    {
        $bayar = $this->misbehaving($behaviour);
        $error = $this->caught(fn() => $bayar->charge('a', ['amount' => 1], 'k'));
        $this->assertSame([Unavailable::class, 'daemon_unavailable', 0], [$error::class, $error->name, $error->getCode()]);
        $this->assertSame(['maybe_sent', true], [$error->stage, $error->retry], $error->getMessage());
        $this->assertStringContainsString('same key', $error->advice);
        $this->assertSame(['1 hello', '1 call'], $this->asked(), 'asked again by itself');

        $error = $this->caught(fn() => $bayar->call('a', 'expire'));
        $this->assertSame(['maybe_sent', false], [$error->stage, $error->retry], 'without a key');

        $error = $this->caught(fn() => $bayar->callback('a', '', []));
        $this->assertSame([503, true], [$error->acknowledgement->status, $error->retry], 'the provider is to send it again');
    }

    public function testBeforeTheRequestNothingWasSent(): void
    {
        $bayar = $this->misbehaving('hears nothing');
        // More than a socket takes at once, so that the end is met while it is written.
        $error = $this->caught(fn() => $bayar->charge('a', ['description' => str_repeat('a', 1_000_000)], 'k'));
        $this->assertSame(['daemon_unavailable', 'not_sent', true], [$error->name, $error->stage, $error->retry], $error->getMessage());
        $this->assertSame(['1 hello', '2 hello'], $this->asked(), 'tried once more, and not a third time');
    }

    public function testNobodyListens(): void
    {
        $bayar = Client::open(socket: "{$this->place->path}/nobody.sock");
        $error = $this->caught(fn() => $bayar->charge('a', ['amount' => 1], 'k'));
        $this->assertSame(['daemon_unavailable', 'not_sent', true], [$error->name, $error->stage, $error->retry]);
        $this->assertStringContainsString('bayar daemon', $error->advice);
    }

    /**
     * @testWith ["refuses", "untrusted", "the daemon refuses this program"]
     *           ["is something else", "daemon_unavailable", "no answer of a daemon"]
     */
    public function testItWillNotSpeak(string $behaviour, string $code, string $says): void
    {
        $error = $this->caught(fn() => $this->misbehaving($behaviour)->charge('a', ['amount' => 1], 'k'));
        $this->assertSame([$code, 'not_sent'], [$error->name, $error->stage], $error->getMessage());
        $this->assertStringContainsString($says, $error->getMessage());
    }

    public function testAConnectionThatWasClosedMeanwhileIsOpenedAnew(): void
    {
        $bayar = $this->misbehaving('closes after the answer');
        $this->assertSame('I1', $bayar->charge('a', ['amount' => 1], 'k')->intent);
        // The end of the first is there once the second client is let in.
        $this->assertSame('9.9', Client::open(socket: "{$this->place->path}/fake.sock")->version());
        $this->assertSame('I3', $bayar->charge('a', ['amount' => 1], 'k')->intent);
        $this->assertSame(['1 hello', '1 call', '2 hello', '3 hello', '3 call'], $this->asked());
    }

    public function testAnAnswerThatNobodyAskedForIsNobodysAnswer(): void
    {
        $bayar = $this->misbehaving('speaks without being asked');
        $this->assertSame('I1', $bayar->charge('a', ['amount' => 1], 'k')->intent);
        $this->assertSame('I2', $bayar->charge('a', ['amount' => 1], 'k')->intent);
    }

    public function testTooMuchIsNotSent(): void
    {
        $bayar = $this->misbehaving('answers');
        $error = $this->caught(fn() => $bayar->charge('a', ['description' => str_repeat('a', 1024 * 1024)], 'k'));
        $this->assertSame(['invalid_params', 'not_sent'], [$error->name, $error->stage]);
        $error = $this->caught(fn() => $bayar->callback('a', str_repeat('a', 1024 * 1024 + 1), []));
        $this->assertStringContainsString('1048577 bytes; allowed: 1048576', $error->getMessage());
        $this->assertSame('I1', $bayar->callback('a', str_repeat('a', 1024 * 1024), [])->outcome->intent);
    }

    public function testASocketWhereEverybodyMayMakeFiles(): void
    {
        chmod($this->place->path, 01777);
        $error = $this->caught(fn() => $this->misbehaving('answers')->version());
        $this->assertSame(['untrusted', 'socket'], [$error->name, $error->field]);
        $this->assertSame('invalid_config', $this->caught(fn() => Client::open(socket: 'bayar.sock')->version())->name);
    }

    public function testADaemonThatWasStoppedAndStarted(): void
    {
        $daemon = new Daemon($this->place);
        $bayar = Client::open(socket: $daemon->socket);
        $order = Sandbox::newOrder();
        $first = Sandbox::charge($bayar, $order);
        $daemon->stop(SIGKILL);
        $this->assertSame('not_sent', $this->caught(fn() => Sandbox::charge($bayar, $order))->stage);
        $daemon->start();
        $this->assertSame($first->intent, Sandbox::charge($bayar, $order)->intent);
        $daemon->stop();
    }

    public function testAProcessThatWasKilledIsStartedAnewAndEndsWithItsClient(): void
    {
        $bayar = $this->process();
        $order = Sandbox::newOrder();
        $first = Sandbox::charge($bayar, $order);
        [$child] = $this->children();
        posix_kill($child, SIGKILL);
        pcntl_waitpid($child, $status); // until it is gone, and its end of the pipes
        $this->assertSame($first->intent, Sandbox::charge($bayar, $order)->intent);
        $this->assertCount(1, $this->children());
        $this->assertNotSame([$child], $this->children());
        unset($bayar);
        $this->assertSame([], $this->children(), 'one is left');
    }

    public function testAProcessEndsThoughAForkedChildLivesOn(): void
    {
        $bayar = $this->process();
        Sandbox::charge($bayar);
        [$engine] = $this->children();
        $child = pcntl_fork();
        if ($child === 0) {
            // It has inherited the pipe, and never uses it.
            pcntl_alarm(30);
            pcntl_sigwaitinfo([SIGUSR1]);
        }
        unset($bayar);
        $this->assertSame([$child], $this->children(), "the engine $engine is left");
        $this->assertSame(0, pcntl_waitpid($child, $status, WNOHANG), 'it was waited for until the child had ended');
        posix_kill($child, SIGKILL);
        pcntl_waitpid($child, $status);
    }

    /**
     * @testWith ["/bin/true", "connection broke"]
     *           ["/bin/echo", "no answer of a daemon"]
     */
    public function testAProgramThatIsNoEngine(string $program, string $says): void
    {
        $bayar = Client::open($this->place->config, mode: Mode::Process, binary: $program);
        $error = $this->caught(fn() => $bayar->charge('a', ['amount' => 1], 'k'));
        $this->assertSame(['daemon_unavailable', 'not_sent'], [$error->name, $error->stage], $error->getMessage());
        $this->assertStringContainsString($says, $error->getMessage());
        $this->assertSame([], $this->children(), 'one is left');
    }

    public function testWhatAProcessSaidIsPassedOn(): void
    {
        $program = "{$this->place->path}/bayar";
        file_put_contents($program, "#!/bin/sh\necho 'the disk is on fire' >&2\n");
        chmod($program, 0755);
        $error = $this->caught(fn() => Client::open($this->place->config, mode: Mode::Process, binary: $program)->version());
        $this->assertStringContainsString('It said: the disk is on fire', $error->advice);
    }

    private function process(): Client
    {
        return Client::open($this->place->config, mode: Mode::Process, binary: getenv('BAYAR_TARGET') . '/bayar');
    }

    /** @return list<int> the processes that this one has started and that are there still, ended ones included */
    private function children(): array
    {
        $ids = trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'));
        return $ids === '' ? [] : array_map('intval', explode(' ', $ids));
    }

    private function caught(callable $action): Error
    {
        try {
            $action();
        } catch (Error $error) {
            return $error;
        }
        $this->fail('nothing was refused');
    }
}
