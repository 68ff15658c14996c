<?php

declare(strict_types=1);

namespace Bayar\Laravel\Console;

use Bayar\Error;
use Bayar\Laravel\Recovery;
use Bayar\Laravel\RecoveryReport;
use Illuminate\Console\Command;
use Symfony\Component\Console\Output\OutputInterface;

/** What `bayar recover` does, and the events that belong to it; for the scheduler. */
final class RecoverCommand extends Command
{
    protected $signature = 'bayar:recover
        {--account= : Only payments of this account}
        {--now : Also those whose time to be looked at has not come yet}
        {--limit=1000 : Ask about no more than this many}
        {--days=7 : Credit what was paid and not credited, of the payments made in so many days}
        {--json : Print the report as JSON}';

    protected $description = 'Ask the providers what became of payments that nobody heard of, and credit what was paid';

    protected $help = <<<'TEXT'
        Ends with 0 where nothing is left to do for people; with 1 where a payment waits for a review, cannot
        be asked about, or a listener failed; with 2 where nothing could be done. With --quiet it prints only
        what is left to do for people.
        TEXT;

    public function handle(): int
    {
        try {
            [$limit, $days] = [$this->number('limit'), $this->number('days')];
            $report = $this->laravel->make(Recovery::class)->run($this->option('account'), $this->option('now'), $limit, $days);
        } catch (Error | \InvalidArgumentException $failure) {
            $this->getOutput()->getErrorStyle()->writeln($failure->getMessage(), OutputInterface::OUTPUT_RAW | OutputInterface::VERBOSITY_QUIET);
            return 2;
        }
        if ($this->option('json')) {
            $this->say(json_encode($report, JSON_THROW_ON_ERROR | JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
        } else {
            $this->tell($report);
        }
        return $report->needsPeople() ? 1 : 0;
    }

    private function number(string $option): int
    {
        $given = (string) $this->option($option);
        if (!preg_match('/^[1-9][0-9]{0,8}$/D', $given)) {
            throw new \InvalidArgumentException("--$option is '$given', expected a number from 1");
        }
        return (int) $given;
    }

    private function tell(RecoveryReport $report): void
    {
        foreach ($report->looked as $one) {
            $state = $one['from'] === $one['to'] ? $one['to'] : "{$one['from']} → {$one['to']}";
            $this->say("{$one['intent']}  {$one['account']} {$one['operation']} {$one['reference']}: $state");
        }
        foreach ($report->credited as $intent) {
            $this->say("$intent  credited");
        }
        foreach ($report->waiting as $one) {
            $order = $one['order_id'] ?? $one['reference'];
            $this->shout("{$one['id']}  {$one['account']} $order ({$one['state']}) waits for a review: {$one['review']}");
        }
        foreach ($report->stuck as $one) {
            $this->shout("{$one['intent']}  cannot be asked about: {$one['error']}");
        }
        foreach ($report->failed as $intent => $why) {
            $this->shout("$intent  a listener failed: $why");
        }
        $this->say(sprintf('%d looked at, %d settled, %d credited', count($report->looked), $report->settled, count($report->credited)));
    }

    private function say(string $line): void
    {
        $this->output->writeln($line, OutputInterface::OUTPUT_RAW);
    }

    /** What a person is to see, with --quiet too. */
    private function shout(string $line): void
    {
        $this->output->writeln($line, OutputInterface::OUTPUT_RAW | OutputInterface::VERBOSITY_QUIET);
    }
}
