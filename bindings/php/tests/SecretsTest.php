<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Client;
use Bayar\Error;
use Bayar\Gateway;
use Bayar\Log;
use Bayar\Mode;
use Bayar\Transport;
use PHPUnit\Framework\TestCase;
use Psr\Log\AbstractLogger;

/** Nothing secret in dumps, exports, traces, command lines. */
final class SecretsTest extends TestCase
{
    private const CANARY = 'SB-CANARY-4f1d';

    private Place $place;

    protected function setUp(): void
    {
        $this->place = new Place();
    }

    private function config(): array
    {
        $base = getenv('BAYAR_SANDBOX') . '/midtrans';
        return ['engine' => ['journal' => 'none', 'plugins' => getenv('BAYAR_TARGET')], 'providers' => ['midtrans' => ['server_key' => self::CANARY, 'base_url' => $base]]];
    }

    private function gateway(string $url = 'http://127.0.0.1:9'): Gateway
    {
        return new Gateway($url, 'shop', self::CANARY, ['whsec_' . base64_encode(self::CANARY)]);
    }

    public function testNothingShowsASecret(): void
    {
        $command = [PHP_BINARY, '-d', 'zend.exception_ignore_args=0', __DIR__ . '/programs/secrets.php', $this->place->path];
        $process = proc_open($command, [['null'], ['pipe', 'w'], ['redirect', 1]], $pipes);
        $shown = explode("\n== ", stream_get_contents($pipes[1]));
        $this->assertSame(0, proc_close($process), implode($shown));
        $this->assertCount(25, $shown);
        foreach ($shown as $part) {
            foreach ([self::CANARY, base64_encode(self::CANARY), base64_encode(self::CANARY . ':')] as $secret) {
                $this->assertStringNotContainsString($secret, $part);
            }
        }
        $this->assertStringContainsString('SensitiveParameterValue', implode($shown), 'there were no arguments in the traces');
        $this->assertStringContainsString('daemon --stdio', end($shown), 'the process was not looked at');
        $this->assertStringContainsString('unauthorized', $shown[1], 'the secret was not used');
    }

    public function testNeitherClientsNorSettingsAreSerialized(): void
    {
        foreach ([Client::open($this->config()), Client::open(gateway: $this->gateway()), $this->gateway(), \Bayar\Bayar::fake()] as $thing) {
            try {
                serialize($thing);
                $this->fail($thing::class . ' was serialized');
            } catch (\LogicException $e) {
                $this->assertStringContainsString('anew', $e->getMessage());
            }
        }
    }

    public function testAnOutcomeInADumpIsShort(): void
    {
        $outcome = Sandbox::charge(Client::open(getenv('BAYAR_CONFIG')));
        ob_start();
        var_dump($outcome, $outcome->instruction);
        $shown = print_r([$outcome, $outcome->instruction], true) . ob_get_clean();
        $this->assertStringContainsString($outcome->orderId, $shown);
        $this->assertStringContainsString('virtual_account', $shown);
        $this->assertStringNotContainsString($outcome->instruction->vaNumber, $shown);
        $this->assertStringNotContainsString('va_numbers', $shown);
        // What is taken out on purpose is whole, for queues and caches.
        $this->assertEquals($outcome, unserialize(serialize($outcome)));
        $this->assertSame($outcome->toArray(), json_decode(json_encode($outcome), true));
    }

    // --- the logger ---

    public function testTheLoggerGetsWhatTheEngineSays(): void
    {
        foreach ([Mode::Native, Mode::Process] as $mode) {
            $logger = $this->logger();
            $bayar = Client::open($this->place->config, mode: $mode, binary: getenv('BAYAR_TARGET') . '/bayar', logger: $logger);
            $order = Sandbox::newOrder();
            Sandbox::charge($bayar, $order);
            $sent = Sandbox::paid($order);
            $bayar->callback('midtrans', $sent['body'], $sent['headers']);
            $this->assertStringContainsString("callback for $order is genuine", implode(' ', array_column($logger->records, 1)));
            $this->assertSame(['info', 'bayar'], [$logger->records[0][0], strtok($logger->records[0][2]['target'], ':')]);
            $this->assertSame([], $bayar->drainLog());
        }
    }

    public function testEveryLevelIsOneOfThePsr(): void
    {
        $transport = $this->createStub(Transport::class);
        $levels = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'error', 'OTHER'];
        $transport->method('drainLog')->willReturn(array_map(fn(string $level) => ['level' => $level, 'target' => 't', 'message' => 'm'], $levels));
        $logger = $this->logger();
        Log::pass($transport, $logger);
        $this->assertSame(['error', 'warning', 'info', 'debug', 'debug', 'error', 'info'], array_column($logger->records, 0));
        $this->assertSame(['m', ['target' => 't']], array_slice($logger->records[0], 1));
    }

    public function testALoggerThatThrowsHidesNothing(): void
    {
        $log = "{$this->place->path}/error.log";
        $before = ini_set('error_log', $log);
        $logger = $this->logger(new \RuntimeException('the disk is full of ' . self::CANARY));
        $bayar = Client::open($this->place->config, logger: $logger);
        $order = Sandbox::newOrder();
        Sandbox::charge($bayar, $order);
        $sent = Sandbox::paid($order);
        $this->assertTrue($bayar->callback('midtrans', $sent['body'], $sent['headers'])->outcome->creditable());
        $this->assertSame('callback_refused', $this->caught(fn() => $bayar->callback('midtrans', 'forged', []))->name);
        ini_set('error_log', $before);
        $this->assertStringContainsString('log records were lost, RuntimeException', file_get_contents($log));
        $this->assertStringNotContainsString(self::CANARY, file_get_contents($log));
    }

    private function logger(?\Throwable $throws = null): AbstractLogger
    {
        return new class($throws) extends AbstractLogger {
            public array $records = [];

            public function __construct(private readonly ?\Throwable $throws) {}

            public function log($level, $message, array $context = []): void
            {
                $this->records[] = [$level, $message, $context];
                $this->throws === null || throw $this->throws;
            }
        };
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
