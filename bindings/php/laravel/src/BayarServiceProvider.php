<?php

declare(strict_types=1);

namespace Bayar\Laravel;

use Bayar\Client;
use Bayar\Laravel\Http\CallbackController;
use Illuminate\Contracts\Foundation\Application;
use Illuminate\Routing\Router;
use Illuminate\Support\ServiceProvider;

/** Brings Bayar into a Laravel application: the client, its configuration, callbacks and commands. */
final class BayarServiceProvider extends ServiceProvider
{
    private const CONFIG = __DIR__ . '/../config/bayar.php';

    public function register(): void
    {
        $this->mergeConfigFrom(self::CONFIG, 'bayar');
        $this->app->singleton(Client::class, static fn(Application $app): Client => Settings::of($app)->open());
        $this->app->alias(Client::class, 'bayar');
        $this->app->bind(Payments::class, static fn(Application $app): Payments => new Payments(
            $app->make(Client::class),
            $app->make('events'),
            Settings::of($app)->lease(),
        ));
    }

    public function boot(): void
    {
        Router::macro('bayarCallback', function (string $uri, ?string $account = null) {
            /** @var Router $this */
            return CallbackController::route($this, $uri, $account);
        });
        if ($this->app->runningInConsole()) {
            $this->publishes([self::CONFIG => $this->app->configPath('bayar.php')], 'bayar-config');
            $this->commands([Console\DoctorCommand::class, Console\RecoverCommand::class]);
        }
    }
}
