<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Tests;

use Bayar\Bayar;
use Bayar\Fake;
use Bayar\InstructionKind;
use Bayar\Tests\Daemon;
use Bayar\Tests\Place;
use Bayar\Tests\Sandbox;
use Omnipay\Bayar\Gateway;
use Omnipay\Bayar\Message\Notification;
use Omnipay\Bayar\Message\Response;
use Omnipay\Common\Exception\InvalidRequestException;
use Omnipay\Common\Exception\InvalidResponseException;
use Omnipay\Common\Message\NotificationInterface;
use Omnipay\Common\Message\RedirectResponseInterface;
use Omnipay\Omnipay;
use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpFoundation\Request;

/** The driver as a shop uses it, with the engine and the sandbox. */
final class GatewayTest extends TestCase
{
    private Place $place;

    protected function setUp(): void
    {
        $this->place = new Place();
    }

    private function gateway(string $account = 'midtrans', ?Request $request = null): Gateway
    {
        $gateway = Omnipay::create('Bayar', null, $request);
        return $gateway->initialize(['config' => $this->place->config, 'account' => $account]);
    }

    /** A purchase by virtual account, or with other details. */
    private function purchase(Gateway $gateway, array $details = []): Response
    {
        $details += ['transactionId' => Sandbox::newOrder(), 'amount' => '150000.00', 'currency' => 'IDR', 'paymentMethod' => 'bca_va'];
        return $gateway->purchase($details)->send();
    }

    /** The number of the last request that arrived before. */
    private static int $seen = 0;

    /** What arrived since this was asked last. The sandbox remembers a thousand requests of others, too. */
    private function arrived(): array
    {
        $requests = Sandbox::control('GET', 'requests?direction=in&after=' . self::$seen);
        self::$seen = $requests === [] ? self::$seen : end($requests)['seq'];
        return $requests;
    }

    private function refused(string $says, \Closure $action): void
    {
        $this->arrived();
        try {
            $action();
        } catch (InvalidRequestException $refusal) {
            $this->assertStringContainsString($says, $refusal->getMessage());
            $this->assertSame([], $this->arrived(), 'something was sent:');
            return;
        }
        $this->fail("nothing was refused, expected $says");
    }

    public function testItIsAGatewayOfOmnipay(): void
    {
        $gateway = $this->gateway();
        $this->assertSame(['Bayar', 'Bayar', 'IDR'], [$gateway->getName(), $gateway->getShortName(), $gateway->getCurrency()]);
        foreach (['Purchase', 'CompletePurchase', 'FetchTransaction', 'Refund', 'AcceptNotification'] as $what) {
            $this->assertTrue($gateway->{"supports$what"}(), $what);
        }
        $this->assertFalse($gateway->supportsAuthorize());
        foreach ($gateway->getDefaultParameters() as $name => $default) {
            $fresh = Omnipay::create('Bayar');
            $this->assertSame($default, $fresh->{'get' . ucfirst($name)}(), $name);
            $value = is_bool($default) ? !$default : 'VALUE';
            $this->assertSame($value, $fresh->{'set' . ucfirst($name)}($value)->{'get' . ucfirst($name)}(), $name);
        }
    }

    public function testAPageIsARedirect(): void
    {
        $response = $this->purchase($this->gateway(), ['paymentMethod' => null, 'transactionId' => $order = Sandbox::newOrder()]);
        $this->assertInstanceOf(RedirectResponseInterface::class, $response);
        $this->assertSame([true, false, true, false], [$response->isRedirect(), $response->isSuccessful(), $response->isPending(), $response->isCancelled()]);
        $this->assertStringStartsWith(getenv('BAYAR_SANDBOX'), $response->getRedirectUrl());
        $this->assertSame(['GET', []], [$response->getRedirectMethod(), $response->getRedirectData()]);
        $this->assertSame($response->getRedirectUrl(), $response->getRedirectResponse()->getTargetUrl());
        $this->assertSame([$order, $order, 'pending'], [$response->getTransactionId(), $response->getTransactionReference(), $response->getCode()]);
    }

