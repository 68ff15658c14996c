<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Laravel\Events\PaymentChanged;
use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Status;
use Bayar\Tests\Sandbox;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Route;

/** Callbacks, from the HTTP kernel to the events. */
final class CallbackTest extends ShopCase
{
    public function testAGenuineCallbackIsCreditedOnce(): void
    {
        $calls = 0;
        $this->credits(function () use (&$calls) {
            $calls++;
        });
        [$order, $sent] = $this->paid();
        for ($i = 0; $i < 3; $i++) {
            $answer = $this->deliver($sent);
            $this->assertSame([200, 'application/json'], [$answer->getStatusCode(), $answer->headers->get('Content-Type')]);
        }
        $this->assertSame([1, [[$order, 150000]]], [$calls, $this->credited()]);
        $this->assertSame([], $this->shop->reported);
    }

    public function testAForgedOneIsNoEvent(): void
    {
        Event::listen('*', function (string $name) use (&$heard) {
            $heard[] = $name;
        });
        [$order, $sent] = $this->paid();
        $answer = $this->deliver(['body' => str_replace('150000', '150001', $sent['body'])] + $sent);
        $this->assertSame(401, $answer->getStatusCode());
        $this->assertSame(401, $this->deliver(['method' => 'GET'] + $sent)->getStatusCode(), 'Midtrans never does:');
        $this->assertNotContains(PaymentPaid::class, $heard);
        $this->assertNotContains(PaymentChanged::class, $heard);
        $this->assertSame([], $this->shop->reported, 'everybody may send nonsense:');
        $this->assertSame('pending', $this->shop->app->make('bayar')->intents(['order_id' => $order])[0]['state']);
    }

    public function testTheMiddlewareOfTheGroupStays(): void
    {
        Route::middleware('web')->post('form', fn() => 'sent');
        $this->assertSame(419, $this->shop->request('POST', '/form')->getStatusCode(), 'a form needs its token:');
        $this->assertSame(401, $this->shop->request('POST', '/callbacks/midtrans', '{}')->getStatusCode());
    }

