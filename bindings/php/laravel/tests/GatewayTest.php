<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Laravel\Facades\Bayar;
use Bayar\Mode;
use Bayar\Tests\Running;
use Bayar\Tests\Sandbox;
use Illuminate\Support\Facades\Route;

/** With `bayar serve` between the application and the providers. */
final class GatewayTest extends ShopCase
{
    /** How long anything may take here, in seconds. */
    private const PATIENCE = 30;

    /** @var resource where the gateway tells the shop */
    private $listener;
    private ?Running $gateway = null;

    protected function setUp(): void
    {
        parent::setUp();
        $this->listener = stream_socket_server('tcp://127.0.0.1:0');
        $hook = 'http://' . stream_socket_get_name($this->listener, false) . '/callbacks/gateway';
        $own = "\n[gateway]\nlisten = \"127.0.0.1:0\"\nsecret_key = \"of the tests\"\nallow_private_callbacks = true\nrecover_seconds = 0\n";
        file_put_contents($this->place->config, $own, FILE_APPEND);
        $this->assertSame(1, preg_match('/X-Api-Key: (\S+)/', $this->bayar('app', 'create', 'shop', '--callback-url', $hook), $key));
        $this->gateway = Running::start([getenv('BAYAR_TARGET') . '/bayar', '--config', $this->place->config, 'serve']);
        $this->assertSame(1, preg_match('#listening on (http://\S+:\d+)#', $this->gateway->line, $url), $this->gateway->line);
        $secret = trim($this->bayar('app', 'secret', 'shop'));
        $this->shop = $this->shop(['file' => null, 'gateway' => ['url' => $url[1], 'app_code' => 'shop', 'api_key' => $key[1], 'webhook_secrets' => $secret]]);
        Route::bayarCallback('callbacks/gateway', 'gateway');
    }

    protected function tearDown(): void
    {
        $this->gateway?->stop();
        parent::tearDown();
    }

    private function bayar(string ...$arguments): string
    {
        $process = proc_open([getenv('BAYAR_TARGET') . '/bayar', '--config', $this->place->config, ...$arguments], [['null'], ['pipe', 'w'], STDERR], $pipes);
        $said = stream_get_contents($pipes[1]);
        $this->assertSame(0, proc_close($process), $said);
        return $said;
    }

    /** A paid order, which the gateway finds out by asking: nobody has told the sandbox where to call. */
    private function paidAndAsked(): string
    {
        $order = $this->charge()->orderId;
        Sandbox::control('POST', "midtrans/$order/paid");
        $this->assertSame('paid', Bayar::status('midtrans', ['order_id' => $order])->status->value);
        return $order;
    }

    /** Waits for what the gateway tells, and has the shop answer it, or nobody; the status. */
    private function told(bool $answered = true): ?int
    {
        $connection = stream_socket_accept($this->listener, self::PATIENCE);
        [$headers, $length] = [[], 0];
        $first = fgets($connection);
        while (($line = rtrim(fgets($connection))) !== '') {
            $headers[] = explode(': ', $line, 2);
            $length = strcasecmp(end($headers)[0], 'content-length') === 0 ? (int) end($headers)[1] : $length;
        }
        $body = stream_get_contents($connection, $length);
        $status = null;
        if ($answered) {
            [$method, $path] = explode(' ', $first);
            $status = $this->shop->request($method, $path, $body, $headers)->getStatusCode();
            fwrite($connection, "HTTP/1.1 $status Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        fclose($connection);
        return $status;
    }

    public function testWhatTheGatewayTellsIsCreditedOnce(): void
    {
        $this->assertSame(Mode::Gateway, Bayar::mode());
        $this->credits();
        $order = $this->paidAndAsked();
        $this->assertSame(200, $this->told());
        $this->assertSame([[$order, 150000]], $this->credited());
        $this->assertSame([0, "0 looked at, 0 settled, 0 credited\n"], $this->shop->artisan('bayar:recover'));
        $this->assertSame([[$order, 150000]], $this->credited());
        $this->assertSame(401, $this->shop->request('POST', '/callbacks/gateway', '{"type":"charge.paid"}')->getStatusCode());
        $this->assertSame([], $this->reported());
    }

    public function testWhatItCouldNotTellIsCreditedByRecovery(): void
    {
        $this->credits();
        $order = $this->paidAndAsked();
        $this->told(answered: false);
        $this->assertSame([], $this->credited());
        [$status, $said] = $this->shop->artisan('bayar:recover');
        $this->assertSame(0, $status);
        $this->assertStringContainsString('1 credited', $said);
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    public function testTheDoctorSaysWhatConcernsTheApplication(): void
    {
        $this->credits();
        [$status, $said] = $this->shop->artisan('bayar:doctor');
        $this->assertSame(0, $status, $said);
        $this->assertStringContainsString("the mode 'gateway'", $said);
        $this->assertDoesNotMatchRegularExpression('/^\w+ +(journal|routes|configuration)/m', $said);
    }
}