    public function testANumberIsAnInstruction(): void
    {
        $response = $this->purchase($this->gateway());
        $this->assertSame([false, null, true], [$response->isRedirect(), $response->getRedirectUrl(), $response->isPending()]);
        $instruction = $response->getInstruction();
        $this->assertSame([InstructionKind::VirtualAccount, 'bca'], [$instruction->kind, $instruction->bank]);
        $this->assertSame($instruction->vaNumber, $response->getData()['instruction']['number']);
        $this->assertGreaterThan(new \DateTimeImmutable(), $response->getOutcome()->expiresAt);
    }

    public function amounts(): array
    {
        return [['150000.00'], ['150000'], [150000], [150000.0], ['150000.0']];
    }

    /** @dataProvider amounts */
    public function testAmountsAreWholeRupiah(mixed $amount): void
    {
        $this->arrived();
        $response = $this->purchase($this->gateway(), ['amount' => $amount]);
        $this->assertSame(150000, $response->getOutcome()->amount->amount);
        $this->assertSame([150000], array_map(fn(array $one) => json_decode($one['body'], true)['transaction_details']['gross_amount'], $this->arrived()));
    }

    public function testAmountsInMinorUnits(): void
    {
        $response = $this->purchase($this->gateway(), ['amount' => null, 'amountInteger' => 15000000]);
        $this->assertSame(150000, $response->getOutcome()->amount->amount);
        $this->refused('150000.50', fn() => $this->purchase($this->gateway(), ['amount' => null, 'amountInteger' => 15000050]));
    }

    public function testWhatIsNoWholeAmountIsRefused(): void
    {
        $gateway = $this->gateway();
        foreach (['150000.50', '0.01', 150000.5, '150000.005', '-150000', '999999999999999999'] as $amount) {
            $this->refused('', fn() => $this->purchase($gateway, ['amount' => $amount]));
        }
        $this->refused('150000.50; allowed: whole rupiah', fn() => $this->purchase($gateway, ['amount' => '150000.50']));
        $this->refused('amount', fn() => $this->purchase($gateway, ['amount' => '0.00']));
        $this->refused('currency: found USD; allowed: IDR', fn() => $this->purchase($gateway, ['currency' => 'USD']));
        $this->refused('amount', fn() => $this->purchase($gateway, ['amount' => null]));
        $this->refused('items[1].price: found 0.5', fn() => $this->purchase($gateway, ['items' => [
            ['name' => 'Kaos', 'quantity' => 1, 'price' => '150000.00'], ['name' => 'Topi', 'quantity' => 1, 'price' => '0.5'],
        ]]));
    }

    public function testEverythingOfThePurchaseArrives(): void
    {
        $order = Sandbox::newOrder();
        $this->arrived();
        $this->purchase($this->gateway(), [
            'transactionId' => $order, 'paymentMethod' => null, 'returnUrl' => 'https://shop.example.com/back', 'notifyUrl' => 'https://shop.example.com/callback', 'expiresIn' => 7200,
            'card' => ['firstName' => 'Budi', 'lastName' => 'Santoso', 'email' => 'budi@example.com', 'phone' => '081200000001', 'number' => '4811111111111114'],
            'items' => [['name' => 'Kaos', 'quantity' => 2, 'price' => '50000.00'], ['name' => 'Topi', 'quantity' => 1, 'price' => '50000']],
        ]);
        $arrived = $this->arrived();
        $sent = json_decode(end($arrived)['body'], true, 512, JSON_THROW_ON_ERROR);
        $this->assertSame(['50000 2 Kaos', '50000 1 Topi'], array_map(fn(array $item) => "$item[price] $item[quantity] $item[name]", $sent['item_details']));
        $this->assertStringContainsString('Budi', json_encode($sent['customer_details']));
        $this->assertSame(['budi@example.com', '081200000001'], [$sent['customer_details']['email'], $sent['customer_details']['phone']]);
        $this->assertStringContainsString('shop.example.com/back', $sent['callbacks']['finish']);
        $this->assertSame(['unit' => 'minute', 'duration' => 120], array_intersect_key($sent['expiry'], ['unit' => 0, 'duration' => 0]));
        $this->assertStringNotContainsString('4811111111111114', json_encode($arrived));
    }

