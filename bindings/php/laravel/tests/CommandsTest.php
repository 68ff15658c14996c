<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Laravel\Events\PaymentChanged;
use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Laravel\Facades\Bayar;
use Bayar\Laravel\Payments;
use Bayar\Tests\Sandbox;
use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Route;

/** bayar:recover and bayar:doctor. */
final class CommandsTest extends ShopCase
{
    public function testALostCallbackIsHealed(): void
    {
        $this->credits();
        $order = $this->charge()->orderId;
        Sandbox::control('POST', "midtrans/$order/paid");
        [$status, $said] = $this->shop->artisan('bayar:recover');
        $this->assertSame([0, "0 looked at, 0 settled, 0 credited\n"], [$status, $said], 'its time has not come:');
        [$status, $said] = $this->shop->artisan('bayar:recover --now');
        $this->assertSame(0, $status);
        $this->assertStringContainsString("midtrans charge $order: pending → paid\n", $said);
        $this->assertStringContainsString("1 looked at, 1 settled, 1 credited\n", $said);
        $this->assertSame([[$order, 150000]], $this->credited());
        // The callback comes after all; another run looks again.
        $this->assertSame(200, $this->deliver(Sandbox::control('GET', "midtrans/$order/callback"))->getStatusCode());
        [$status, $said] = $this->shop->artisan('bayar:recover --now --quiet');
        $this->assertSame([0, ''], [$status, $said]);
        $this->assertSame([[$order, 150000]], $this->credited());
    }

    public function testWhatAListenerMissedIsCreditedLater(): void
    {
        $broken = true;
        $events = [];
        $this->credits(function (PaymentPaid $event) use (&$broken, &$events) {
            $events[] = $event;
            if ($broken) {
                throw new \DomainException('the invoice is locked');
            }
        });
        [$order, $sent] = $this->paid();
        // The provider gives up after this one.
        $this->assertSame(503, $this->deliver($sent)->getStatusCode());
        [$status, $said] = $this->shop->artisan('bayar:recover --quiet');
        $intent = $events[0]->outcome->intent;
        $this->assertSame([1, "$intent  a listener failed: the invoice is locked\n"], [$status, $said]);
        $this->assertSame([\DomainException::class, \DomainException::class], $this->reported());
        $broken = false;
        [$status, $said] = $this->shop->artisan('bayar:recover');
        $this->assertSame([0, "$intent  credited\n0 looked at, 0 settled, 1 credited\n"], [$status, $said]);
        $this->assertSame([[$order, 150000]], $this->credited());
        // Read from the journal, the event is the one that the callback made.
        $read = fn(PaymentPaid $event) => [$event->transactionId, ...array_map(fn(string $part) => $event->outcome->$part,
            ['intent', 'account', 'provider', 'orderId', 'reference', 'providerReference', 'status', 'review', 'tenant'])];
        $this->assertSame($read($events[0]), $read($events[2]));
        $this->assertEquals($events[0]->outcome->amount, $events[2]->outcome->amount);
        $this->assertCount(1, array_unique(array_column($events, 'transactionId')));
    }

    public function testOnlyThePaymentsOfTheLastDays(): void
    {
        [$order, $sent] = $this->paid();
        $this->deliver($sent); // nobody listens
        $this->credits();
        [$status] = $this->shop->artisan('bayar:recover --account=duitku');
        $this->assertSame([0, []], [$status, $this->credited()], 'of another account:');
        [$status] = $this->shop->artisan('bayar:recover --days=1 --account=midtrans');
        $this->assertSame([0, [[$order, 150000]]], [$status, $this->credited()]);
    }

    public function testMoreThanOnePage(): void
    {
        [$template, $client] = [$this->charge(), $this->shop->app->make('bayar')];
        $orders = [$template->orderId];
        for ($i = 0; $i < 4; $i++) {
            $orders[] = $this->charge()->orderId;
        }
        foreach ($orders as $order) {
            Sandbox::control('POST', "midtrans/$order/paid");
        }
        $client->recover(now: true);
        $this->credits();
        $recovery = new \Bayar\Laravel\Recovery($client, $this->shop->app->make(\Bayar\Laravel\Payments::class), page: 2);
        $this->assertCount(5, $recovery->run()->credited);
        $this->assertEqualsCanonicalizing($orders, array_column($this->credited(), 0));
    }

