<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Outcome;
use Bayar\Tests\Place;
use Bayar\Tests\Sandbox;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;
use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpFoundation\Response;

/** A test with a shop, the engine, and the sandbox. */
abstract class ShopCase extends TestCase
{
    protected Place $place;
    protected Shop $shop;

    protected function setUp(): void
    {
        $this->place = new Place();
        $this->shop = $this->shop(['file' => $this->place->config]);
        Route::middleware('web')->group(function () {
            Route::bayarCallback('callbacks/midtrans', 'midtrans');
        });
    }

    protected function tearDown(): void
    {
        Facade::clearResolvedInstances();
    }

    protected function shop(array $settings): Shop
    {
        return new Shop("{$this->place->path}/shop", $settings);
    }

    /** Registers a listener that credits, each transaction id once: what the documentation tells an application to do. */
    protected function credits(?\Closure $after = null): void
    {
        touch("{$this->shop->directory}/shop.db");
        Schema::create('credits', function ($table) {
            $table->string('transaction_id')->unique();
            $table->string('order_id');
            $table->integer('amount');
        });
        // An open database does not survive a fork.
        DB::disconnect();
        Event::listen(PaymentPaid::class, function (PaymentPaid $event) use ($after) {
            DB::table('credits')->insertOrIgnore([
                'transaction_id' => $event->transactionId,
                'order_id' => $event->outcome->orderId,
                'amount' => $event->outcome->amount->amount,
            ]);
            $after === null || $after($event);
        });
    }

    /** @return list<array{string, int}> order and amount */
    protected function credited(): array
    {
        return DB::table('credits')->get()->map(fn(object $row) => [$row->order_id, (int) $row->amount])->all();
    }

    protected function charge(?string $order = null): Outcome
    {
        return Sandbox::charge($this->shop->app->make('bayar'), $order);
    }

    /** The signed callback of a new order that was paid, and the order. */
    protected function paid(): array
    {
        $order = $this->charge()->orderId;
        return [$order, Sandbox::paid($order)];
    }

    /** Sends a callback to the shop. */
    protected function deliver(array $sent, string $uri = '/callbacks/midtrans'): Response
    {
        $server = ['REMOTE_ADDR' => '127.0.0.1', 'QUERY_STRING' => $sent['query'] ?? ''];
        return $this->shop->request($sent['method'] ?? 'POST', $uri, $sent['body'], $sent['headers'], $server);
    }

    /** The classes of what was reported. */
    protected function reported(): array
    {
        return array_map(fn(\Throwable $e) => $e::class, $this->shop->reported);
    }
}
