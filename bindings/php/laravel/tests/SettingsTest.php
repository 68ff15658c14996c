<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Bayar\Client;
use Bayar\InvalidConfig;
use Bayar\Laravel\Facades\Bayar;
use Bayar\Laravel\Settings;
use Bayar\Mode;
use Bayar\Tests\Daemon;
use Bayar\Tests\Sandbox;
use Illuminate\Contracts\Foundation\Application;

/** The package as composer installs it, and config/bayar.php. */
final class SettingsTest extends ShopCase
{
    public function testItIsDiscovered(): void
    {
        $packages = require "{$this->shop->directory}/bootstrap/cache/packages.php";
        $this->assertSame(['bayar/laravel'], array_keys($packages));
        $this->assertSame($this->shop->app->make(Client::class), $this->shop->app->make('bayar'));
        $this->assertSame($this->shop->app->make(Client::class), Bayar::getFacadeRoot());
        $this->assertSame(Mode::Native, \Bayar::mode(), 'by the alias:');
        $order = Sandbox::newOrder();
        $outcome = \Bayar::charge('midtrans', ['order_id' => $order, 'amount' => 150000], $order);
        $this->assertSame([$order, 'midtrans'], [$outcome->orderId, $outcome->account]);
    }

    public function testItsFileIsPublished(): void
    {
        [$status] = $this->shop->artisan('vendor:publish --tag=bayar-config');
        $this->assertSame(0, $status);
        $this->assertFileEquals(__DIR__ . '/../config/bayar.php', "{$this->shop->directory}/config/bayar.php");
    }

    public function testWhatTheEnvironmentSays(): void
    {
        $names = [
            'BAYAR_CONFIG' => 'file', 'BAYAR_JOURNAL' => 'engine.journal', 'BAYAR_PLUGINS' => 'engine.plugins', 'BAYAR_MODE' => 'mode', 'BAYAR_LIB' => 'library',
            'BAYAR_SOCKET' => 'socket', 'BAYAR_BINARY' => 'binary', 'BAYAR_GATEWAY_URL' => 'gateway.url', 'BAYAR_GATEWAY_APP_CODE' => 'gateway.app_code',
            'BAYAR_GATEWAY_API_KEY' => 'gateway.api_key', 'BAYAR_GATEWAY_WEBHOOK_SECRETS' => 'gateway.webhook_secrets', 'BAYAR_LOG_CHANNEL' => 'log',
            'MIDTRANS_ENVIRONMENT' => 'providers.midtrans.environment', 'MIDTRANS_SERVER_KEY' => 'providers.midtrans.server_key', 'MIDTRANS_CLIENT_KEY' => 'providers.midtrans.client_key',
        ];
        $kept = $_SERVER;
        foreach ($names as $name => $setting) {
            $_SERVER[$name] = "value-of-$setting";
        }
        try {
            $config = $this->shop([])->app['config'];
        } finally {
            $_SERVER = $kept;
        }
        foreach ($names as $setting) {
            $this->assertSame("value-of-$setting", $config->get("bayar.$setting"));
        }
    }

    public function testTheConfigurationMayStandInPhp(): void
    {
        $journal = "sqlite:{$this->place->path}/own.db";
        $midtrans = ['environment' => null, 'server_key' => 'SB-Mid-server-EXAMPLE0000000000000000', 'base_url' => getenv('BAYAR_SANDBOX') . '/midtrans'];
        $settings = ['file' => null, 'engine' => ['journal' => $journal, 'plugins' => getenv('BAYAR_TARGET')], 'providers' => ['midtrans' => $midtrans]];
        $this->shop = $this->shop($settings);
        $order = $this->charge()->orderId;
        $this->assertSame('pending', \Bayar::intents()[0]['state']);
        $this->assertSame($order, \Bayar::intents()[0]['order_id']);
        $this->assertFileExists("{$this->place->path}/own.db");

        $settings['providers']['midtrans']['server_kye'] = 'CANARY';
        $error = $this->refused($settings);
        $this->assertSame(InvalidConfig::class, $error::class);
        $this->assertStringContainsString('server_kye', $error->getMessage());
        // Of this package's own frames: the framework's hold the application with all of its configuration.
        $own = array_filter($error->getTrace(), fn(array $frame) => str_starts_with($frame['class'] ?? '', 'Bayar\\') && !str_contains($frame['class'], 'Tests'));
        $arguments = array_filter(array_merge(...array_column($own, 'args')), fn(mixed $one) => !$one instanceof Application);
        $shown = $error . print_r($arguments, true) . print_r(Settings::of($this->shop->app), true);
        $this->assertStringNotContainsString('CANARY', $shown);
        $this->assertStringContainsString('SensitiveParameterValue', $shown, 'arguments are in the traces:');
    }