    public function testWhatIsCreditedIsNotClaimedAgain(): void
    {
        $this->credits();
        $this->deliver($this->paid()[1]);
        $this->assertSame([], $this->shop->app->make('bayar')->intents(['unconfirmed' => Payments::EFFECT]));
        // It asks for nothing else.
        $fake = Bayar::fake();
        $this->assertSame(0, $this->shop->artisan('bayar:recover')[0]);
        $this->assertSame([Payments::EFFECT], array_values(array_filter(array_map(static fn(array $call): ?string => $call['params']['unconfirmed'] ?? null, $fake->calls('intents')))));
        $this->assertSame([], $fake->calls('claim'));
    }

    public function testAReviewNeedsAPerson(): void
    {
        Route::bayarCallback('callbacks/template', 'template');
        $this->credits();
        $reviews = [];
        Event::listen(PaymentChanged::class, function (PaymentChanged $event) use (&$reviews) {
            $reviews[] = $event->outcome->review;
        });
        $client = $this->shop->app->make('bayar');
        $order = Sandbox::newOrder();
        $intent = $client->charge('template', ['order_id' => $order, 'amount' => 150000, 'channel' => 'va'], $order)->intent;
        Sandbox::control('POST', "template/$order/paid");
        $sent = Sandbox::control('GET', "template/$order/callback");
        $body = str_replace('150000', '1500', $sent['body']);
        $signature = hash_hmac('sha256', $body, 'template-secret-EXAMPLE-0000');
        $answer = $this->deliver(['body' => $body, 'headers' => [['x-template-signature', $signature]]] + $sent, '/callbacks/template');
        $this->assertSame([200, ['the amount is said to be 1500, owed was 150000']], [$answer->getStatusCode(), $reviews]);

        [$status, $said] = $this->shop->artisan('bayar:recover --now --quiet');
        $this->assertSame([1, "$intent  template $order (paid) waits for a review: $reviews[0]\n"], [$status, $said]);
        [$status, $said] = $this->shop->artisan('bayar:recover --json');
        $this->assertSame([1, [$intent]], [$status, array_column(json_decode($said, true)['waiting'], 'id')]);
        $this->assertSame([], $this->credited());

        $client->call('bayar', 'resolve', ['intent' => $intent, 'status' => 'paid', 'operator' => 'Sari', 'reason' => 'seen on the account']);
        [$status, $said] = $this->shop->artisan('bayar:recover --quiet');
        $this->assertSame([0, '', [[$order, 150000]]], [$status, $said, $this->credited()]);
        $this->assertCount(1, $reviews, 'listeners heard of it once:');
    }

    public function testAListenerIsCalledOnceARun(): void
    {
        $this->credits(fn() => throw new \DomainException('the invoice is locked'));
        $order = $this->charge()->orderId;
        Sandbox::control('POST', "midtrans/$order/paid");
        [$status] = $this->shop->artisan('bayar:recover --now');
        $this->assertSame([1, [\DomainException::class]], [$status, $this->reported()]);
    }

    public function testWhatCannotBeAskedAboutNeedsAPerson(): void
    {
        $intent = $this->charge()->intent;
        $text = file_get_contents($this->place->config);
        file_put_contents($this->place->config, str_replace('SB-Mid-server-EXAMPLE', 'SB-Mid-server-REVOKED', $text));
        $this->shop = $this->shop(['file' => $this->place->config]);
        [$status, $said] = $this->shop->artisan('bayar:recover --now --quiet');
        $this->assertSame(1, $status);
        $this->assertStringStartsWith("$intent  cannot be asked about: ", $said);
    }

