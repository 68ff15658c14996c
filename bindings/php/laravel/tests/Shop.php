<?php

declare(strict_types=1);

namespace Bayar\Laravel\Tests;

use Illuminate\Contracts\Console\Kernel as ConsoleContract;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel as HttpContract;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel as HttpKernel;
use Illuminate\Http\Request;
use Symfony\Component\HttpFoundation\Response;

/** A small application in a directory of its own, with this package installed as composer does it. */
final class Shop
{
    public readonly Application $app;
    /** @var list<\Throwable> what was reported */
    public array $reported = [];

    /** @param array<string, mixed> $settings of config/bayar.php */
    public function __construct(public readonly string $directory, array $settings = [])
    {
        foreach (['bootstrap/cache', 'config', 'resources/lang', 'lang', 'storage/logs', 'storage/framework/views', 'vendor/composer'] as $part) {
            is_dir("$directory/$part") || mkdir("$directory/$part", 0700, true);
        }
        $this->install();
        $this->configure();
        $app = $this->app = new Application($directory);
        $app->singleton(HttpContract::class, Http::class);
        $app->singleton(ConsoleContract::class, ConsoleKernel::class);
        $app->singleton(ExceptionHandler::class, Handler::class);
        $app->make(ConsoleContract::class)->bootstrap();
        // The framework's own would turn PHPUnit's into reports.
        restore_error_handler();
        restore_exception_handler();
        $app->make(ExceptionHandler::class)->reportable(function (\Throwable $e): bool {
            $this->reported[] = $e;
            return false;
        });
        foreach ($settings as $name => $value) {
            $app['config']->set("bayar.$name", $value);
        }
    }

    /** What `composer require bayar/laravel` writes down, for the framework to discover. */
    private function install(): void
    {
        $package = json_decode(file_get_contents(__DIR__ . '/../composer.json'), true, 512, JSON_THROW_ON_ERROR);
        file_put_contents("$this->directory/composer.json", '{}');
        file_put_contents("$this->directory/vendor/composer/installed.json", json_encode(['packages' => [$package]]));
    }

    private function configure(): void
    {
        $files = [
            'app' => [
                'name' => 'shop', 'env' => 'testing', 'debug' => false, 'url' => 'https://shop.example.com', 'timezone' => 'Asia/Jakarta',
                'locale' => 'id', 'fallback_locale' => 'en', 'cipher' => 'AES-256-CBC', 'key' => str_repeat('k', 32),
                'providers' => self::PROVIDERS, 'aliases' => [],
            ],
            'cache' => ['default' => 'array', 'stores' => ['array' => ['driver' => 'array']], 'prefix' => ''],
            'database' => ['default' => 'sqlite', 'migrations' => 'migrations', 'connections' => [
                'sqlite' => ['driver' => 'sqlite', 'database' => "$this->directory/shop.db", 'busy_timeout' => 5000],
            ]],
            'logging' => ['default' => 'file', 'channels' => [
                'file' => ['driver' => 'single', 'path' => "$this->directory/storage/logs/laravel.log", 'level' => 'debug'],
            ]],
            'queue' => ['default' => 'sync', 'connections' => ['sync' => ['driver' => 'sync']]],
            'session' => [
                'driver' => 'array', 'lifetime' => 10, 'cookie' => 'shop', 'path' => '/', 'domain' => null, 'secure' => false, 'same_site' => 'lax',
                'http_only' => true, 'lottery' => [0, 1], 'expire_on_close' => false, 'encrypt' => false,
            ],
            'view' => ['paths' => [], 'compiled' => "$this->directory/storage/framework/views"],
        ];
        foreach ($files as $name => $content) {
            file_put_contents("$this->directory/config/$name.php", '<?php return ' . var_export($content, true) . ';');
        }
    }

    private const PROVIDERS = [
        \Illuminate\Bus\BusServiceProvider::class,
        \Illuminate\Cache\CacheServiceProvider::class,
        \Illuminate\Foundation\Providers\ConsoleSupportServiceProvider::class,
        \Illuminate\Cookie\CookieServiceProvider::class,
        \Illuminate\Database\DatabaseServiceProvider::class,
        \Illuminate\Encryption\EncryptionServiceProvider::class,
        \Illuminate\Filesystem\FilesystemServiceProvider::class,
        \Illuminate\Foundation\Providers\FoundationServiceProvider::class,
        \Illuminate\Queue\QueueServiceProvider::class,
        \Illuminate\Session\SessionServiceProvider::class,
        \Illuminate\Translation\TranslationServiceProvider::class,
        \Illuminate\View\ViewServiceProvider::class,
    ];

    /** A request through the HTTP kernel, global and group middleware included. */
    public function request(string $method, string $uri, string $body = '', array $headers = [], array $server = []): Response
    {
        foreach ($headers as [$name, $value]) {
            $name = strtoupper(strtr($name, '-', '_'));
            $server[in_array($name, ['CONTENT_TYPE', 'CONTENT_LENGTH'], true) ? $name : "HTTP_$name"] = $value;
        }
        parse_str(str_contains($server['CONTENT_TYPE'] ?? '', 'urlencoded') ? $body : '', $form);
        $request = Request::create($uri, $method, $form, [], [], $server, $body);
        return $this->app->make(HttpContract::class)->handle($request);
    }

    /** Runs an artisan command; its exit status and what it printed. */
    public function artisan(string $command): array
    {
        $kernel = $this->app->make(ConsoleContract::class);
        try {
            return [$kernel->call($command), $kernel->output()];
        } finally {
            // --quiet reaches every later command of this process.
            putenv('SHELL_VERBOSITY');
            unset($_ENV['SHELL_VERBOSITY'], $_SERVER['SHELL_VERBOSITY']);
        }
    }
}

/** The middleware of a new application. */
final class Http extends HttpKernel
{
    protected $middleware = [
        \Illuminate\Foundation\Http\Middleware\PreventRequestsDuringMaintenance::class,
        \Illuminate\Foundation\Http\Middleware\ValidatePostSize::class,
        \Illuminate\Foundation\Http\Middleware\TrimStrings::class,
        \Illuminate\Foundation\Http\Middleware\ConvertEmptyStringsToNull::class,
    ];
    protected $middlewareGroups = ['web' => [
        \Illuminate\Cookie\Middleware\EncryptCookies::class,
        \Illuminate\Cookie\Middleware\AddQueuedCookiesToResponse::class,
        \Illuminate\Session\Middleware\StartSession::class,
        VerifyCsrfToken::class,
        \Illuminate\Routing\Middleware\SubstituteBindings::class,
    ]];
}

/** As an application has its own, which derives from the framework's. In tests the framework's lets everything pass. */
final class VerifyCsrfToken extends \Illuminate\Foundation\Http\Middleware\VerifyCsrfToken
{
    protected function runningUnitTests()
    {
        return false;
    }
}
