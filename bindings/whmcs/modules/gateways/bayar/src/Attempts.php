<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Outcome;
use Bayar\Status;
use Illuminate\Database\Query\Builder;
use Illuminate\Database\QueryException;
use WHMCS\Database\Capsule;

/** Where attempts are kept. */
final class Attempts
{
    /** Statuses that nothing but a later one of these replaces. */
    private const TAKEN = ['paid', 'partially_refunded', 'refunded', 'disputed'];
    /** How long after its begin an attempt may still be found paid, and how often that is looked at, in seconds. */
    private const LATE = 8 * 86_400;
    private const PAUSE = 3600;
    private const OPEN = ['new', 'pending', 'authorized', 'unknown'];

    public function open(int $invoice): ?Attempt
    {
        return self::one(self::table()->where('invoiceid', $invoice)->where('open', 1));
    }

    public function last(int $invoice): ?Attempt
    {
        return self::one(self::table()->where('invoiceid', $invoice)->orderByDesc('number'));
    }

    /** The one that an order of an account belongs to. */
    public function ofOrder(string $account, string $orderId): ?Attempt
    {
        return self::one(self::table()->where('order_id', $orderId)->where('account', $account));
    }

    /** The one that a transaction of WHMCS credited. */
    public function ofTransaction(string $transaction): ?Attempt
    {
        return self::one(self::table()->where('transid', $transaction));
    }

    public function find(int $id): Attempt
    {
        return self::one(self::table()->where('id', $id)) ?? throw new \LogicException("attempt $id is gone");
    }

    /**
     * What recovery looks at, the longest not looked at first: what is open or paid and not credited,
     * and now and then what ended without being paid, for it may have been paid late.
     *
     * @return list<Attempt>
     */
    public function unsettled(int $now, int $limit): array
    {
        $waiting = self::table()->where('open', 1)->orWhere(fn(Builder $query) => $query->where('status', 'paid')->whereNull('credited_at'));
        $ended = self::table()->whereNull('open')->whereNull('credited_at')->where('status', '<>', 'paid')
            ->where('created_at', '>=', $now - self::LATE)->where('looked_at', '<=', $now - self::PAUSE);
        $found = [];
        foreach ([$waiting, $ended] as $query) {
            foreach ($query->orderBy('looked_at')->limit($limit)->get() as $row) {
                $found[] = new Attempt($row);
            }
        }
        self::table()->whereIn('id', array_map(static fn(Attempt $attempt) => $attempt->id, $found))->update(['looked_at' => $now]);
        return $found;
    }

    /**
     * Begins the attempt that a quote allows.
     *
     * @return ?Attempt null where it was begun before, or another one is open
     */
    public function begin(Quote $quote, Choice $choice, string $prefix, int $now): ?Attempt
    {
        $orderId = "$prefix-$quote->invoice-" . self::letters($quote->number);
        try {
            $id = self::table()->insertGetId([
                'invoiceid' => $quote->invoice, 'userid' => $quote->user, 'number' => $quote->number, 'open' => 1,
                'gateway' => $quote->gateway, 'account' => $choice->account, 'channel' => $choice->channel ?? '', 'label' => $choice->label,
                'order_id' => $orderId, 'amount' => $quote->amount, 'invoice_amount' => $quote->balance, 'currency' => $quote->currency,
                'rate' => $quote->rate(), 'status' => 'new', 'created_at' => $now, 'updated_at' => $now,
            ]);
        } catch (QueryException $e) {
            if ($e->getCode() === '23000') { // one of the unique indexes
                return null;
            }
            throw $e;
        }
        return $this->find($id);
    }

    /**
     * Keeps what the provider can do about it.
     *
     * @param list<string> $operations
     */
    public function can(Attempt $attempt, array $operations): void
    {
        $this->change($attempt, ['can_ask' => (int) in_array('status', $operations, true), 'can_cancel' => (int) in_array('cancel', $operations, true)]);
    }