    public function testTheSamePurchaseIsMadeOnce(): void
    {
        $gateway = $this->gateway();
        $first = $this->purchase($gateway, ['transactionId' => $order = Sandbox::newOrder()]);
        $again = $this->purchase($this->gateway(), ['transactionId' => $order]);
        $this->assertSame($first->getInstruction()->vaNumber, $again->getInstruction()->vaNumber);
        $this->assertSame(1, Sandbox::charges($order));
        $other = $this->purchase($gateway, ['transactionId' => $order, 'amount' => '150001.00']);
        $this->assertSame([false, false, 'conflict'], [$other->isSuccessful(), $other->isPending(), $other->getCode()]);
        // The same number at another provider is another purchase.
        $this->assertSame('pending', $this->purchase($this->gateway('template'), ['transactionId' => $order, 'paymentMethod' => 'va'])->getCode());
        $this->refused('transactionId', fn() => $gateway->purchase(['amount' => '150000.00'])->send());
        $named = $gateway->purchase(['amount' => '150000.00', 'paymentMethod' => 'bca_va', 'key' => "$order-key"])->send();
        $this->assertNotEmpty($named->getTransactionReference(), 'the engine makes an id:');
    }

    public function testCompletePurchaseAsksTheProvider(): void
    {
        $gateway = $this->gateway();
        $page = $this->purchase($gateway, ['paymentMethod' => null]);
        $which = ['transactionId' => $page->getTransactionId()];
        $back = $gateway->completePurchase($which)->send();
        $this->assertSame([false, true, 'pending'], [$back->isSuccessful(), $back->isPending(), $back->getCode()], 'the payer has not chosen:');
        $this->assertSame($page->getRedirectUrl(), $back->getRedirectUrl());
        Sandbox::control('POST', "midtrans/{$page->getTransactionId()}/paid");
        foreach ([$which, ['transactionReference' => $page->getTransactionReference()]] as $named) {
            $back = $gateway->completePurchase($named)->send();
            $this->assertSame([true, false, 'paid'], [$back->isSuccessful(), $back->isPending(), $back->getCode()]);
            $this->assertSame($page->getTransactionReference(), $back->getTransactionReference());
        }
        $this->refused('transactionReference or transactionId', fn() => $gateway->completePurchase()->send());
    }

    public function testWhatHasEnded(): void
    {
        $gateway = $this->gateway();
        foreach (['expired' => 'expired', 'failed' => 'failed'] as $act => $code) {
            $order = $this->purchase($gateway)->getTransactionId();
            Sandbox::control('POST', "midtrans/$order/$act");
            $found = $gateway->fetchTransaction(['transactionId' => $order])->send();
            $this->assertSame([false, false, $code, $code], [$found->isSuccessful(), $found->isPending(), $found->getCode(), $found->getMessage()]);
        }
        $nobody = $gateway->fetchTransaction(['transactionId' => Sandbox::newOrder()])->send();
        $this->assertSame([false, false, 'order_not_found', null], [$nobody->isSuccessful(), $nobody->isPending(), $nobody->getCode(), $nobody->getOutcome()]);
        $this->assertSame('answered', $nobody->getError()->stage);
        $this->assertSame('order_not_found', $nobody->getData()['code']);
    }

    /** K-Link has no operation to ask by: what its callback said is what there is. */
    public function testWhereTheProviderCannotBeAsked(): void
    {
        $card = ['firstName' => 'Budi', 'lastName' => 'Santoso', 'email' => 'budi@example.com', 'phone' => '081200000001'];
        $gateway = $this->gateway('klink');
        $response = $this->purchase($gateway, ['paymentMethod' => 'va:014:BCAATM', 'card' => $card, 'options' => ['pay_ship' => 20000]]);
        $which = ['transactionId' => $response->getTransactionId(), 'transactionReference' => $response->getTransactionReference()];
        $this->assertTrue($gateway->fetchTransaction($which)->send()->isPending());
        $sent = $this->called('klink', $which['transactionId'], 'paid');
        $this->assertSame('completed', $this->notification($sent, 'klink')->getTransactionStatus());
        $found = $gateway->fetchTransaction($which)->send();
        $this->assertSame([true, $which['transactionReference'], $which['transactionId']], [$found->isSuccessful(), $found->getTransactionReference(), $found->getTransactionId()]);
        $this->refused('unsupported', fn() => $gateway->fetchTransaction(['transactionReference' => 'another'] + $which)->send());
    }

