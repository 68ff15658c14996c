<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Tests\Sandbox;
use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Support\Facades\Route;
use Illuminate\Testing\TestResponse;

/** What README.md shows, run. */
final class ReadmeTest extends ShopCase
{
    /** A snippet, with what a file of an application imports. */
    private function snippet(string $name): string
    {
        $text = file_get_contents(__DIR__ . '/../README.md');
        $this->assertSame(1, preg_match("/^<!-- test:$name -->\n```php\n(.*?)^```$/ms", $text, $found), "the snippet $name:");
        $imports = 'use Illuminate\Database\Schema\Blueprint; use Illuminate\Support\Facades\{DB, Event, Route, Schema};';
        return "$imports $found[1]";
    }

    public function testAPaymentFromChargeToCredit(): void
    {
        eval($this->snippet('routes'));
        touch("{$this->shop->directory}/shop.db");
        eval($this->snippet('migration'));
        eval($this->snippet('listener'));
        $invoice = (object) ['id' => dechex(hrtime(true))];
        $page = eval($this->snippet('charge'));
        $this->assertStringStartsWith(getenv('BAYAR_SANDBOX'), $page->getTargetUrl());
        $sent = Sandbox::paid("INV-$invoice->id");
        for ($i = 0; $i < 2; $i++) {
            $this->assertSame(200, $this->deliver($sent)->getStatusCode());
        }
        $this->assertSame([["INV-$invoice->id", 150000]], $this->credited());
    }

    public function testTheSchedule(): void
    {
        $schedule = $this->shop->app->make(Schedule::class);
        eval($this->snippet('schedule'));
        $this->assertStringNotContainsString('nothing heals', $this->shop->artisan('bayar:doctor')[1]);
    }

    public function testTestsOfYourOwn(): void
    {
        Route::post('checkout/{id}', function (int $id) {
            $outcome = \Bayar\Laravel\Facades\Bayar::charge('midtrans', ['order_id' => "INV-$id", 'amount' => 150000], "invoice-$id-attempt-1");
            return redirect()->away($outcome->instruction->url);
        });
        $this->credits();
        eval($this->snippet('fake'));
        $this->assertSame([['INV-17', 150000]], $this->credited());
    }

    /** As the framework's own test case has it. */
    private function post(string $uri): TestResponse
    {
        return TestResponse::fromBaseResponse($this->shop->request('POST', $uri));
    }
}
