<?php

declare(strict_types=1);

namespace Bayar\Laravel\Console;

use Bayar\Client;
use Bayar\Doctor\Doctor;
use Bayar\Doctor\Finding;
use Bayar\Doctor\Level;
use Bayar\Doctor\Text;
use Bayar\Error;
use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Laravel\Http\CallbackController;
use Bayar\Mode;
use Illuminate\Console\Command;
use Illuminate\Console\Scheduling\Schedule;
use Symfony\Component\Console\Output\OutputInterface;

/** What `vendor/bin/bayar doctor` says of PHP, and what of the engine and of Bayar's use in this application. */
final class DoctorCommand extends Command
{
    protected $signature = 'bayar:doctor';

    protected $description = 'Examine the installation of Bayar and its use in this application, without sending anything';

    protected $help = 'Looks at the PHP of the command line. Ends with 1 where something does not work.';

    public function handle(): int
    {
        $findings = [Finding::ok('laravel', $this->laravel->version()), ...$this->php(), ...$this->engine()];
        $this->output->write(Text::of($findings), false, OutputInterface::OUTPUT_RAW);
        return Doctor::works($findings) ? 0 : 1;
    }

    /** @return list<Finding> but for what it would find out by a client of its own */
    private function php(): array
    {
        $else = $this->laravel->make('config')->get('bayar.library') === null ? ['configuration'] : ['configuration', 'library'];
        return array_values(array_filter(Doctor::examine(), static fn(Finding $one): bool => !in_array($one->subject, $else, true)));
    }

    /** @return list<Finding> of the application's own client, and of what the application does with it */
    private function engine(): array
    {
        try {
            $client = $this->laravel->make(Client::class);
            $description = $client->describe();
            $accounts = array_map(
                static fn(array $one): Finding => Finding::ok('account', "{$one['account']}: {$one['id']}, {$one['environment']}"),
                $description['accounts'],
            );
            $mode = Finding::ok('mode', "a client runs in the mode '{$client->mode()->value}', engine {$client->version()}");
            // A gateway's journal is its own matter, and so is whom providers call.
            $callbacks = $client->mode() === Mode::Gateway ? $this->gatewaysCallbacks() : $this->callbacks($description['accounts']);
            $journal = $client->mode() === Mode::Gateway ? [] : $this->journal($client, $description['journal']);
            return [$mode, ...$accounts, ...$journal, ...$callbacks, ...$this->application()];
        } catch (Error $error) {
            return [new Finding('configuration', Level::Error, $error->document['message'], $error->advice)];
        }
    }

    /** @return list<Finding> */
    private function journal(Client $client, string $journal): array
    {
        if ($journal === 'none') {
            $found = 'there is none, and without one nothing can be credited once';
            return [new Finding('journal', Level::Error, $found, "'engine' => ['journal' => …]", $this->laravel->configPath('bayar.php'))];
        }
        $path = str_starts_with($journal, 'sqlite:') ? substr($journal, 7) : null;
        if ($path !== null && !file_exists($path) && function_exists('posix_geteuid') && posix_geteuid() === 0) {
            $found = "$path is not there yet; as root it was not looked at, or it would be made, and be root's own";
            return [new Finding('journal', Level::Warning, $found, 'sudo -u www-data php artisan bayar:doctor, as the user of the web server')];
        }
        $findings = array_map(
            static fn(array $one): Finding => new Finding('journal', $one['level'] === 'error' ? Level::Error : Level::Warning, $one['finding']),
            $client->call('bayar', 'doctor')->data['findings'],
        );
        return $findings === [] ? [Finding::ok('journal', $journal)] : $findings;
    }

    /** @return list<Finding> */
    private function callbacks(array $accounts): array
    {
        $findings = [];
        $routes = $this->routes();
        foreach ($accounts as $account) {
            $name = $account['account'];
            if (isset($account['callback']) && !isset($routes[$name]) && !isset($routes['{account}'])) {
                $findings[] = $this->route("$name: nothing receives its callbacks", $name);
            }
        }
        foreach (array_diff(array_keys($routes), array_column($accounts, 'account'), ['{account}']) as $name) {
            $findings[] = new Finding('routes', Level::Error, "$routes[$name] is for the account $name, which is not configured", 'Correct the name in the file of routes.');
        }
        return $findings;
    }

    /** @return list<Finding> it calls one address, whichever account a payment is of */
    private function gatewaysCallbacks(): array
    {
        return $this->routes() === [] ? [$this->route("nothing receives the gateway's callbacks", 'gateway')] : [];
    }

    private function route(string $found, string $name): Finding
    {
        return new Finding('routes', Level::Warning, $found, "Route::bayarCallback('callbacks/$name', '$name');", $this->laravel->basePath('routes/web.php'));
    }

    /** @return list<Finding> */
    private function application(): array
    {
        $findings = [];
        if ($this->routes() !== [] && !$this->laravel->make('events')->hasListeners(PaymentPaid::class)) {
            $findings[] = new Finding('events', Level::Error, 'nobody listens to ' . PaymentPaid::class . ': what is paid is not credited', 'Register a listener.');
        }
        if (!$this->isScheduled()) {
            $findings[] = new Finding('schedule', Level::Warning, 'nothing heals a lost callback', "\$schedule->command('bayar:recover')->everyFiveMinutes();");
        }
        return $findings;
    }

    /** @return array<string, string> the addresses of callbacks, by account; {account} where it stands in the address */
    private function routes(): array
    {
        $found = [];
        /** @var \Illuminate\Routing\Route $route */
        foreach ($this->laravel->make('router')->getRoutes() as $route) {
            if (ltrim($route->getActionName(), '\\') === CallbackController::class . '@receive') {
                $found[$route->defaults['account'] ?? '{account}'] = $route->uri();
            }
        }
        return $found;
    }

    private function isScheduled(): bool
    {
        foreach ($this->laravel->make(Schedule::class)->events() as $event) {
            if (str_contains((string) $event->command, 'bayar:recover')) {
                return true;
            }
        }
        return false;
    }
}