    public function testWithoutAJournalTheProvidersWordStands(): void
    {
        $gateway = Omnipay::create('Bayar')->initialize(['config' => getenv('BAYAR_CONFIG'), 'account' => 'midtrans']);
        $order = $this->purchase($gateway, ['paymentMethod' => null])->getTransactionId();
        $this->assertSame('order_not_found', $gateway->fetchTransaction(['transactionId' => $order])->send()->getCode());
    }

    public function testARefund(): void
    {
        $gateway = $this->gateway();
        $reference = $this->purchase($gateway, ['paymentMethod' => 'qris'])->getTransactionReference();
        Sandbox::control('POST', "midtrans/$reference/paid");
        $this->refused('key', fn() => $gateway->refund(['transactionReference' => $reference, 'amount' => '50000.00', 'currency' => 'IDR'])->send());
        $this->refused('50000.01', fn() => $gateway->refund(['transactionReference' => $reference, 'amount' => '50000.01', 'key' => "$reference-r"])->send());
        for ($i = 0; $i < 2; $i++) {
            $part = $gateway->refund(['transactionReference' => $reference, 'amount' => '50000.00', 'key' => "$reference-1", 'description' => 'returned'])->send();
            $this->assertSame([true, 'done', 50000], [$part->isSuccessful(), $part->getCode(), $part->getOutcome()->amount->amount]);
        }
        $this->assertSame('partially_refunded', $gateway->fetchTransaction(['transactionReference' => $reference])->send()->getCode());
        $this->assertFalse($gateway->fetchTransaction(['transactionReference' => $reference])->send()->isSuccessful());
        $much = $gateway->refund(['transactionReference' => $reference, 'amount' => '150000.00', 'key' => "$reference-2"])->send();
        $this->assertSame([false, false], [$much->isSuccessful(), $much->isPending()]);
        $this->assertNotNull($much->getError());
        $rest = $gateway->refund(['transactionId' => $reference, 'amount' => '100000', 'key' => "$reference-3"])->send();
        $this->assertTrue($rest->isSuccessful(), $rest->getMessage());
        $this->assertSame('refunded', $gateway->fetchTransaction(['transactionReference' => $reference])->send()->getCode());
    }

