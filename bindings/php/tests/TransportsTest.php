<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Acknowledgement;
use Bayar\CallbackRefused;
use Bayar\Capability;
use Bayar\Client;
use Bayar\Conflict;
use Bayar\Error;
use Bayar\InvalidConfig;
use Bayar\InvalidParams;
use Bayar\Mode;
use Bayar\Money;
use Bayar\NotPossible;
use Bayar\OrderNotFound;
use Bayar\Status;
use Nyholm\Psr7\ServerRequest;
use PHPUnit\Framework\TestCase;

/** What holds whichever way the engine is reached on one machine. */
final class TransportsTest extends TestCase
{
    private Place $place;
    private ?Daemon $daemon = null;

    protected function setUp(): void
    {
        $this->place = new Place();
    }

    protected function tearDown(): void
    {
        $this->daemon?->stop();
    }

    private function open(Mode $mode): Client
    {
        if ($mode === Mode::Socket) {
            $this->daemon ??= new Daemon($this->place);
            return Client::open(socket: $this->daemon->socket);
        }
        return Client::open($this->place->config, mode: $mode, binary: getenv('BAYAR_TARGET') . '/bayar');
    }

    public function modes(): array
    {
        return ['native' => [Mode::Native], 'socket' => [Mode::Socket], 'process' => [Mode::Process]];
    }

    /** @dataProvider modes */
    public function testAPaymentFromChargeToCredit(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $this->assertSame($mode, $bayar->mode());
        $order = Sandbox::newOrder();
        $pending = Sandbox::charge($bayar, $order);
        $this->assertSame([$order, Status::Pending], [$pending->orderId, $pending->status]);
        $this->assertEquals(new Money(150000), $pending->amount);
        $this->assertSame($pending['instruction']['number'], $pending->instruction->vaNumber);

        $sent = Sandbox::paid($order);
        $callback = $bayar->callback('midtrans', $sent['body'], $sent['headers'], remoteAddr: '127.0.0.1');
        $this->assertEquals(new Acknowledgement(200, $callback->acknowledgement->body, 'application/json'), $callback->acknowledgement);
        $this->assertSame([$order, Status::Paid, true], [$callback->outcome->orderId, $callback->outcome->status, $callback->outcome->creditable()]);
        $this->assertSame($pending->intent, $callback->outcome->intent);

        $claim = $bayar->claim($pending->intent, 'credit');
        $this->assertTrue($claim->granted);
        $this->assertSame('confirmed', $bayar->confirm($claim)->state);
        $this->assertFalse($bayar->claim($pending->intent, 'credit')->granted);
        $this->assertSame([$pending->intent], array_column($bayar->intents(), 'id'));
        $this->assertSame($order, $bayar->intent($pending->intent)['intent']['order_id']);
        $this->assertSame(0, $bayar->recover()['looked']);
    }

