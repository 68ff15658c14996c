<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Capability;
use Bayar\Client;
use Bayar\Conflict;
use Bayar\Error;
use Bayar\Gateway;
use Bayar\InvalidParams;
use Bayar\NotPossible;
use Bayar\OrderNotFound;
use Bayar\Status;
use Bayar\Unauthorized;
use Bayar\UnknownAccount;
use PHPUnit\Framework\TestCase;

/** A client beside `bayar serve` itself. */
final class RealGatewayTest extends TestCase
{
    private Place $place;
    private Running $gateway;

    protected function setUp(): void
    {
        $this->place = new Place();
        file_put_contents($this->place->config, "\n[gateway]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:5000\"\n", FILE_APPEND);
        $this->gateway = Running::start($this->command('serve'), speaks: 2, ready: 'listening on http://');
    }

    protected function tearDown(): void
    {
        $this->gateway->stop();
    }

    /** @return list<string> */
    private function command(string ...$arguments): array
    {
        return [getenv('BAYAR_TARGET') . '/bayar', '--config', $this->place->config, ...$arguments];
    }

    private function application(string $code): Client
    {
        exec(implode(' ', array_map('escapeshellarg', $this->command('app', 'create', $code))), $lines);
        $this->assertSame(1, preg_match('/^X-Api-Key: (\S+)$/m', implode("\n", $lines), $key));
        return $this->open($code, $key[1]);
    }

    private function open(string $code, string $key): Client
    {
        preg_match('#http://\S+#', $this->gateway->line, $url);
        return Client::open(gateway: new Gateway($url[0], $code, $key));
    }

    public function testAPaymentFromChargeToCredit(): void
    {
        $bayar = $this->application('shop');
        $order = Sandbox::newOrder();
        $pending = Sandbox::charge($bayar, $order);
        $this->assertSame([$order, Status::Pending, 'bca'], [$pending->orderId, $pending->status, $pending->instruction->bank]);
        $this->assertSame($pending->intent, Sandbox::charge($bayar, $order)->intent, 'the same key');
        $this->assertSame(NotPossible::class, $this->caught(fn() => $bayar->claim($pending->intent, 'credit'))::class);
        Sandbox::control('POST', "midtrans/$pending->reference/paid");
        $this->assertTrue($bayar->status('midtrans', ['order_id' => $order])->creditable());
        $claim = $bayar->claim($pending->intent, 'credit');
        $this->assertSame([true, 'confirmed', false], [$claim->granted, $bayar->confirm($claim)->state, $bayar->claim($pending->intent, 'credit')->granted]);
        $this->assertSame([$pending->intent], array_column($bayar->intents(), 'id'));
        $this->assertSame($order, $bayar->intent($pending->intent)['intent']['order_id']);
    }

    public function testErrorsAreThoseOfTheEngine(): void
    {
        $bayar = $this->application('shop');
        $order = Sandbox::newOrder();
        Sandbox::charge($bayar, $order);
        $errors = [
            Conflict::class => fn() => $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 1, 'channel' => 'bca_va'], $order),
            InvalidParams::class => fn() => $bayar->call('midtrans', 'charge', ['amount' => 150000]),
            OrderNotFound::class => fn() => $bayar->status('midtrans', ['order_id' => Sandbox::newOrder()]),
            UnknownAccount::class => fn() => $bayar->describe('nobody'),
            Unauthorized::class => fn() => $this->open('shop', 'guessed')->version(),
        ];
        foreach ($errors as $class => $action) {
            $error = $this->caught($action);
            $this->assertSame([$class, false], [$error::class, $error->retry], $error->getMessage());
            $this->assertLessThan(0, $error->getCode());
            $this->assertNotSame('', $error->advice);
        }
    }

    public function testWhatItSaysOfItself(): void
    {
        $bayar = $this->application('shop');
        $this->assertSame($bayar->version(), $bayar->describe()['bayar']);
        $this->assertTrue($bayar->supports('midtrans', Capability::Charge));
        $this->assertFalse($bayar->supports('midtrans', Capability::Purchase));
        $this->assertContains('bca_va', array_column($bayar->channels('midtrans')->data['channels'], 'id'));
    }

    public function testOneApplicationDoesNotSeeAnothers(): void
    {
        $order = Sandbox::newOrder();
        $intent = Sandbox::charge($this->application('shop'), $order)->intent;
        $other = $this->application('other');
        $this->assertSame([], $other->intents());
        $this->caught(fn() => $other->claim($intent, 'credit'));
        $this->assertSame(OrderNotFound::class, $this->caught(fn() => $other->status('midtrans', ['order_id' => $order]))::class);
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
