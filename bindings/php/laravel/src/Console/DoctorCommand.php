<?php

declare(strict_types=1);

namespace Bayar\Laravel\Console;

use Bayar\Client;
use Bayar\Error;
use Bayar\Laravel\Events\PaymentPaid;
use Bayar\Laravel\Http\CallbackController;
use Illuminate\Console\Command;
use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Routing\Route;

/** Examines the installation and how the application uses it, without sending anything. */
final class DoctorCommand extends Command
{
    protected $signature = 'bayar:doctor';

    protected $description = 'Examine the installation of Bayar and its use in this application, without sending anything';

    protected $help = 'Ends with 1 where a finding is an error.';

    public function handle(): int
    {
        try {
            $client = $this->laravel->make(Client::class);
            $report = $client->call('bayar', 'doctor')->data;
        } catch (Error $error) {
            $this->say('error', $error->getMessage());
            return 1;
        }
        $this->say('laravel', $this->laravel->version());
        $this->say('mode', $client->mode()->value);
        foreach (['version', 'plugins', 'journal'] as $name) {
            $this->say($name, $report[$name] ?? '-');
        }
        foreach ($report['accounts'] as $account) {
            $this->say('account', "{$account['account']} ({$account['provider']}, {$account['environment']})");
        }
        $findings = [...$report['findings'], ...$this->findings($report)];
        foreach ($findings as $finding) {
            $this->say($finding['level'], $finding['finding']);
        }
        return in_array('error', array_column($findings, 'level'), true) ? 1 : 0;
    }

    /** @return list<array{level: string, finding: string}> */
    private function findings(array $report): array
    {
        $findings = [];
        $routes = $this->routes();
        if ($report['journal'] === 'none') {
            $findings[] = ['error', 'without a journal nothing is credited: name one in config/bayar.php, engine.journal'];
        }
        if ($routes !== [] && !$this->laravel->make('events')->hasListeners(PaymentPaid::class)) {
            $findings[] = ['error', 'nobody listens to Bayar\Laravel\Events\PaymentPaid: what is paid is not credited; register a listener'];
        }
        foreach ($report['accounts'] as ['account' => $account, 'callbacks' => $callbacks]) {
            if ($callbacks && !isset($routes[$account]) && !isset($routes['{account}'])) {
                $findings[] = ['warning', "$account: no route receives its callbacks; in a file of routes: Route::bayarCallback('callbacks/$account', '$account');"];
            }
        }
        $accounts = array_column($report['accounts'], 'account');
        foreach (array_diff(array_keys($routes), $accounts, ['{account}']) as $account) {
            $findings[] = ['error', "the route {$routes[$account]} is of the account $account, which is not configured"];
        }
        if (!$this->isScheduled()) {
            $findings[] = ['warning', "nothing heals a lost callback: schedule the command bayar:recover every five minutes"];
        }
        return array_map(static fn(array $finding): array => array_combine(['level', 'finding'], $finding), $findings);
    }

    /** @return array<string, string> the addresses of callbacks, by account; {account} where it stands in the address */
    private function routes(): array
    {
        $found = [];
        /** @var Route $route */
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

    private function say(string $what, string $text): void
    {
        $this->output->writeln(sprintf('%-9s %s', $what, $text), $this->output::OUTPUT_RAW);
    }
}