    /** @dataProvider modes */
    public function testTheSameKeyIsTheSamePayment(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $order = Sandbox::newOrder();
        $first = Sandbox::charge($bayar, $order);
        $this->assertSame($first->intent, Sandbox::charge($this->open($mode), $order)->intent);
        $this->expectException(Conflict::class);
        $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 1, 'channel' => 'bca_va'], $order);
    }

    /** @dataProvider modes */
    public function testErrorsAreThoseOfTheEngine(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $error = $this->caught(fn() => $bayar->status('midtrans', ['order_id' => Sandbox::newOrder()]));
        $this->assertSame([OrderNotFound::class, -62, 'answered', 200], [$error::class, $error->getCode(), $error->stage, $error->provider['http_status']]);
        $error = $this->caught(fn() => $bayar->charge('midtrans', ['amount' => 1.5], 'k'));
        $this->assertSame([InvalidParams::class, -7, 'not_sent', 'amount', false], [$error::class, $error->getCode(), $error->stage, $error->field, $error->retry]);
        $this->assertSame(NotPossible::class, $this->caught(fn() => $bayar->claim(Sandbox::charge($bayar)->intent, 'credit'))::class);
        $this->assertSame('unknown_account', $this->caught(fn() => $bayar->describe('nobody'))->name);
        $this->assertSame('invalid_params', $this->caught(fn() => $bayar->call('midtrans', 'charge', ['amount' => 150000]))->name, 'without a key');
        foreach ([['amount' => NAN], ['description' => "\xff"]] as $params) {
            $this->assertSame('invalid_params', $this->caught(fn() => $bayar->charge('midtrans', $params, 'k'))->name);
        }
    }

    /** @dataProvider modes */
    public function testAForgedCallbackHasNoOutcomeAndIsAnswered(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $order = Sandbox::newOrder();
        Sandbox::charge($bayar, $order);
        $sent = Sandbox::paid($order);
        $forged = str_replace('150000', '150001', $sent['body']);
        $this->assertNotSame($forged, $sent['body']);
        $error = $this->caught(fn() => $bayar->callback('midtrans', $forged, $sent['headers']));
        $this->assertSame([CallbackRefused::class, 401], [$error::class, $error->acknowledgement->status]);
        foreach (["\0\xff\n", '', str_repeat('a', 700_000)] as $body) {
            $this->assertSame(401, $this->caught(fn() => $bayar->callback('midtrans', $body, []))->acknowledgement->status);
        }
        // Whatever else happens, there is an answer.
        $this->assertSame(400, $this->caught(fn() => $bayar->callback('midtrans', '', ['X' => "\xff"]))->acknowledgement->status);
        $this->assertSame(503, $this->caught(fn() => $bayar->callback('nobody', '', []))->acknowledgement->status);
    }

    /** @dataProvider modes */
    public function testABodyArrivesByteForByte(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $order = Sandbox::newOrder();
        Sandbox::charge($bayar, $order);
        $sent = Sandbox::paid($order);
        $request = new ServerRequest('POST', 'https://shop.example.com/callback?a=%2f', [], $sent['body'], '1.1', ['REMOTE_ADDR' => '127.0.0.1', 'QUERY_STRING' => 'a=%2f']);
        foreach ($sent['headers'] as [$name, $value]) {
            $request = $request->withAddedHeader($name, $value);
        }
        $request->getBody()->getContents(); // read before: it must not matter
        $this->assertTrue($bayar->receive('midtrans', $request)->outcome->creditable());
    }

    /** @dataProvider modes */
    public function testWhatAnAccountCanDo(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $this->assertSame($bayar->version(), $bayar->describe()['bayar']);
        $this->assertSame('midtrans', $bayar->describe('midtrans')['account']);
        $this->assertTrue($bayar->supports('midtrans', Capability::Charge));
        $this->assertTrue($bayar->supports('midtrans', Capability::Callback));
        $this->assertTrue($bayar->supports('midtrans', 'approve'));
        $this->assertFalse($bayar->supports('midtrans', Capability::Purchase));
        $this->assertFalse($bayar->supports('midtrans', 'callback'), 'which is no operation');
    }

    /** @dataProvider modes */
    public function testRecordsAreOfThisClientAndTakenOnce(Mode $mode): void
    {
        $bayar = $this->open($mode);
        $order = Sandbox::newOrder();
        Sandbox::charge($bayar, $order);
        $sent = Sandbox::paid($order);
        $bayar->callback('midtrans', $sent['body'], $sent['headers']);
        $other = $this->open($mode);
        $this->assertSame([], $other->drainLog());
        $this->assertStringContainsString("callback for $order is genuine", implode(' ', array_column($bayar->drainLog(), 'message')));
        $this->assertSame([], $bayar->drainLog());
    }

    /** @dataProvider modes */
    public function testForkedChildrenGetTheirOwnAnswers(Mode $mode): void
    {
        $bayar = $this->open($mode);
        Sandbox::charge($bayar);
        $children = [];
        for ($i = 0; $i < 4; $i++) {
            $pid = pcntl_fork();
            if ($pid === 0) {
                // No test of PHPUnit's goes on here, and no destructor of the parent's things.
                pcntl_alarm(30);
                $right = true;
                for ($j = 0; $j < 5; $j++) {
                    $order = Sandbox::newOrder("FORK$i");
                    $right = $right && Sandbox::charge($bayar, $order)->orderId === $order;
                }
                unset($bayar);
                posix_kill(getmypid(), $right ? SIGKILL : SIGTERM);
            }
            $children[] = $pid;
        }
        $order = Sandbox::newOrder();
        $this->assertSame($order, Sandbox::charge($bayar, $order)->orderId, 'the parent goes on');
        foreach ($children as $child) {
            pcntl_waitpid($child, $status);
            $this->assertSame(SIGKILL, pcntl_wtermsig($status), 'a child got another answer (15) or hung (14)');
        }
        $this->assertSame($order, $bayar->status('midtrans', ['order_id' => $order])->orderId);
    }

    /** @dataProvider modes */
    public function testAConfigurationThatCannotBeUsed(Mode $mode): void
    {
        if ($mode === Mode::Socket) {
            $this->addToAssertionCount(1); // the daemon has it
            return;
        }
        $error = $this->caught(fn() => Client::open('[providers.midtrans', mode: $mode, binary: getenv('BAYAR_TARGET') . '/bayar')->version());
        $this->assertSame(InvalidConfig::class, $error::class);
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