    public function testTheBodyArrivesByteForByte(): void
    {
        Route::bayarCallback('callbacks/template', 'template');
        $order = Sandbox::newOrder();
        $params = ['order_id' => $order, 'amount' => 150000, 'channel' => 'va'];
        $this->shop->app->make('bayar')->charge('template', $params, $order);
        Sandbox::control('POST', "template/$order/paid");
        $sent = Sandbox::control('GET', "template/$order/callback");
        $this->credits();
        // Signed over the raw body: one blank more is another body.
        $this->assertSame(401, $this->deliver(['body' => " {$sent['body']}"] + $sent, '/callbacks/template')->getStatusCode());
        $this->assertSame(200, $this->deliver($sent, '/callbacks/template')->getStatusCode());
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    /** The biller calls by GET, with its token in the path and what it says in the query. */
    public function testPathAndQueryArrive(): void
    {
        Route::bayarCallback('callback/{token}', 'biller');
        $heard = [];
        Event::listen(PaymentChanged::class, function (PaymentChanged $event) use (&$heard) {
            $heard[] = [$event->outcome->orderId, $event->outcome->status, $event->outcome->delivery['serial'] ?? null];
        });
        $order = Sandbox::newOrder('B');
        $params = ['order_id' => $order, 'product' => 's5', 'destination' => '081200000001'];
        $this->shop->app->make('bayar')->call('biller', 'purchase', $params, $order);
        Sandbox::control('POST', "biller/$order/paid");
        $sent = Sandbox::control('GET', "biller/$order/callback");
        $query = $sent['query'] === '' ? '' : "?{$sent['query']}";
        $this->assertSame(401, $this->deliver($sent, "/callback/wrong$query")->getStatusCode());
        $this->assertSame(200, $this->deliver($sent, "/callback/biller-callback-token-EXAMPLE$query")->getStatusCode());
        $this->assertSame([[$order, Status::Done]], array_map(fn($one) => array_slice($one, 0, 2), $heard));
        $this->assertNotEmpty($heard[0][2]);
    }

    public function testOneAddressForEveryAccount(): void
    {
        Route::bayarCallback('pay/{account}');
        $this->credits();
        [$order, $sent] = $this->paid();
        $this->assertSame(200, $this->deliver($sent, '/pay/midtrans')->getStatusCode());
        $this->assertSame([[$order, 150000]], $this->credited());
        $this->assertSame(404, $this->deliver($sent, '/pay/nobody')->getStatusCode());
        $this->assertSame(404, $this->deliver($sent, '/pay/bayar')->getStatusCode());
        $this->assertSame([], $this->shop->reported);
        $this->expectExceptionMessage('name the account');
        Route::bayarCallback('pay');
    }

    public function testAListenerThatThrowsIsCalledAgain(): void
    {
        $transactions = [];
        $broken = true;
        $this->credits(function (PaymentPaid $event) use (&$transactions, &$broken) {
            $transactions[] = $event->transactionId;
            if ($broken) {
                throw new \DomainException('the invoice is locked');
            }
        });
        [$order, $sent] = $this->paid();
        $answer = $this->deliver($sent);
        $this->assertSame([503, '{"status":"try again"}'], [$answer->getStatusCode(), $answer->getContent()]);
        $this->assertSame([\DomainException::class], $this->reported());
        $broken = false;
        $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        $this->assertCount(2, $transactions);
        $this->assertCount(1, array_unique($transactions));
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    public function testWithoutAListenerNothingCountsAsCredited(): void
    {
        [$order, $sent] = $this->paid();
        $this->assertSame(503, $this->deliver($sent)->getStatusCode());
        $this->assertSame([\LogicException::class], $this->reported());
        $this->credits();
        $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    public function testOneProcessCreditsAtATime(): void
    {
        $inner = null;
        [$order, $sent] = $this->paid();
        $this->credits(function () use (&$inner, $sent) {
            // The provider's second attempt, while the first is at work.
            $inner ??= $this->deliver($sent)->getStatusCode();
        });
        $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        $this->assertSame(503, $inner);
        $this->assertSame([[$order, 150000]], $this->credited());
        $this->assertSame([], $this->shop->reported);
    }

    public function testManyProcessesCreditOnce(): void
    {
        $calls = "{$this->place->path}/calls";
        $this->credits(fn() => file_put_contents($calls, "x", FILE_APPEND));
        [$order, $sent] = $this->paid();
        $ended = $this->inChildren(8, function () use ($sent): int {
            return $this->deliver($sent)->getStatusCode() === 200 ? 0 : 1;
        });
        $this->assertContains(0, $ended);
        $this->assertSame([], array_diff($ended, [0, 1]), '200, or 503 while another was at work:');
        $this->assertSame('x', file_get_contents($calls), 'listeners were called once:');
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    public function testAListenerThatDiesAfterCreditingCreditsOnce(): void
    {
        $this->shop->app['config']->set('bayar.lease', 1);
        $marks = "{$this->place->path}/calls";
        $this->credits(function () use ($marks) {
            file_put_contents($marks, 'x', FILE_APPEND);
            if (file_get_contents($marks) === 'x') {
                posix_kill(getmypid(), SIGKILL); // credited, and not confirmed
            }
        });
        [$order, $sent] = $this->paid();
        $this->assertSame([-SIGKILL], $this->inChildren(1, fn() => $this->deliver($sent)->getStatusCode()));
        $this->assertSame([[$order, 150000]], $this->credited());
        // As the provider does it: again, until it is answered. The claim of the dead one has to run out.
        $end = hrtime(true) + 20e9;
        do {
            $status = $this->deliver($sent)->getStatusCode();
        } while ($status === 503 && hrtime(true) < $end);
        $this->assertSame([200, 'xx'], [$status, file_get_contents($marks)]);
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    /** Does it in so many forked children; their exit statuses, below 0 the signal that killed one. */
    private function inChildren(int $count, \Closure $work): array
    {
        $children = [];
        for ($i = 0; $i < $count; $i++) {
            $pid = pcntl_fork();
            if ($pid === 0) {
                pcntl_alarm(30);
                try {
                    $status = $work();
                } catch (\Throwable $failure) {
                    fwrite(STDERR, "$failure\n");
                    $status = 99;
                }
                // Without what PHPUnit and this test do at the end.
                file_put_contents("{$this->place->path}/child-" . getmypid(), (string) $status);
                posix_kill(getmypid(), SIGKILL);
            }
            $children[] = $pid;
        }
        return array_map(function (int $pid): int {
            pcntl_waitpid($pid, $how);
            $said = @file_get_contents("{$this->place->path}/child-$pid");
            return $said === false ? -pcntl_wtermsig($how) : (int) $said;
        }, $children);
    }

    public function testWhatIsNotPaidIsAChange(): void
    {
        $this->credits();
        $heard = [];
        Event::listen(PaymentChanged::class, function (PaymentChanged $event) use (&$heard) {
            $heard[] = [$event->outcome->orderId, $event->outcome->status, $event->outcome->review];
        });
        $order = $this->charge()->orderId;
        Sandbox::control('POST', "midtrans/$order/expired");
        $this->assertSame(200, $this->deliver(Sandbox::control('GET', "midtrans/$order/callback"))->getStatusCode());
        $this->assertSame([[$order, Status::Expired, null]], $heard);
        $this->assertSame([], $this->credited());
    }

    public function testWhatNobodyAskedForWaitsForAPerson(): void
    {
        $this->credits();
        $reviews = [];
        Event::listen(PaymentChanged::class, function (PaymentChanged $event) use (&$reviews) {
            $reviews[] = $event->outcome->review;
        });
        [, $sent] = $this->paid();
        // Another shop with the same credentials, whose journal never heard of it.
        $other = new \Bayar\Tests\Place();
        $this->shop->app['config']->set('bayar.file', $other->config);
        $this->shop->app->forgetInstance(\Bayar\Client::class);
        $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        $this->assertStringContainsString('no order of this journal', $reviews[0]);
        $this->assertSame([], $this->credited());
    }

    public function testTroubleOfOursIsAnsweredWithTryAgain(): void
    {
        $this->credits();
        [, $sent] = $this->paid();
        $this->shop->app['config']->set('bayar.file', '/nonexistent/bayar.toml');
        $this->shop->app->forgetInstance(\Bayar\Client::class);
        $this->assertSame(503, $this->deliver($sent)->getStatusCode());
        $this->assertSame([\Bayar\InvalidConfig::class], $this->reported());
        // Without a journal nothing can be claimed.
        $this->shop->app['config']->set('bayar.file', getenv('BAYAR_CONFIG'));
        $this->assertSame(503, $this->deliver($sent)->getStatusCode());
        $this->assertSame([], $this->credited());
        $this->assertStringContainsString('journal', end($this->shop->reported)->getMessage());
    }

    public function testAnEventGoesThroughAQueue(): void
    {
        Event::listen(PaymentPaid::class, function (PaymentPaid $event) use (&$heard) {
            $heard = $event;
        });
        [$order, $sent] = $this->paid();
        $this->deliver($sent);
        $copy = unserialize(serialize($heard));
        $this->assertEquals($heard, $copy);
        $this->assertSame([$order, 150000], [$copy->outcome->orderId, $copy->outcome->amount->amount]);
    }

    public function testItsRoutesCanBeCached(): void
    {
        Route::bayarCallback('pay/{account}');
        // What route:cache writes, and the next request reads.
        $router = $this->shop->app['router'];
        foreach ($router->getRoutes() as $route) {
            $route->prepareForSerialization();
        }
        $router->setCompiledRoutes(unserialize(serialize($router->getRoutes()->compile())));
        $this->credits();
        [$order, $sent] = $this->paid();
        $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        $this->assertSame([[$order, 150000]], $this->credited());
    }
}