    /**
     * Keeps what the engine answered to a charge.
     *
     * @param int $life how long the payer may take where the provider does not say, in seconds
     */
    public function answered(Attempt $attempt, Outcome $outcome, int $life): Attempt
    {
        $this->change($attempt, [
            'intent' => $outcome->intent,
            'provider_reference' => $outcome->providerReference,
            'payable_amount' => $outcome->payableAmount?->amount,
            'instruction' => $outcome->instruction === null ? null : json_encode($outcome->instruction, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES),
            'expires_at' => $outcome->expiresAt?->getTimestamp() ?? $attempt->createdAt + $life,
            'note' => null,
        ]);
        return $this->now($attempt, $outcome->status);
    }

    /** Keeps the state that is known now. Callbacks come in any order: what is paid does not become pending again. */
    public function now(Attempt $attempt, Status $status): Attempt
    {
        $rows = self::table()->where('id', $attempt->id);
        if (!in_array($status->value, self::TAKEN, true)) {
            $rows->whereNotIn('status', self::TAKEN);
        }
        if (in_array($status->value, self::OPEN, true)) {
            // One that was closed stays closed: another may be open by now.
            $rows->where('open', 1);
        }
        $open = in_array($status->value, self::OPEN, true) ? 1 : null;
        $rows->update(['status' => $status->value, 'open' => $open, 'updated_at' => time()]);
        return $this->find($attempt->id);
    }

    /** It is not to be paid any more. Should it be paid all the same, it is still credited. */
    public function close(Attempt $attempt, string $status, ?string $note): Attempt
    {
        self::table()->where('id', $attempt->id)->whereNotIn('status', self::TAKEN)
            ->update(['status' => $status, 'open' => null, 'note' => $note, 'updated_at' => time()]);
        return $this->find($attempt->id);
    }

    /** It stays open, and the payer is told why there is nothing to pay yet. */
    public function waits(Attempt $attempt, string $status, string $note, ?string $intent): Attempt
    {
        $this->change($attempt, ['status' => $status, 'note' => $note, 'intent' => $intent ?? $attempt->intent]);
        return $this->find($attempt->id);
    }

    public function knownAs(Attempt $attempt, string $intent): void
    {
        $this->change($attempt, ['intent' => $intent]);
    }

    public function doubted(Attempt $attempt, string $why): void
    {
        $this->change($attempt, ['doubt' => $why]);
    }

    public function credited(Attempt $attempt, string $transaction): void
    {
        $this->change($attempt, ['transid' => $transaction, 'credited_at' => $attempt->creditedAt ?? time()]);
    }

    public function reversed(Attempt $attempt): void
    {
        $this->change($attempt, ['reversed_at' => time()]);
    }

    /** Rupiah that were given back from here, those under way included. */
    public function refunded(Attempt $attempt, int $rupiah): void
    {
        $this->change($attempt, ['refunded' => $rupiah]);
    }

    /** Whether the provider may be asked now: payers press buttons, and providers count. */
    public function mayAsk(Attempt $attempt, int $now, int $pause): bool
    {
        return self::table()->where('id', $attempt->id)->where('asked_at', '<=', $now - $pause)->update(['asked_at' => $now]) === 1;
    }

    private function change(Attempt $attempt, array $values): void
    {
        self::table()->where('id', $attempt->id)->update($values + ['updated_at' => time()]);
    }

    /** 1 is A, 27 is AA. Duitku signs without separators: an id that ends with a letter cannot run into an amount. */
    private static function letters(int $number): string
    {
        for ($text = ''; $number > 0; $number = intdiv($number - 1, 26)) {
            $text = chr(65 + ($number - 1) % 26) . $text;
        }
        return $text;
    }

    private static function one(Builder $query): ?Attempt
    {
        $row = $query->first();
        return $row === null ? null : new Attempt($row);
    }

    private static function table(): Builder
    {
        return Capsule::table(Tables::ATTEMPTS);
    }
}
