<?php

declare(strict_types=1);

namespace Bayar\Laravel;

use Bayar\Client;
use Bayar\InProgress;
use Bayar\Mode;
use Bayar\Outcome;

/**
 * Finds out what became of payments whose callback never came, or whose listener failed, and
 * dispatches the events that belong to it. Any number of machines may run it at once.
 */
final class Recovery
{
    /** @param int $page so many payments are read from the journal at a time */
    public function __construct(
        private readonly Client $client,
        private readonly Payments $payments,
        private readonly int $page = 500,
    ) {}

    /**
     * @param ?string $account only this account's
     * @param bool $now also those whose time to be looked at has not come yet
     * @param int $limit ask about so many at most
     * @param int $days look for what was paid and not credited among the payments made in so many days
     *
     * @throws \Bayar\Error where nothing could be done
     */
    public function run(?string $account = null, bool $now = false, int $limit = 1000, int $days = 7): RecoveryReport
    {
        $report = new RecoveryReport();
        // A gateway recovers by itself, and tells; an application asks it only for its own payments.
        $done = $this->client->mode() === Mode::Gateway ? ['intents' => [], 'settled' => 0] : $this->client->recover($account, $now, $limit);
        $report->looked = $done['intents'];
        $report->settled = $done['settled'];
        $report->stuck = $this->having($done['intents'], static fn(array $one): bool => ($one['passing'] ?? null) === false);
        $changed = $this->having($done['intents'], static fn(array $one): bool => $one['from'] !== $one['to']);
        $told = [];
        foreach ($changed as $one) {
            $told[$one['intent']] = true;
            $this->tell($this->client->intent($one['intent'])['intent'], $report);
        }
        foreach ($this->paid($account, $days) as $intent) {
            if (!isset($told[$intent['id']])) {
                $this->tell($intent, $report);
            }
        }
        $waiting = array_filter(['review' => true, 'account' => $account, 'limit' => 10_000], static fn(mixed $value): bool => $value !== null);
        $report->waiting = $this->client->intents($waiting);
        return $report;
    }

    private function having(array $list, \Closure $condition): array
    {
        return array_values(array_filter($list, $condition));
    }

    /** @return iterable<array<string, mixed>> what was paid and not credited of the payments made in the last days, newest first */
    private function paid(?string $account, int $days): iterable
    {
        $filter = ['unconfirmed' => Payments::EFFECT, 'since_ms' => (time() - $days * 86_400) * 1000, 'limit' => $this->page];
        $filter += $account === null ? [] : ['account' => $account];
        do {
            $page = $this->client->intents($filter);
            yield from $page;
            $filter['after'] = end($page)['id'] ?? null;
        } while (count($page) === $this->page);
    }

    private function tell(array $intent, RecoveryReport $report): void
    {
        // What waits for a review is listed, and no listener's until somebody has decided.
        if (isset($intent['review'])) {
            return;
        }
        try {
            if ($this->payments->tell(self::outcome($intent))) {
                $report->credited[] = $intent['id'];
            }
        } catch (InProgress) {
            return; // somebody else is crediting it just now
        } catch (\Throwable $failure) {
            report($failure);
            $report->failed[$intent['id']] = $failure->getMessage();
        }
    }

    /** What the journal knows of a payment now, as an outcome. */
    private static function outcome(array $intent): Outcome
    {
        $known = $intent['outcome'] ?? [];
        unset($known['evidence'], $known['raw']); // of the request's own answer, before it came to this state
        $present = [
            'account' => $intent['account'],
            'provider' => $intent['provider'],
            'operation' => $intent['operation'],
            'intent' => $intent['id'],
            'status' => $intent['state'],
            'review' => $intent['review'] ?? null,
            'order_id' => $intent['order_id'] ?? null,
            'reference' => $intent['reference'],
            'provider_reference' => $intent['provider_reference'] ?? $known['provider_reference'] ?? null,
            'tenant' => $intent['tenant'] === '' ? null : $intent['tenant'],
            'amount' => $intent['amount'] ?? $known['amount'] ?? null,
            'payable_amount' => $intent['payable_amount'] ?? $known['payable_amount'] ?? null,
        ];
        return new Outcome(array_filter($present, static fn(mixed $value): bool => $value !== null) + $known);
    }
}
