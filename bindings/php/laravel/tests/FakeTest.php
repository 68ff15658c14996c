<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Client;
use Bayar\Laravel\Facades\Bayar;
use Bayar\Mode;

/** What an application's own tests do. */
final class FakeTest extends ShopCase
{
    public function testItTakesThePlaceOfTheClient(): void
    {
        $fake = Bayar::fake()->answers('charge', ['instruction' => ['kind' => 'redirect', 'url' => 'https://pay.example.com/1']]);
        $this->assertSame([$fake, $fake], [$this->shop->app->make(Client::class), $this->shop->app->make('bayar')]);
        $outcome = Bayar::charge('midtrans', ['order_id' => 'INV-17', 'amount' => 150000], 'invoice-17-attempt-1');
        $this->assertSame(['https://pay.example.com/1', Mode::Fake], [$outcome->instruction->url, Bayar::mode()]);
        $this->assertSame('INV-17', $fake->calls('charge')[0]['params']['order_id']);
    }

    public function testACallbackIsGenuineWhereTheTestSaysSo(): void
    {
        Bayar::fake()->answers('callback', ['order_id' => 'INV-17', 'amount' => 150000, 'intent' => 'I17']);
        $this->credits();
        $this->assertSame(200, $this->shop->request('POST', '/callbacks/midtrans', 'anything')->getStatusCode());
        $this->assertSame([['INV-17', 150000]], $this->credited());
        $this->assertSame(401, $this->shop->request('POST', '/callbacks/midtrans', 'anything')->getStatusCode());
        $this->assertSame(0, $this->shop->artisan('bayar:recover')[0]);
        $this->assertSame([['INV-17', 150000]], $this->credited());
    }
}