    public function testWhatMayHaveBeenSentIsPending(): void
    {
        Sandbox::control('DELETE', 'faults');
        $context = stream_context_create(['http' => ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode(['fault' => 'reset', 'when' => 'after', 'provider' => 'duitku'])]]);
        file_get_contents(getenv('BAYAR_SANDBOX') . '/_sandbox/faults', false, $context);
        try {
            $card = ['firstName' => 'Budi', 'lastName' => 'Santoso', 'email' => 'budi@example.com', 'phone' => '081200000001'];
            $response = $this->purchase($this->gateway('duitku'), ['paymentMethod' => 'BC', 'card' => $card, 'description' => 'Kaos', 'notifyUrl' => 'https://shop.example.com/c', 'returnUrl' => 'https://shop.example.com/r']);
        } finally {
            Sandbox::control('DELETE', 'faults');
        }
        $this->assertSame([false, true, 'maybe_sent'], [$response->isSuccessful(), $response->isPending(), $response->getError()?->stage], $response->getMessage());
        $this->assertNotEmpty($response->getTransactionReference());
    }

    /** What the provider sends when something became of an order. */
    private function called(string $provider, string $order, string $act): array
    {
        Sandbox::control('POST', "$provider/$order/$act");
        return Sandbox::control('GET', "$provider/$order/callback");
    }

    private function notification(array $sent, string $account = 'midtrans'): Notification
    {
        $server = ['REMOTE_ADDR' => '127.0.0.1', 'QUERY_STRING' => $sent['query']];
        $request = Request::create('/callback', $sent['method'], [], [], [], $server, $sent['body']);
        foreach ($sent['headers'] as [$name, $value]) {
            $request->headers->set($name, $value);
        }
        return $this->gateway($account, $request)->acceptNotification();
    }

    public function testANotificationThatIsGenuine(): void
    {
        $gateway = $this->gateway();
        $order = $this->purchase($gateway)->getTransactionId();
        $sent = $this->called('midtrans', $order, 'paid');
        $notification = $this->notification($sent);
        $this->assertInstanceOf(NotificationInterface::class, $notification);
        $this->assertSame(NotificationInterface::STATUS_COMPLETED, $notification->getTransactionStatus());
        $this->assertSame([$order, $order, 'paid', 200], [$notification->getTransactionId(), $notification->getTransactionReference(), $notification->getMessage(), $notification->getAcknowledgement()->status]);
        $this->assertSame($order, $notification->getData()['order_id']);
        $this->assertTrue($notification->send()->isSuccessful());
        $this->assertSame(150000, $notification->getOutcome()->amount->amount);

        // Credited once, however often it comes.
        $granted = [];
        for ($i = 0; $i < 3; $i++) {
            $claim = $gateway->getClient()->claim($this->notification($sent)->getOutcome()->intent, 'credit');
            $granted[] = $claim->granted;
            $claim->granted && $gateway->getClient()->confirm($claim);
        }
        $this->assertSame([true, false, false], $granted);
    }

    public function testANotificationThatIsNot(): void
    {
        $gateway = $this->gateway();
        $order = $this->purchase($gateway)->getTransactionId();
        $sent = $this->called('midtrans', $order, 'paid');
        foreach (['{}', '', str_replace('150000', '150001', $sent['body']), "transaction_status=settlement&order_id=$order"] as $body) {
            $notification = $this->notification(['body' => $body] + $sent);
            foreach (['getTransactionStatus', 'getTransactionReference', 'getTransactionId', 'getData', 'getMessage', 'getOutcome', 'send'] as $getter) {
                try {
                    $notification->$getter();
                } catch (InvalidResponseException $refusal) {
                    $this->assertInstanceOf(\Bayar\CallbackRefused::class, $refusal->getPrevious());
                    continue;
                }
                $this->fail("$getter gave something");
            }
            $this->assertSame(401, $notification->getAcknowledgement()->status);
        }
        $this->assertSame(401, $this->notification(['method' => 'GET'] + $sent)->getAcknowledgement()->status, 'Midtrans never does:');
        $this->assertSame('pending', $gateway->getClient()->intents(['order_id' => $order])[0]['state']);
    }

    public function testWhatBecameOfAPaymentInThreeWords(): void
    {
        $gateway = $this->gateway();
        foreach (['expired' => 'failed', 'failed' => 'failed', 'challenge' => 'pending'] as $act => $status) {
            $method = $act === 'challenge' ? null : 'bca_va';
            $order = $this->purchase($gateway, ['paymentMethod' => $method])->getTransactionId();
            $path = $act === 'challenge' ? "$act?method=credit_card" : $act;
            Sandbox::control('POST', "midtrans/$order/$path");
            $sent = Sandbox::control('GET', "midtrans/$order/callback");
            $this->assertSame($status, $this->notification($sent)->getTransactionStatus(), $act);
        }
        $order = $this->purchase($gateway, ['paymentMethod' => 'qris'])->getTransactionId();
        $this->called('midtrans', $order, 'paid');
        $gateway->refund(['transactionId' => $order, 'amount' => '50000', 'key' => "$order-1"])->send();
        $this->assertSame('pending', $this->notification(Sandbox::control('GET', "midtrans/$order/callback"))->getTransactionStatus());
        $gateway->refund(['transactionId' => $order, 'amount' => '100000', 'key' => "$order-2"])->send();
        $this->assertSame('failed', $this->notification(Sandbox::control('GET', "midtrans/$order/callback"))->getTransactionStatus());
    }

    public function testADoubtIsPending(): void
    {
        $order = $this->purchase($this->gateway('template'), ['paymentMethod' => 'va'])->getTransactionId();
        $sent = $this->called('template', $order, 'paid');
        $body = str_replace('150000', '1500', $sent['body']);
        $sent = ['body' => $body, 'headers' => [['x-template-signature', hash_hmac('sha256', $body, 'template-secret-EXAMPLE-0000')]]] + $sent;
        $notification = $this->notification($sent, 'template');
        $this->assertSame(NotificationInterface::STATUS_PENDING, $notification->getTransactionStatus());
        $this->assertSame(['the amount is said to be 1500, owed was 150000', 200], [$notification->getMessage(), $notification->getAcknowledgement()->status]);
        $found = $this->gateway('template')->fetchTransaction(['transactionId' => $order])->send();
        $this->assertSame([false, true], [$found->isSuccessful(), $found->isPending()], $found->getMessage());
    }

    /** The biller calls by GET, with its token in the path and what it says in the query. */
    public function testPathQueryAndAddressArrive(): void
    {
        $gateway = $this->gateway('biller');
        $order = Sandbox::newOrder('B');
        $gateway->getClient()->call('biller', 'purchase', ['order_id' => $order, 'product' => 's5', 'destination' => '081200000001'], $order);
        $sent = $this->called('biller', $order, 'paid');
        foreach (['biller-callback-token-EXAMPLE' => 200, 'wrong' => 401] as $token => $status) {
            $server = ['REMOTE_ADDR' => '127.0.0.1', 'QUERY_STRING' => $sent['query']];
            $request = Request::create("/callback/$token?{$sent['query']}", $sent['method'], [], [], [], $server, $sent['body']);
            foreach ($sent['headers'] as [$name, $value]) {
                $request->headers->set($name, $value);
            }
            $notification = $this->gateway('biller', $request)->acceptNotification();
            $this->assertSame($status, $notification->getAcknowledgement()->status, $token);
        }
    }

    public function testTroubleOfOursIsToBeTriedAgain(): void
    {
        $order = $this->purchase($this->gateway())->getTransactionId();
        $sent = $this->called('midtrans', $order, 'paid');
        file_put_contents("{$this->place->path}/journal.db", 'no database');
        array_map('unlink', glob("{$this->place->path}/journal.db-*"));
        $notification = $this->notification($sent);
        $this->assertSame(503, $notification->getAcknowledgement()->status);
        $this->expectException(InvalidResponseException::class);
        $notification->getTransactionStatus();
    }

    public function testTestModeInsists(): void
    {
        $production = ['engine' => ['journal' => 'none', 'plugins' => getenv('BAYAR_TARGET')], 'providers' => ['midtrans' => ['environment' => 'production', 'server_key' => 'Mid-server-CANARY']]];
        $gateway = Omnipay::create('Bayar')->initialize(['config' => $production, 'account' => 'midtrans', 'testMode' => true]);
        $this->refused('testMode is set, and the account midtrans is in production', fn() => $this->purchase($gateway));
        $this->assertTrue($this->purchase($this->gateway()->setTestMode(true))->isPending());

        ob_start();
        var_dump($gateway, $gateway->purchase(['amount' => '1']));
        print_r($gateway);
        $this->assertStringNotContainsString('CANARY', ob_get_clean());
    }

    public function testWhatCannotBeOpened(): void
    {
        $gateway = Omnipay::create('Bayar')->initialize(['config' => '/nonexistent/bayar.toml', 'account' => 'midtrans']);
        $this->refused('/nonexistent/bayar.toml', fn() => $gateway->purchase());
        $this->refused('account parameter', fn() => $this->purchase($this->gateway('')));
        $this->refused('nobody', fn() => $this->purchase($this->gateway('nobody')));
        $this->expectExceptionMessage('not by Omnipay');
        (new \Omnipay\Bayar\NoHttpClient())->request('GET', 'https://example.com');
    }

    public function testADaemonOrAClientOfYourOwn(): void
    {
        $daemon = new Daemon($this->place);
        try {
            $gateway = Omnipay::create('Bayar')->initialize(['socket' => $daemon->socket, 'account' => 'midtrans']);
            $this->assertTrue($this->purchase($gateway)->isPending());
            $this->assertSame(\Bayar\Mode::Socket, $gateway->getClient()->mode());
        } finally {
            $daemon->stop();
        }
        $fake = Bayar::fake()->answers('charge', ['instruction' => ['kind' => 'qr', 'text' => '000201']]);
        $this->assertSame('000201', $this->purchase($this->played($fake))->getInstruction()->qrText);
    }

    /** With an engine that the test plays: every parameter, and what it rarely says. */
    private function played(Fake $fake, ?Request $request = null): Gateway
    {
        return Omnipay::create('Bayar', null, $request)->initialize(['client' => $fake, 'account' => 'midtrans']);
    }

    public function testWhatIsHandedToTheEngine(): void
    {
        $gateway = $this->played($fake = Bayar::fake());
        $this->purchase($gateway, [
            'key' => 'K', 'transactionId' => 'INV-17', 'cancelUrl' => 'https://shop.example.com/x', 'options' => ['a' => 1], 'tenant' => 'T', 'description' => 'Kaos',
        ]);
        $this->assertEquals([
            'key' => 'K', 'order_id' => 'INV-17', 'amount' => 150000, 'channel' => 'bca_va', 'description' => 'Kaos',
            'cancel_url' => 'https://shop.example.com/x', 'options' => ['a' => 1], 'tenant' => 'T',
        ], $fake->calls('charge')[0]['params']);
        $gateway->fetchTransaction(['transactionId' => 'INV-17', 'transactionReference' => 'B9'])->send();
        $gateway->completePurchase(['transactionReference' => 'B9'])->send();
        $asked = [['order_id' => 'INV-17', 'reference' => 'B9'], ['order_id' => 'B9', 'reference' => 'B9']];
        $this->assertSame($asked, array_column($fake->calls('status'), 'params'));
        $gateway->refund(['transactionReference' => 'B9', 'key' => 'R', 'description' => 'returned', 'options' => ['id_member' => 'M']])->send();
        $refund = ['order_id' => 'B9', 'reference' => 'B9', 'key' => 'R', 'reason' => 'returned', 'options' => ['id_member' => 'M']];
        $this->assertSame($refund, $fake->calls('refund')[0]['params'], 'without an amount, all:');
    }

    public function testWhatTheEngineRarelySays(): void
    {
        $gateway = $this->played($fake = Bayar::fake());
        $fake->refuses('charge', 'in_progress', retry: true);
        $response = $this->purchase($gateway);
        $this->assertSame([false, true, 'in_progress'], [$response->isSuccessful(), $response->isPending(), $response->getCode()]);

        $page = ['kind' => 'redirect', 'url' => 'https://pay.example.com/1'];
        $fake->answers('status', ['status' => 'paid', 'instruction' => $page])->answers('status', ['status' => 'cancelled']);
        $paid = $gateway->fetchTransaction(['transactionId' => 'INV-17'])->send();
        $this->assertSame([true, false, null], [$paid->isSuccessful(), $paid->isRedirect(), $paid->getRedirectUrl()], 'nobody is sent to a page that is paid:');
        $this->assertTrue($gateway->fetchTransaction(['transactionId' => 'INV-17'])->send()->isCancelled());

        $intent = ['id' => 'I1', 'state' => 'paid', 'review' => 'two payments', 'reference' => 'INV-17', 'account' => 'midtrans', 'provider' => 'midtrans', 'operation' => 'charge'];
        $fake->refuses('status', 'unsupported')->answers('intents', ['data' => ['intents' => [$intent]]]);
        $known = $gateway->fetchTransaction(['transactionId' => 'INV-17'])->send();
        $this->assertSame([false, true, 'two payments'], [$known->isSuccessful(), $known->isPending(), $known->getMessage()]);
    }

    public function testANotificationIsVerifiedOnce(): void
    {
        $fake = Bayar::fake()->answers('callback', ['status' => 'paid', 'review' => 'another amount']);
        $notification = $this->played($fake, Request::create('/callback', 'POST'))->acceptNotification();
        $this->assertSame(NotificationInterface::STATUS_PENDING, $notification->getTransactionStatus(), 'a person looks first:');
        $this->assertSame(['another amount', 200], [$notification->getMessage(), $notification->getAcknowledgement()->status]);
        $this->assertCount(1, $fake->calls('callback'));
    }
}
