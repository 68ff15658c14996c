<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\CallbackIgnored;
use Bayar\CallbackRefused;
use Bayar\Client;
use Bayar\Conflict;
use Bayar\Error;
use Bayar\Gateway;
use Bayar\InvalidConfig;
use Bayar\Mode;
use Bayar\Status;
use Bayar\Unavailable;
use PHPUnit\Framework\TestCase;

/** `bayar serve` as a client of it sees it: its API and its callbacks. */
final class GatewayTest extends TestCase
{
    private const OLD = 'whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQ=';
    private const NEW = 'whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXc=';
    private const CHARGE = 'POST /v1/accounts/midtrans/operations/charge';
    private const OUTCOME = ['account' => 'midtrans', 'provider' => 'midtrans', 'operation' => 'charge', 'intent' => 'I1', 'order_id' => 'INV-1', 'status' => 'pending', 'amount' => 150000];

    private Place $place;
    private ?Running $server = null;

    protected function setUp(): void
    {
        $this->place = new Place();
    }

    protected function tearDown(): void
    {
        $this->server?->stop();
    }

    /** @param array<string, mixed> $answers */
    private function open(array $answers = [], ?string $certificate = null, ?string $trusted = null): Client
    {
        $this->answer($answers);
        $command = [PHP_BINARY, __DIR__ . '/programs/http.php', $this->place->path];
        $this->server ??= Running::start($certificate === null ? $command : [...$command, $certificate]);
        $gateway = new Gateway($this->server->line, 'shop', 'api-key-of-the-shop', [self::OLD, self::NEW], $trusted);
        return Client::open(gateway: $gateway);
    }

    private function answer(array $answers): void
    {
        file_put_contents("{$this->place->path}/answers.json", json_encode((object) $answers));
    }

    /** @return list<array<string, mixed>> */
    private function arrived(): array
    {
        return array_map(fn(string $line) => json_decode($line, true), @file("{$this->place->path}/requests") ?: []);
    }

    public function testACallIsARequest(): void
    {
        $bayar = $this->open([
            self::CHARGE => ['status' => 201, 'body' => self::OUTCOME],
            'POST /v1/accounts/bayar/operations/claim' => ['status' => 200, 'body' => ['account' => 'bayar', 'provider' => 'bayar', 'operation' => 'claim', 'intent' => 'I2', 'status' => 'done', 'data' => ['intent' => 'I1', 'effect' => 'credit', 'state' => 'claimed', 'granted' => true, 'fence' => 1, 'transaction_id' => 'X1', 'lease_ms' => 1]]],
            'GET /v1/accounts/midtrans/describe' => ['status' => 200, 'body' => ['account' => 'midtrans', 'operations' => [['name' => 'charge']]]],
            'GET /v1/version' => ['status' => 200, 'body' => ['version' => '0.1.0']],
        ]);
        $this->assertSame(Mode::Gateway, $bayar->mode());
        $outcome = $bayar->charge('midtrans', ['order_id' => 'INV-1', 'amount' => 150000], 'invoice-1');
        $this->assertSame(['I1', Status::Pending, 150000], [$outcome->intent, $outcome->status, $outcome->amount->amount]);
        $this->assertSame('X1', $bayar->claim('I1', 'credit')->transactionId);
        $this->assertTrue($bayar->supports('midtrans', 'charge'));
        $this->assertSame('0.1.0', $bayar->version());
        $this->assertSame([], $bayar->drainLog());

        [$charge, $claim] = $this->arrived();
        $sent = array_intersect_key($charge['headers'], ['x-app-code' => 0, 'x-api-key' => 0, 'idempotency-key' => 0, 'content-type' => 0]);
        ksort($sent);
        $this->assertSame(['content-type' => 'application/json', 'idempotency-key' => 'invoice-1', 'x-api-key' => 'api-key-of-the-shop', 'x-app-code' => 'shop'], $sent);
        $this->assertSame('{"order_id":"INV-1","amount":150000}', $charge['body']);
        $this->assertArrayNotHasKey('idempotency-key', $claim['headers']);
        $connections = array_column($this->arrived(), 'connection');
        $this->assertNotSame($connections[0], $connections[1], 'what must not be sent twice went over a kept connection');
        $this->assertSame(2, max($connections), 'connections are kept');
    }

    public function testNamesAreOnlyNames(): void
    {
        $bayar = $this->open();
        $this->caught(fn() => $bayar->call('a/../b?c', 'd#e'));
        $this->assertSame('/v1/accounts/a%2F..%2Fb%3Fc/operations/d%23e', $this->arrived()[0]['path']);
        foreach (["k\r\nX-App-Code: other", "k\n", 'ключ', ' k', ''] as $key) {
            $error = $this->caught(fn() => $bayar->charge('midtrans', ['amount' => 1], $key));
            $this->assertSame(['invalid_params', 'key', 'not_sent'], [$error->name, $error->field, $error->stage]);
        }
        $this->assertCount(1, $this->arrived(), 'something was sent');
    }

