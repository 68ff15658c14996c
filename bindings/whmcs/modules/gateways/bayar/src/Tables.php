<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Illuminate\Database\Schema\Blueprint;
use WHMCS\Database\Capsule;

/** The module's own tables, made when they are first needed. */
final class Tables
{
    public const ATTEMPTS = 'mod_bayar_attempts';
    public const PURCHASES = 'mod_bayar_purchases';
    public const SETTINGS = 'mod_bayar_settings';

    private static bool $there = false;

    public static function ensure(): void
    {
        if (self::$there) {
            return;
        }
        foreach ([self::SETTINGS => self::settings(...), self::PURCHASES => self::purchases(...), self::ATTEMPTS => self::attempts(...)] as $table => $columns) {
            if (!Capsule::schema()->hasTable($table)) {
                self::create($table, $columns);
            }
        }
        self::$there = true;
    }

    /** Whether any payment was ever begun here. */
    public static function exist(): bool
    {
        return self::$there = self::$there || Capsule::schema()->hasTable(self::ATTEMPTS);
    }

    private static function create(string $table, \Closure $columns): void
    {
        try {
            Capsule::schema()->create($table, $columns);
        } catch (\PDOException $e) {
            // Another request may have made it just now.
            if (!Capsule::schema()->hasTable($table)) {
                throw $e;
            }
        }
    }

    private static function settings(Blueprint $table): void
    {
        $table->string('name', 32)->primary();
        $table->string('value', 255);
    }

    /** One row for each time that somebody began to pay an invoice. */
    private static function attempts(Blueprint $table): void
    {
        $table->increments('id');
        $table->integer('invoiceid');
        $table->integer('userid');
        $table->integer('number');
        // 1 while it can be paid, else null: the database allows one open attempt an invoice.
        $table->tinyInteger('open')->nullable();
        $table->string('gateway', 64);
        $table->string('account', 64);
        $table->string('channel', 128);
        $table->string('label', 128);
        $table->string('order_id', 64);
        $table->bigInteger('amount');
        $table->decimal('invoice_amount', 16, 2);
        $table->string('currency', 10);
        $table->decimal('rate', 24, 10);
        $table->string('status', 24);
        $table->string('intent', 64)->nullable();
        $table->string('provider_reference', 128)->nullable();
        $table->bigInteger('payable_amount')->nullable();
        $table->text('instruction')->nullable();
        $table->tinyInteger('can_ask')->default(0);
        $table->tinyInteger('can_cancel')->default(0);
        $table->string('note', 32)->nullable();
        $table->text('doubt')->nullable();
        $table->string('transid', 64)->nullable();
        $table->bigInteger('refunded')->default(0);
        // Seconds since 1970-01-01 UTC.
        $table->bigInteger('expires_at')->nullable();
        $table->bigInteger('asked_at')->default(0);
        $table->bigInteger('looked_at')->default(0);
        $table->bigInteger('credited_at')->nullable();
        $table->bigInteger('reversed_at')->nullable();
        $table->bigInteger('created_at');
        $table->bigInteger('updated_at');
        $table->unique(['invoiceid', 'number']);
        $table->unique(['invoiceid', 'open']);
        $table->unique('order_id');
        $table->index('intent');
        $table->index('transid');
        $table->index(['open', 'looked_at']);
        $table->index(['status', 'created_at']);
    }

    /** One row for each prepaid product that was bought for a service. */
    private static function purchases(Blueprint $table): void
    {
        $table->increments('id');
        $table->integer('serviceid');
        $table->integer('number');
        $table->string('account', 64);
        $table->string('order_id', 64);
        $table->string('product', 64);
        $table->string('destination', 64);
        $table->string('status', 24);
        $table->string('intent', 64)->nullable();
        $table->string('serial', 255)->nullable();
        $table->string('reason', 255)->nullable();
        $table->bigInteger('created_at');
        $table->bigInteger('updated_at');
        $table->unique(['serviceid', 'number']);
        $table->unique('order_id');
        $table->index('intent');
    }
}