    public function testWhatIsLeftOutIsNamed(): void
    {
        $settings = ['file' => null, 'engine.plugins' => getenv('BAYAR_TARGET')];
        $midtrans = ['environment' => null, 'server_key' => null];
        $this->assertStringContainsString('server_key is missing', $this->refused($settings + ['providers.midtrans' => $midtrans])->getMessage());
        $this->shop(['file' => null, 'engine' => [], 'providers' => []])->app->make('bayar');
    }

    /** The journal's own place: a directory that a new application does not have. */
    public function testTheJournalIsMadeInTheStorage(): void
    {
        $midtrans = ['server_key' => 'SB-Mid-server-EXAMPLE0000000000000000', 'base_url' => getenv('BAYAR_SANDBOX') . '/midtrans'];
        $shop = $this->shop = $this->shop(['file' => null, 'engine.plugins' => getenv('BAYAR_TARGET'), 'providers.midtrans' => $midtrans]);
        $this->charge();
        $this->assertFileExists("$shop->directory/storage/bayar/journal.db");
        $this->assertSame('0700', substr(sprintf('%o', fileperms("$shop->directory/storage/bayar")), -4));
    }

    public function testADaemonBringsItsOwn(): void
    {
        $daemon = new Daemon($this->place);
        try {
            $this->shop = $this->shop(['file' => null, 'socket' => $daemon->socket]);
            $this->assertSame(Mode::Socket, \Bayar::mode());
            $this->credits();
            \Illuminate\Support\Facades\Route::bayarCallback('callbacks/midtrans', 'midtrans');
            [$order, $sent] = $this->paid();
            $this->assertSame(200, $this->deliver($sent)->getStatusCode());
            $this->assertSame([[$order, 150000]], $this->credited());
        } finally {
            $daemon->stop();
        }
    }

    public function testAGatewayBringsItsOwn(): void
    {
        $gateway = ['url' => 'https://pay.example.com', 'app_code' => 'shop', 'api_key' => 'k', 'webhook_secrets' => 'whsec_QQ==, whsec_Qg=='];
        $this->shop = $this->shop(['file' => null, 'gateway' => $gateway]);
        $this->assertSame(Mode::Gateway, \Bayar::mode());
    }

    public function testAModeIsTakenByName(): void
    {
        $this->shop = $this->shop(['file' => $this->place->config, 'mode' => 'process', 'binary' => getenv('BAYAR_TARGET') . '/bayar']);
        $this->assertSame(Mode::Process, \Bayar::mode());
        $this->expectExceptionMessage("bayar.mode is 'ffi', expected native, socket, process or gateway");
        $this->shop(['mode' => 'ffi'])->app->make('bayar');
    }

    public function testTheEngineSpeaksInAChannel(): void
    {
        $this->shop = $this->shop(['file' => $this->place->config, 'log' => 'file']);
        \Illuminate\Support\Facades\Route::bayarCallback('callbacks/midtrans', 'midtrans');
        $this->credits();
        [$order, $sent] = $this->paid();
        $this->deliver($sent);
        $log = file_get_contents("{$this->shop->directory}/storage/logs/laravel.log");
        $this->assertStringContainsString("testing.INFO: midtrans: callback for $order is genuine", $log);
    }

    private function refused(array $settings): \Throwable
    {
        try {
            $this->shop($settings)->app->make('bayar');
        } catch (\Throwable $error) {
            return $error;
        }
        $this->fail('nothing was refused');
    }
}