    public function testAProblemIsTheErrorOfTheEngine(): void
    {
        $problem = ['type' => 'about:blank', 'title' => 'Conflict', 'status' => 409, 'detail' => 'the key was used', 'code' => 'conflict', 'message' => 'the key was used before', 'stage' => 'not_sent', 'retry' => false, 'advice' => 'Use a new one.', 'field' => 'key', 'intent' => 'I1'];
        $bayar = $this->open([self::CHARGE => ['status' => 409, 'type' => 'application/problem+json', 'body' => $problem]]);
        $error = $this->caught(fn() => $bayar->charge('midtrans', ['amount' => 1], 'k'));
        $this->assertSame([Conflict::class, -8, 'not_sent', false, 'Use a new one.', 'key', 'I1'], [$error::class, $error->getCode(), $error->stage, $error->retry, $error->advice, $error->field, $error->intent]);
    }

    /**
     * @testWith ["closes"]
     *           ["closes within the answer"]
     *           [{"status": 502, "type": "text/html", "body": "<h1>Bad Gateway</h1>"}]
     *           [{"status": 200, "type": "text/html", "body": "<h1>It works!</h1>"}]
     *           [{"status": 503, "body": {"message": "busy"}}]
     *           [{"status": 302, "location": "/v1/version", "body": "{}"}]
     */
    public function testWhatIsNoAnswerMayHaveBeenSent(mixed $answer): void
    {
        $bayar = $this->open([self::CHARGE => $answer, 'GET /v1/version' => ['status' => 200, 'body' => ['version' => '0.1.0']]]);
        $error = $this->caught(fn() => $bayar->charge('midtrans', ['amount' => 1], 'k'));
        $this->assertSame([Unavailable::class, 'gateway_unavailable', 'maybe_sent', true], [$error::class, $error->name, $error->stage, $error->retry], $error->getMessage());
        $this->assertCount(1, $this->arrived(), 'it was sent again, or a redirect was followed');
        $this->answer(['POST /v1/accounts/midtrans/operations/expire' => $answer]);
        $error = $this->caught(fn() => $bayar->call('midtrans', 'expire'));
        $this->assertSame(['maybe_sent', false], [$error->stage, $error->retry], 'without a key');
        $this->assertCount(2, $this->arrived(), 'it was sent again');
    }

    public function testAnEndedConnectionIsNotAskedTwiceWithoutAKey(): void
    {
        $done = ['status' => 200, 'body' => ['version' => '0.1.0']];
        $bayar = $this->open(['GET /v1/version' => $done, 'POST /v1/accounts/midtrans/operations/expire' => 'closes']);
        $bayar->version(); // leaves a connection on which curl would send again by itself
        $this->caught(fn() => $bayar->call('midtrans', 'expire'));
        $this->assertCount(2, $this->arrived());
    }

    public function testNobodyIsThere(): void
    {
        $bayar = $this->open();
        $this->server->stop();
        $error = $this->caught(fn() => $bayar->charge('midtrans', ['amount' => 1], 'k'));
        $this->assertSame(['gateway_unavailable', 'not_sent', true], [$error->name, $error->stage, $error->retry]);
        $error = $this->caught(fn() => $bayar->call('midtrans', 'expire'));
        $this->assertSame(['not_sent', true], [$error->stage, $error->retry]);
    }

    public function testOnlyACertificateThatIsTrusted(): void
    {
        $certificate = $this->certificate();
        $done = ['GET /v1/version' => ['status' => 200, 'body' => ['version' => '0.1.0']]];
        $this->assertSame('0.1.0', $this->open($done, $certificate, $certificate)->version());
        $error = $this->caught(fn() => $this->open($done, $certificate)->version());
        $this->assertSame(['gateway_unavailable', 'not_sent'], [$error->name, $error->stage], $error->getMessage());
        $this->assertStringContainsString('certificate', $error->getMessage());
        $this->assertCount(1, $this->arrived());
    }

    /** Of a name that the system's certificates do not hold: 127.0.0.1, with its key, in one file. */
    private function certificate(): string
    {
        $config = "{$this->place->path}/openssl.cnf";
        file_put_contents($config, "[req]\ndistinguished_name = dn\n[dn]\n[v3]\nsubjectAltName = IP:127.0.0.1\n");
        $options = ['config' => $config, 'x509_extensions' => 'v3', 'private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1', 'private_key_bits' => 2048];
        $key = openssl_pkey_new($options);
        $signed = openssl_csr_sign(openssl_csr_new(['commonName' => 'gateway.example.com'], $key, $options), null, $key, 1, $options);
        openssl_x509_export($signed, $text);
        openssl_pkey_export($key, $private, null, $options);
        file_put_contents("{$this->place->path}/certificate.pem", $text . $private);
        return "{$this->place->path}/certificate.pem";
    }

