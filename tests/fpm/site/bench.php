<?php

declare(strict_types=1);

// One sample of what something costs inside a worker, in microseconds, by the name ?how=.

require __DIR__ . '/open.php';

const ITEMS = [['id' => 'VPS-01', 'name' => 'Cloud VPS Basic', 'price' => 150000, 'quantity' => 1]];

$order = $_GET['order'];
echo match ($_GET['how']) {
    // As an application has it: opened in this request, used once.
    'bayar' => took(fn() => charge(Bayar\Client::open($_GET['config']), $order)),
    'third' => third(Bayar\Client::open($_GET['config']), $order),
    'fresh' => took(fn() => curl(curl_init(), $order)),
    'kept' => kept($order),
    // The way to the engine alone.
    'first' => took(fn() => open_bayar()->channels('midtrans')),
    'call' => called(open_bayar()),
};

function took(callable $work): float
{
    $began = hrtime(true);
    $work();
    return (hrtime(true) - $began) / 1e3;
}

function charge(Bayar\Client $bayar, string $order): string
{
    return $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'items' => ITEMS], $order)->instruction->url;
}

function third(Bayar\Client $bayar, string $order): float
{
    charge($bayar, "{$order}a");
    charge($bayar, "{$order}b");
    return took(fn() => charge($bayar, $order));
}

/** The third charge of a request over one handle: its connection is there. */
function kept(string $order): float
{
    $handle = curl_init();
    curl($handle, "{$order}a");
    curl($handle, "{$order}b");
    return took(fn() => curl($handle, $order));
}

function called(Bayar\Client $bayar): float
{
    $bayar->channels('midtrans');
    return took(fn() => $bayar->channels('midtrans'));
}

/** The charge by hand: the same order to the same address, its answer read. */
function curl(CurlHandle $handle, string $order): string
{
    $asked = ['transaction_details' => ['order_id' => $order, 'gross_amount' => 150000], 'item_details' => ITEMS];
    curl_setopt_array($handle, [
        CURLOPT_URL => $_GET['url'] . '/snap/v1/transactions',
        CURLOPT_CAINFO => $_GET['ca'],
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => json_encode($asked, JSON_THROW_ON_ERROR),
        CURLOPT_USERPWD => $_GET['key'] . ':',
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Accept: application/json'],
        CURLOPT_RETURNTRANSFER => true,
    ]);
    $answer = curl_exec($handle);
    if ($answer === false || curl_getinfo($handle, CURLINFO_RESPONSE_CODE) !== 201) {
        throw new RuntimeException(curl_error($handle) . $answer);
    }
    return json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['redirect_url'];
}
