<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Tests;

use Bayar\Tests\Place;
use Bayar\Tests\Sandbox;
use Omnipay\Omnipay;
use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpFoundation\Request;

/** What README.md shows, run. */
final class ReadmeTest extends TestCase
{
    /** A snippet about an order of its own, with the configuration of this test. */
    private function snippet(string $name, string $order, Place $place): string
    {
        $text = file_get_contents(__DIR__ . '/../README.md');
        $this->assertSame(1, preg_match("/^<!-- test:$name -->\n```php\n(.*?)^```$/ms", $text, $found), "the snippet $name:");
        return strtr($found[1], [
            // PHPUnit has printed already: nothing can be sent.
            '$notification->getAcknowledgement()->send()' => '$answers[] = $notification->getAcknowledgement()->status',
            'INV-17' => $order, 'invoice-17' => $order, '/etc/bayar/bayar.toml' => $place->config, 'credit(' => '$credit(', 'Throwable' => '\Throwable',
        ]);
    }

    public function testAPaymentFromPurchaseToRefund(): void
    {
        $place = new Place();
        $order = Sandbox::newOrder('README');
        eval($this->snippet('purchase', $order, $place));
        $this->assertStringStartsWith(getenv('BAYAR_SANDBOX'), $page);

        Sandbox::control('POST', "midtrans/$order/paid?method=gopay");
        $sent = Sandbox::control('GET', "midtrans/$order/callback");
        $credited = [];
        $credit = function (string $order, int $amount, string $transaction) use (&$credited) {
            $credited[$transaction][] = "$order $amount";
        };
        $answers = [];
        foreach ([$sent['body'], $sent['body'], str_replace('150000', '150001', $sent['body'])] as $body) {
            $gateway = Omnipay::create('Bayar', null, Request::create('/callback', 'POST', [], [], [], ['REMOTE_ADDR' => '127.0.0.1'], $body));
            $gateway->initialize(['config' => $place->config, 'account' => 'midtrans']);
            eval($this->snippet('notification', $order, $place));
        }
        $this->assertSame([["$order 150000"]], array_values($credited));
        $this->assertSame([200, 200, 401], $answers);

        eval($this->snippet('refund', $order, $place));
        $this->assertTrue($response->isSuccessful(), $response->getMessage());
    }
}