    public function testWhatChangedIsToldToo(): void
    {
        $heard = [];
        Event::listen(PaymentChanged::class, function (PaymentChanged $event) use (&$heard) {
            $heard[] = [$event->outcome->orderId, $event->outcome->status->value];
        });
        $order = $this->charge()->orderId;
        $this->shop->artisan('bayar:recover --now');
        $this->assertSame([], $heard, 'it is pending, as before:');
        Sandbox::control('POST', "midtrans/$order/expired");
        [$status] = $this->shop->artisan('bayar:recover --now');
        $this->assertSame([0, [[$order, 'expired']]], [$status, $heard]);
        $this->shop->artisan('bayar:recover --now');
        $this->assertCount(1, $heard);
    }

    public function testNothingCouldBeDone(): void
    {
        foreach (['--account=midtarns', '--limit=0', '--limit=many', '--days=-1'] as $option) {
            [$status, $said] = $this->shop->artisan("bayar:recover --quiet $option");
            $this->assertSame(2, $status, $option);
            $this->assertNotSame('', $said, $option);
        }
        $this->shop = $this->shop(['file' => getenv('BAYAR_CONFIG')]);
        [$status, $said] = $this->shop->artisan('bayar:recover');
        $this->assertSame(2, $status);
        $this->assertStringContainsString('journal', $said);
        $this->shop = $this->shop(['file' => '/nonexistent/bayar.toml']);
        $this->assertSame(2, $this->shop->artisan('bayar:recover')[0]);
    }

    /** What the doctor says, without its breaks; and its exit status. */
    private function doctor(): array
    {
        [$status, $said] = $this->shop->artisan('bayar:doctor');
        return [$status, preg_replace('/\s+/', ' ', $said)];
    }

    public function testTheDoctorSaysWhatIsMissing(): void
    {
        touch("{$this->place->path}/journal.db");
        [$status, $said] = $this->doctor();
        $this->assertSame(1, $status);
        $expected = [
            'ok laravel ' . $this->shop->app->version(), 'ok php ', "mode 'native'", 'ok account midtrans: midtrans, sandbox', "ok journal sqlite:{$this->place->path}/journal.db",
            'error events nobody listens', 'warning routes duitku: nothing receives', "Route::bayarCallback('callbacks/duitku', 'duitku');", 'warning schedule nothing heals',
        ];
        foreach ($expected as $part) {
            $this->assertStringContainsString($part, $said);
        }
        foreach (['routes midtrans: nothing', 'routes midtrans-gateway:', 'error configuration', 'warning configuration'] as $part) {
            $this->assertStringNotContainsString($part, $said);
        }
        $this->credits();
        Route::bayarCallback('{account}/called-back');
        $this->shop->app->make(Schedule::class)->command('bayar:recover')->everyFiveMinutes();
        [$status, $said] = $this->doctor();
        $this->assertSame(0, $status, $said);
        $this->assertDoesNotMatchRegularExpression('/(error|warning) (routes|events|schedule)/', $said);
        Route::bayarCallback('callbacks/midtarns', 'midtarns');
        [$status, $said] = $this->doctor();
        $this->assertSame(1, $status);
        $this->assertStringContainsString('error routes callbacks/midtarns is for the account midtarns', $said);
    }

    public function testTheDoctorNeedsAJournal(): void
    {
        $this->shop = $this->shop(['file' => getenv('BAYAR_CONFIG')]);
        [$status, $said] = $this->doctor();
        $this->assertSame(1, $status);
        $this->assertStringContainsString('error journal there is none', $said);
        $this->assertStringNotContainsString('events', $said, 'without a route nobody has to listen:');
        $this->shop = $this->shop(['file' => '/nonexistent/bayar.toml']);
        [$status, $said] = $this->doctor();
        $this->assertSame(1, $status);
        $this->assertStringContainsString('error configuration', $said);
        $this->assertStringContainsString('/nonexistent/bayar.toml', $said);
    }

    public function testTheDoctorMakesNoJournalForRoot(): void
    {
        $root = posix_geteuid() === 0;
        $this->assertSame($root, str_contains($this->doctor()[1], 'warning journal'));
        $this->assertSame(!$root, file_exists("{$this->place->path}/journal.db"));
        $this->charge();
        $this->assertStringContainsString('ok journal', $this->doctor()[1]);
    }
}