    public function testAddressesThatAreTaken(): void
    {
        foreach (['https://pay.example.com', 'https://pay.example.com:8443/bayar', 'http://127.0.0.1:5000', 'http://localhost', 'http://[::1]:5000'] as $url) {
            $this->assertSame($url, (new Gateway($url, 'shop', 'key'))->url);
        }
        foreach (['http://pay.example.com', 'http://127.0.0.1.example.com', 'ftp://127.0.0.1', 'pay.example.com', 'https://a:b@pay.example.com', 'https://pay.example.com?x', '//pay.example.com', ''] as $url) {
            $this->assertSame(InvalidConfig::class, $this->caught(fn() => new Gateway($url, 'shop', 'key'))::class, $url);
        }
        foreach (["k\r\nX: y", '', 'two words'] as $bad) {
            $this->assertSame('gateway.apiKey', $this->caught(fn() => new Gateway('https://a.example.com', 'shop', $bad))->field);
            $this->assertSame('gateway.appCode', $this->caught(fn() => new Gateway('https://a.example.com', $bad, 'key'))->field);
        }
        foreach (['whsec_', 'whsec_***', 'b2xk'] as $bad) {
            $this->assertSame('gateway.webhookSecrets', $this->caught(fn() => new Gateway('https://a.example.com', 'shop', 'key', [$bad]))->field);
        }
    }

    // --- callbacks ---

    private function signed(string $body, ?int $at = null, string $secret = self::NEW, string $id = 'msg_1'): array
    {
        $at ??= time();
        $signature = base64_encode(hash_hmac('sha256', "$id.$at.$body", base64_decode(substr($secret, 6)), true));
        return ['Webhook-Id' => $id, 'Webhook-Timestamp' => (string) $at, 'Webhook-Signature' => "v1,$signature"];
    }

    private function event(): string
    {
        return json_encode(['type' => 'charge.paid', 'timestamp' => '2026-01-02T03:04:05Z', 'data' => ['status' => 'paid'] + self::OUTCOME]);
    }

    public function testACallbackOfTheGateways(): void
    {
        $bayar = $this->open();
        $body = $this->event();
        $new = $this->signed($body);
        $old = $this->signed($body, secret: self::OLD);
        $both = ['Webhook-Signature' => "v1,AAAA {$old['Webhook-Signature']} v2,x"] + $old;
        foreach ([$new, $old, $both, $this->signed($body, time() - 290), $this->signed($body, time() + 290)] as $headers) {
            $callback = $bayar->callback('midtrans', $body, $headers);
            $this->assertSame(['INV-1', true, 200], [$callback->outcome->orderId, $callback->outcome->creditable(), $callback->acknowledgement->status]);
        }
        $this->assertSame([], $this->arrived(), 'it was asked about');
    }

    public function testAForgedCallbackIsRefused(): void
    {
        $bayar = $this->open();
        $body = $this->event();
        $good = $this->signed($body);
        $forged = [
            'another body' => [$good, str_replace('150000', '150001', $body)],
            'another id' => [['Webhook-Id' => 'msg_2'] + $good, $body],
            'another time' => [['Webhook-Timestamp' => (string) (time() + 1)] + $good, $body],
            'too old' => [$this->signed($body, time() - 310), $body],
            'of the future' => [$this->signed($body, time() + 310), $body],
            'no number' => [['Webhook-Timestamp' => "{$good['Webhook-Timestamp']}x"] + $good, $body],
            'another secret' => [$this->signed($body, secret: 'whsec_' . base64_encode('another')), $body],
            'an empty secret' => [$this->signed($body, secret: 'whsec_'), $body],
            'no signature' => [array_diff_key($good, ['Webhook-Signature' => 0]), $body],
            'an empty one' => [['Webhook-Signature' => ''] + $good, $body],
            'a cut one' => [['Webhook-Signature' => 'v1,'] + $good, $body],
            'one of blanks' => [['Webhook-Signature' => "v1,AAAA  "] + $good, $body],
            'no version' => [['Webhook-Signature' => substr($good['Webhook-Signature'], 3)] + $good, $body],
            'no time' => [array_diff_key($good, ['Webhook-Timestamp' => 0]), $body],
            'no id' => [array_diff_key($good, ['Webhook-Id' => 0]), $body],
            'two signatures' => [[...array_map(null, array_keys($good), $good), ['webhook-signature', 'v1,AAAA']], $body],
            'nothing' => [[], ''],
        ];
        foreach ($forged as $name => [$headers, $bytes]) {
            $error = $this->caught(fn() => $bayar->callback('midtrans', $bytes, $headers));
            $this->assertSame([CallbackRefused::class, 401], [$error::class, $error->acknowledgement->status], "$name: {$error->getMessage()}");
        }
    }

    public function testGenuineAndAboutNoPayment(): void
    {
        $bayar = $this->open();
        foreach (['{"type":"ping"}', 'not JSON', '{"type":"charge.paid","data":{"status":"paid"}}'] as $body) {
            $error = $this->caught(fn() => $bayar->callback('midtrans', $body, $this->signed($body)));
            $this->assertSame([CallbackIgnored::class, 200], [$error::class, $error->acknowledgement->status]);
        }
    }

    public function testWithoutASecretNothingIsGenuine(): void
    {
        $bayar = Client::open(gateway: new Gateway('https://pay.example.com', 'shop', 'key'));
        $error = $this->caught(fn() => $bayar->callback('midtrans', $this->event(), $this->signed($this->event())));
        $this->assertSame(['invalid_config', 503], [$error->name, $error->acknowledgement->status]);
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
