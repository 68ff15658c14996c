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
        file_put_contents($this->place->config, "\n[gateway]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:5000\"\nallow_private_callbacks = true\n", FILE_APPEND);
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

    private function application(string $code, string $callbacks = ''): Client
    {
        $key = $this->say('/^X-Api-Key: (\S+)$/m', 'app', 'create', $code, '--callback-url', $callbacks);
        return $this->open($code, $key, $callbacks === '' ? [] : [$this->say('/(whsec_\S+)/', 'app', 'secret', $code)]);
    }

    /** What the command says, as far as it is asked for. */
    private function say(string $pattern, string ...$arguments): string
    {
        exec(implode(' ', array_map('escapeshellarg', $this->command(...$arguments))), $lines);
        $this->assertSame(1, preg_match($pattern, implode("\n", $lines), $found), implode("\n", $lines));
        return $found[1];
    }

    private function open(string $code, string $key, array $secrets = []): Client
    {
        preg_match('#http://\S+#', $this->gateway->line, $url);
        return Client::open(gateway: new Gateway($url[0], $code, $key, $secrets));
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

    public function testItsCallbacksAreGenuine(): void
    {
        file_put_contents("{$this->place->path}/answers.json", '{"POST /callback": {"status": 200, "body": "{}"}}');
        $shop = Running::start([PHP_BINARY, __DIR__ . '/programs/http.php', $this->place->path]);
        $bayar = $this->application('shop', "$shop->line/callback");
        $order = Sandbox::newOrder();
        $pending = Sandbox::charge($bayar, $order);
        Sandbox::control('POST', "midtrans/$pending->reference/paid");
        $bayar->status('midtrans', ['order_id' => $order]); // the gateway learns of it, and tells
        $this->assertSame("POST /callback\n", $shop->hear());
        $shop->stop();
        [$line] = file("{$this->place->path}/requests");
        $request = json_decode($line, true);
        $callback = $bayar->callback('midtrans', $request['body'], $request['headers']);
        $this->assertSame([$order, $pending->intent, true], [$callback->outcome->orderId, $callback->outcome->intent, $callback->outcome->creditable()]);
        $forged = str_replace('150000', '150001', $request['body']);
        $this->assertSame(401, $this->caught(fn() => $bayar->callback('midtrans', $forged, $request['headers']))->acknowledgement->status);
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
