<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Bayar;
use Bayar\CallbackRefused;
use Bayar\Capability;
use Bayar\Client;
use Bayar\Conflict;
use Bayar\Error;
use Bayar\InProgress;
use Bayar\InvalidParams;
use Bayar\Mode;
use Bayar\NotPossible;
use Bayar\OutcomeUnknown;
use Bayar\Status;
use Nyholm\Psr7\ServerRequest;
use PHPUnit\Framework\TestCase;

final class FakeTest extends TestCase
{
    public function testWithoutAWordAChargeIsPending(): void
    {
        $bayar = Bayar::fake();
        $this->assertInstanceOf(Client::class, $bayar);
        $this->assertSame(Mode::Fake, $bayar->mode());
        $outcome = $bayar->charge('midtrans', ['order_id' => 'INV-1', 'amount' => 150000], 'k');
        $this->assertSame(['midtrans', 'INV-1', 150000, Status::Pending], [$outcome->account, $outcome->orderId, $outcome->amount->amount, $outcome->status]);
        $this->assertSame(Status::Pending, $bayar->status('midtrans', ['order_id' => 'INV-1'])->status);
        $this->assertSame([['account' => 'midtrans', 'operation' => 'charge', 'params' => ['order_id' => 'INV-1', 'amount' => 150000, 'key' => 'k']]], $bayar->calls('charge'));
        $this->assertSame(['charge', 'status'], array_column($bayar->calls(), 'operation'));
    }

    public function testWhatIsSaidComesInItsOrder(): void
    {
        $bayar = Bayar::fake()
            ->answers('charge', ['instruction' => ['kind' => 'virtual_account', 'bank' => 'bca', 'number' => '123']])
            ->refuses('charge', 'outcome_unknown', stage: 'maybe_sent', retry: true)
            ->answers('status', ['status' => 'paid']);
        $this->assertSame('123', $bayar->charge('a', ['amount' => 1], 'k1')->instruction->vaNumber);
        try {
            $bayar->charge('a', ['amount' => 1], 'k2');
            $this->fail('it was not refused');
        } catch (OutcomeUnknown $error) {
            $this->assertSame(['maybe_sent', true, -64], [$error->stage, $error->retry, $error->getCode()]);
        }
        $this->assertSame(Status::Pending, $bayar->charge('a', ['amount' => 1], 'k2')->status);
        $this->assertTrue($bayar->status('a', ['order_id' => 'x'])->creditable());
    }

    public function testKeysMeanWhatTheyMean(): void
    {
        $bayar = Bayar::fake();
        $first = $bayar->charge('a', ['amount' => 1], 'k');
        $this->assertSame($first->intent, $bayar->charge('a', ['amount' => 1], 'k')->intent);
        foreach ([Conflict::class => fn() => $bayar->charge('a', ['amount' => 2], 'k'), InvalidParams::class => fn() => $bayar->call('a', 'charge', ['amount' => 1])] as $class => $action) {
            $this->assertSame($class, $this->thrown($action));
        }
        $this->assertSame(InvalidParams::class, $this->thrown(fn() => $bayar->charge('a', ['amount' => 1.5], 'k3')));
    }

    public function testACallbackIsGenuineOnlyWhereItIsSaid(): void
    {
        $bayar = Bayar::fake();
        $this->assertSame(CallbackRefused::class, $this->thrown(fn() => $bayar->callback('a', '', [])));
        $bayar->answers('callback', ['order_id' => 'INV-1', 'amount' => 150000]);
        $callback = $bayar->callback('a', 'body', ['X-Y' => 'z']);
        $this->assertSame(['INV-1', true, 200], [$callback->outcome->orderId, $callback->outcome->creditable(), $callback->acknowledgement->status]);
        $this->assertSame('body', $bayar->calls('callback')[1]['params']['body']);
    }

    public function testHeadersInEveryForm(): void
    {
        $forms = [
            ['X-A' => '1', 'X-B' => '2', '17' => '3'],
            ['X-A' => ['1'], 'X-B' => ['2'], '17' => ['3']],
            [['X-A', '1'], ['X-B', '2'], ['17', 3]],
        ];
        foreach ($forms as $headers) {
            $bayar = Bayar::fake()->answers('callback');
            $bayar->callback('a', '', $headers);
            $this->assertSame([['X-A', '1'], ['X-B', '2'], ['17', '3']], $bayar->calls('callback')[0]['params']['headers']);
        }
        $bayar->answers('callback')->callback('a', '', ['X-A' => ['1', '2']]);
        $this->assertSame([['X-A', '1'], ['X-A', '2']], $bayar->calls('callback')[1]['params']['headers']);
        foreach ([['X-A' => null], ['X-A' => [['1']]], [[1, '2']], [new \stdClass()]] as $wrong) {
            $this->assertSame(Error::class, $this->thrown(fn() => $bayar->callback('a', '', $wrong)));
        }
    }

    public function testARequestOfPsr7IsWhatArrived(): void
    {
        $server = ['REMOTE_ADDR' => '192.0.2.7', 'QUERY_STRING' => 'a=%2f&b=%7E'];
        $request = new ServerRequest('PUT', 'https://shop.example.com/callback/x?a=%2F', ['X-A' => ['1', '2']], "raw\0body", '1.1', $server);
        $bayar = Bayar::fake()->answers('callback');
        $bayar->receive('a', $request);
        $expected = ['body' => "raw\0body", 'method' => 'PUT', 'path' => '/callback/x', 'query' => 'a=%2f&b=%7E', 'headers' => [['Host', 'shop.example.com'], ['X-A', '1'], ['X-A', '2']], 'remote_addr' => '192.0.2.7'];
        $this->assertSame($expected, $bayar->calls('callback')[0]['params']);
    }

    public function testAnEffectIsGrantedOnce(): void
    {
        $bayar = Bayar::fake();
        $claim = $bayar->claim('I1', 'credit');
        $this->assertSame([true, 1], [$claim->granted, $claim->fence]);
        $this->assertSame(InProgress::class, $this->thrown(fn() => $bayar->claim('I1', 'credit')));
        $bayar->release($claim);
        $second = $bayar->claim('I1', 'credit');
        $this->assertSame([true, 2, $claim->transactionId], [$second->granted, $second->fence, $second->transactionId]);
        $this->assertSame(NotPossible::class, $this->thrown(fn() => $bayar->confirm($claim)));
        $bayar->confirm($second);
        $this->assertFalse($bayar->claim('I1', 'credit')->granted);
        $this->assertTrue($bayar->claim('I1', 'another')->granted);
    }

    public function testWhatAnAccountCanDoIsSaid(): void
    {
        $bayar = Bayar::fake()->describes('a', ['charge'], callback: false);
        $this->assertTrue($bayar->supports('a', Capability::Charge));
        $this->assertFalse($bayar->supports('a', Capability::Callback));
        $this->assertFalse($bayar->supports('a', 'refund'));
        $this->assertSame(0, $bayar->recover()['looked']);
        $this->assertSame([], $bayar->intents());
    }

    private function thrown(callable $action): string
    {
        try {
            $action();
        } catch (Error $error) {
            return $error::class;
        }
        $this->fail('nothing was refused');
    }
}
