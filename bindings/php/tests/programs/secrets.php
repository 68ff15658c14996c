<?php

declare(strict_types=1);

// Prints all that PHP shows of clients, settings and errors that have to do with secrets, each under
// a line `== what`: secrets.php DIRECTORY. It is a program of its own so that its traces hold no
// objects of a test's.

require __DIR__ . '/../../bayar.php';

use Bayar\Client;
use Bayar\Doctor\Doctor;
use Bayar\Gateway;
use Bayar\Mode;

const CANARY = 'SB-CANARY-4f1d';
const TOML = "[providers.midtrans]\nserver_key = '" . CANARY . "'\nx = 1\n";

function settings(): array
{
    $base = getenv('BAYAR_SANDBOX') . '/midtrans';
    return ['engine' => ['journal' => 'none', 'plugins' => getenv('BAYAR_TARGET')], 'providers' => ['midtrans' => ['server_key' => CANARY, 'base_url' => $base]]];
}

function gateway(): Gateway
{
    return new Gateway('http://127.0.0.1:9', 'shop', CANARY, ['whsec_' . base64_encode(CANARY)]);
}

function caught(callable $action): Throwable
{
    try {
        $action();
    } catch (Throwable $error) {
        return $error;
    }
    exit("nothing was thrown\n");
}

function charge(Client $bayar): Throwable
{
    return caught(static fn() => $bayar->charge('midtrans', ['amount' => 150000, 'description' => CANARY], 'k'));
}

function forged(Client $bayar): Throwable
{
    return caught(static fn() => $bayar->callback('midtrans', CANARY, ['X-Secret' => CANARY], 'token=' . CANARY));
}

function show(string $what, mixed $thing): void
{
    echo "\n== $what\n";
    var_dump($thing);
    print_r($thing);
    @var_export($thing); // which says that it meets an object twice
    echo json_encode($thing, JSON_PARTIAL_OUTPUT_ON_ERROR);
    echo $thing instanceof Throwable ? $thing : '';
    foreach ([$thing, is_object($thing) ? (array) $thing : null] as $form) {
        // What debuggers and error pages do.
        var_dump($form);
        print_r($form);
    }
    try {
        echo serialize($thing);
    } catch (Throwable $e) {
        echo $e;
    }
}

$binary = getenv('BAYAR_TARGET') . '/bayar';
$native = Client::open(settings());
$process = Client::open(settings(), mode: Mode::Process, binary: $binary);
$gateway = Client::open(gateway: gateway());
$socket = Client::open(socket: "$argv[1]/nobody.sock");
foreach (compact('native', 'process', 'gateway', 'socket') as $mode => $bayar) {
    show("charge: $mode", charge($bayar));
    show("callback: $mode", forged($bayar));
    show("client: $mode", $bayar);
}
show('settings of a gateway', gateway());
show('a mistyped configuration', caught(static fn() => Client::open(TOML)));
show('one in a process', caught(static fn() => Client::open(TOML, mode: Mode::Process, binary: $binary)->version()));
show('a configuration of bytes', caught(static fn() => Client::open(['a' => CANARY . "\xff"])));
show('no way', caught(static fn() => Client::open(TOML, mode: Mode::Gateway)));
show('a bad key', caught(static fn() => new Gateway('https://a.example.com', 'shop', CANARY . "\n")));
show('a bad secret', caught(static fn() => new Gateway('https://a.example.com', 'shop', 'key', [CANARY])));
show('a wrong type of secret', caught(static fn() => new Gateway('https://a.example.com', 'shop', 'key', [[CANARY]])));
show('parameters that are no JSON', caught(static fn() => $native->charge('midtrans', ['description' => CANARY, 'amount' => NAN], 'k')));
show('a wrong type of parameters', caught(static fn() => $native->charge('midtrans', CANARY, 'k')));
show('findings', Doctor::examine(TOML));

echo "\n== what others see of the process\n";
foreach (explode(' ', trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'))) as $child) {
    echo str_replace("\0", ' ', file_get_contents("/proc/$child/cmdline") . file_get_contents("/proc/$child/environ"));
}
