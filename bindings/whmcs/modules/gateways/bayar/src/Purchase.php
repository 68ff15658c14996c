<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Client;
use Bayar\Error;
use Bayar\OutcomeUnknown;
use Bayar\Status;
use Illuminate\Database\Query\Builder;
use WHMCS\Database\Capsule;

/** A prepaid product that is bought for a service: the module bayarbiller. */
final class Purchase
{
    public readonly int $id;
    public readonly int $service;
    public readonly int $number;
    public readonly string $account;
    /** Our own id of the purchase, and its key. */
    public readonly string $orderId;
    public readonly string $product;
    public readonly string $destination;
    /** 'new' until the engine has answered; then pending, done, failed or unknown. */
    public readonly string $status;
    public readonly ?string $intent;
    /** What was delivered: a serial number, a token. */
    public readonly ?string $serial;
    /** Why it failed, for the shop's people. */
    public readonly ?string $reason;
    public readonly int $createdAt;

    private function __construct(\stdClass $row)
    {
        [$this->id, $this->service, $this->number, $this->createdAt] = [(int) $row->id, (int) $row->serviceid, (int) $row->number, (int) $row->created_at];
        [$this->account, $this->orderId, $this->product, $this->destination] = [$row->account, $row->order_id, $row->product, $row->destination];
        [$this->status, $this->intent, $this->serial, $this->reason] = [$row->status, $row->intent, $row->serial, $row->reason];
    }

    public static function ofOrder(string $account, string $orderId): ?self
    {
        return self::one(self::table()->where('order_id', $orderId)->where('account', $account));
    }

    /** The last one of a service. */
    public static function ofService(int $service): ?self
    {
        return self::one(self::table()->where('serviceid', $service)->orderByDesc('number'));
    }

    /** @return list<self> those that have no end yet */
    public static function waiting(int $limit): array
    {
        $rows = self::table()->whereIn('status', ['pending', 'unknown'])->orderBy('updated_at')->limit($limit)->get();
        return array_map(static fn(\stdClass $row) => new self($row), $rows->all());
    }

    /**
     * Buys a product for a service, once: another one only after the last has failed for certain.
     *
     * @return string 'success', or what the shop's people should know
     */
    public static function buy(Client $bayar, Settings $settings, int $service, string $account, string $product, string $destination): string
    {
        $last = self::ofService($service);
        $purchase = $last === null || $last->status === 'failed'
            ? self::begin($service, ($last?->number ?? 0) + 1, $account, $settings->prefix(), $product, $destination)
            : $last;
        try {
            $params = ['order_id' => $purchase->orderId, 'product' => $purchase->product, 'destination' => $purchase->destination];
            $outcome = $bayar->call($purchase->account, 'purchase', $params, $purchase->orderId);
        } catch (Error $e) {
            $purchase->log($settings, $e->document);
            return $purchase->refused($e);
        }
        $purchase->log($settings, $outcome->toArray());
        $purchase->settle(Finding::ofOutcome($outcome), $outcome['delivery'] ?? []);
        $purchase = self::ofService($service);
        return in_array($purchase->status, ['pending', 'done'], true) ? 'success' : "The purchase $purchase->orderId is $purchase->status.";
    }

    /** What the biller said, by whatever way. */
    public function settle(Finding $finding, array $delivery): Settled
    {
        if ($finding->review !== null) {
            Host::log('bayarbiller', $finding->forLog(), 'Waits for a review');
            Host::remind("Purchase $this->orderId waits for a review", "Service $this->service: $finding->review. To decide: bayar journal show $finding->intent");
            return Settled::Mismatch;
        }
        Host::log('bayarbiller', ['service' => $this->service] + $finding->forLog(), ucfirst($finding->status->value));
        $now = self::ofOrder($this->account, $this->orderId)?->status;
        // What was delivered stays delivered.
        if ($now === 'done' || $now === $finding->status->value) {
            return Settled::Repeated;
        }
        if ($finding->status === Status::Done) {
            $this->service('Active');
        } elseif ($finding->status === Status::Failed) {
            $this->service('Pending');
            Host::remind("Purchase $this->orderId failed", "Service $this->service: $this->product for $this->destination was not delivered, and nothing was taken. Create the service again to buy it once more. Why: bayar journal show $finding->intent");
        }
        // Last: who dies before it does all of it again.
        $this->change($finding->status->value, ['intent' => $finding->intent, 'serial' => $delivery['serial'] ?? null]);
        return Settled::Nothing;
    }

    /** What the journal has of it by now. */
    public function look(Client $bayar): void
    {
        $intent = $bayar->intents(['account' => $this->account, 'operation' => 'purchase', 'order_id' => $this->orderId])[0] ?? null;
        if ($intent !== null && $intent['state'] !== $this->status) {
            $this->settle(Finding::ofIntent($intent), $intent['outcome']['delivery'] ?? []);
        }
    }

    private static function begin(int $service, int $number, string $account, string $prefix, string $product, string $destination): self
    {
        $now = time();
        // Somebody else may be creating the service at this moment.
        self::table()->insertOrIgnore([
            'serviceid' => $service, 'number' => $number, 'account' => $account, 'order_id' => "$prefix-S$service-{$number}X",
            'product' => $product, 'destination' => $destination, 'status' => 'new', 'created_at' => $now, 'updated_at' => $now,
        ]);
        return self::ofService($service) ?? throw new \LogicException("the purchase of service $service is gone");
    }

    private function refused(Error $e): string
    {
        $said = $e->provider['message'] ?? $e->document['message'];
        if ($e instanceof OutcomeUnknown || $e->stage === 'maybe_sent') {
            $this->change('unknown', ['intent' => $e->intent]);
            return "Whether the biller took the purchase $this->orderId is not known, and it is not sent again by itself. Its callback, or you, decide: bayar journal show $e->intent";
        }
        if (!$e->retry) {
            $this->change('failed', ['intent' => $e->intent, 'reason' => mb_substr($said, 0, 255)]);
        }
        return "Not bought: $said";
    }

    private function change(string $status, array $values): void
    {
        self::table()->where('id', $this->id)->where('status', '<>', 'done')
            ->update(['status' => $status, 'updated_at' => time()] + array_filter($values, static fn(mixed $value) => $value !== null));
    }

    private function service(string $status): void
    {
        localAPI('UpdateClientProduct', ['serviceid' => $this->service, 'status' => $status]);
    }

    private function log(Settings $settings, array $answer): void
    {
        $asked = ['account' => $this->account, 'order' => $this->orderId, 'product' => $this->product];
        Host::logCall('purchase', $asked, array_intersect_key($answer, array_flip(['status', 'intent', 'reference', 'code', 'message', 'stage'])), $settings->secrets());
    }

    private static function one(Builder $query): ?self
    {
        $row = $query->first();
        return $row === null ? null : new self($row);
    }

    private static function table(): Builder
    {
        return Capsule::table(Tables::PURCHASES);
    }
}
