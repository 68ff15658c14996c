<?php

declare(strict_types=1);

// The PHP binding. Started by tests/hosts/run; ends with a line `N passed, N failed`.

require __DIR__ . '/../../bindings/php/bayar.php';

use Bayar\Engine;
use Bayar\Error;

const KEY = 'SB-Mid-server-EXAMPLE0000000000000000';
const CANARY = 'SB-CANARY';

// --- a harness that fits a screen ---

$passed = $failed = 0;

function test(string $name, callable $body): void
{
    global $passed, $failed;
    try {
        $body();
        $passed++;
    } catch (Throwable $e) {
        $failed++;
        echo "FAILED: $name\n$e\n";
    }
}

function equal(mixed $found, mixed $expected, string $what = ''): void
{
    if ($found !== $expected) {
        throw new LogicException(trim("$what found " . json_encode($found) . ', expected ' . json_encode($expected)));
    }
}

function holds(bool $condition, string $what): void
{
    equal($condition, true, $what);
}

/** Does it and gives the error, which must have that code. */
function refused(string $code, callable $action): Error
{
    try {
        $action();
    } catch (Error $error) {
        equal($error->name, $code, $error->getMessage());
        return $error;
    }
    throw new LogicException("nothing was refused, expected $code");
}

// --- the sandbox ---

function control(string $method, string $path): array
{
    $context = stream_context_create(['http' => ['method' => $method, 'ignore_errors' => true]]);
    $text = file_get_contents(getenv('BAYAR_SANDBOX') . "/_sandbox/$path", false, $context);
    return json_decode($text, true, 512, JSON_THROW_ON_ERROR);
}

function arrived(): int
{
    $requests = control('GET', 'requests?direction=in');
    return $requests ? end($requests)['seq'] : 0;
}

function engine(): Engine
{
    return Engine::open(getenv('BAYAR_CONFIG'));
}

function newOrder(string $prefix = 'PHP'): string
{
    // Hexadecimal: a long decimal number may look like a card's, which the engine hides in logs.
    return "$prefix-" . getmypid() . '-' . dechex(hrtime(true));
}

function charge(Engine $engine, string $order): Bayar\Outcome
{
    return $engine->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], $order);
}

/** A paid order's callback: its headers, its body, and the body's content. */
function paidCallback(Engine $engine): array
{
    $order = newOrder();
    charge($engine, $order);
    control('POST', "midtrans/$order/paid");
    $sent = control('GET', "midtrans/$order/callback");
    return [$order, $sent['headers'], $sent['body'], json_decode($sent['body'], true)];
}

function signed(array $document, string $key): array
{
    $text = $document['order_id'] . $document['status_code'] . $document['gross_amount'] . $key;
    return ['signature_key' => hash('sha512', $text)] + $document;
}

// --- the tests ---

test('a charge is made and asked for', function () {
    $engine = engine();
    $order = newOrder();
    $outcome = charge($engine, $order);
    equal([$outcome->orderId, $outcome->status, $outcome->amount], [$order, 'pending', 150000]);
    equal($outcome->instruction['kind'], 'virtual_account');
    equal($outcome['instruction'], $outcome->instruction);
    equal([isset($outcome['review']), $outcome['review'], $outcome->review], [false, null, null]);
    equal(json_decode(json_encode($outcome), true), $outcome->toArray());
    equal($engine->status('midtrans', ['order_id' => $order])->status, 'pending');
    control('POST', "midtrans/$order/paid");
    equal($engine->status('midtrans', ['order_id' => $order])->status, 'paid');
});

test('the verbs are operations', function () {
    $engine = engine();
    $order = newOrder();
    charge($engine, $order);
    equal($engine->cancel('midtrans', ['order_id' => $order], "$order-c")->status, 'cancelled');
    holds(str_contains(json_encode($engine->channels('midtrans')['data']), 'bca_va'), 'channels');
    $order = newOrder();
    $engine->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'qris'], $order);
    control('POST', "midtrans/$order/paid");
    $refund = $engine->refund('midtrans', ['order_id' => $order, 'amount' => 50000], "$order-r");
    equal([$refund->status, $refund->amount], ['done', 50000]);
});

test('configurations of every kind', function () {
    $file = getenv('BAYAR_CONFIG');
    foreach ([$file, file_get_contents($file), ['file' => $file], json_encode(['file' => $file])] as $config) {
        equal((new Engine($config))->describe('midtrans')['account'], 'midtrans');
    }
    refused('invalid_config', fn() => new Engine('/nonexistent/bayar.toml'));
});

test('describe', function () {
    $everything = engine()->describe();
    equal($everything['bayar'], engine()->version());
    holds(in_array('midtrans', array_column($everything['accounts'], 'account'), true), 'midtrans');
    holds(in_array('charge', array_column(engine()->describe('midtrans')['operations'], 'name'), true), 'charge');
    refused('unknown_account', fn() => engine()->describe('nobody'));
});

test('the provider says no', function () {
    $error = refused('order_not_found', fn() => engine()->status('midtrans', ['order_id' => newOrder()]));
    equal([$error::class, $error->stage, $error->getCode()], [Bayar\OrderNotFound::class, 'answered', -62]);
    equal($error->provider['http_status'], 200);
    holds(str_contains($error->advice, 'environment'), $error->advice);
});

$bad = json_decode(file_get_contents(__DIR__ . '/bad_input.json'), true);

function check(array $case, Error $error): void
{
    equal([$error->field, $error->stage, $error->retry], [$case['field'], 'not_sent', false], $case['name']);
    foreach ($case['says'] as $part) {
        holds(str_contains($error->getMessage(), $part), "{$case['name']}: {$error->getMessage()} says $part:");
    }
}

foreach ($bad['calls'] as $case) {
    test("bad input: {$case['name']}", function () use ($case) {
        $engine = engine();
        $before = arrived();
        $call = fn() => $engine->call($case['account'] ?? 'midtrans', $case['operation'] ?? 'charge', $case['params']);
        check($case, refused($case['code'], $call));
        equal(arrived(), $before, 'something was sent:');
    });
}
foreach ($bad['configurations'] as $case) {
    test("bad configuration: {$case['name']}", function () use ($case) {
        check($case, refused($case['code'], fn() => Engine::open($case['config'])));
    });
}

test('names hold no NUL, and JSON what it can say', function () {
    $engine = engine();
    $before = arrived();
    foreach ([["mid\0trans", 'charge'], ['midtrans', "charge\0"]] as [$account, $operation]) {
        refused('invalid_argument', fn() => $engine->call($account, $operation, ['amount' => 1], 'k'));
    }
    refused('invalid_argument', fn() => $engine->describe("\0"));
    refused('invalid_argument', fn() => $engine->callback("mid\0trans"));
    foreach ([['amount' => NAN], ['description' => "\xff"], ['key' => 'a', 'amount' => 150000]] as $params) {
        refused('invalid_params', fn() => $engine->call('midtrans', 'charge', $params, 'b'));
    }
    equal(arrived(), $before, 'something was sent:');
});

test('the library and its header are named or found', function () {
    $open = fn(?string $library, ?string $header = null) => refused('library_not_found', fn() => new Engine('', $library, $header))->getMessage();
    holds(str_contains($open('libbayar.so'), 'expected an absolute path'), 'a relative path');
    holds(str_contains($open('/nonexistent/libbayar.so'), 'names /nonexistent/libbayar.so'), 'not there');
    holds(str_contains($open(getenv('BAYAR_CONFIG')), 'cannot be used'), 'no library');
    holds(str_contains($open(dirname(getenv('BAYAR_LIB')) . '/libbayar_midtrans.so'), 'cannot be used'), 'another library');
    // A second path to the same file: what is loaded already is not asked for its header again.
    $second = dirname(getenv('BAYAR_LIB')) . '/libbayar.so.1';
    holds(str_contains($open($second, '/nonexistent/bayar.ffi.h'), '/nonexistent/bayar.ffi.h'), 'no header');
});

test('a genuine callback', function () {
    $engine = engine();
    [$order, $headers, $body] = paidCallback($engine);
    foreach ([$headers, array_column($headers, 1, 0)] as $given) {
        $outcome = $engine->callback('midtrans', headers: $given, body: $body, remoteAddr: '127.0.0.1');
        equal([$outcome->operation, $outcome->orderId, $outcome->status], ['callback', $order, 'paid']);
        equal([$outcome['evidence'], $outcome->review, $outcome->acknowledgement['status']], ['E2', null, 200]);
    }
    $records = $engine->drainLog();
    holds(str_contains(implode(" ", array_column($records, "message")), "callback for $order is genuine"), "log records arrive: " . json_encode($records));
    equal($engine->drainLog(), []);
});

/** An engine with a journal of its own, beside its configuration. */
function keeping(): Engine
{
    $directory = sys_get_temp_dir() . '/bayar-php-' . getmypid() . '-' . dechex(hrtime(true));
    mkdir($directory, 0700);
    $owner = getmypid();
    register_shutdown_function(function () use ($directory, $owner) {
        if (getmypid() !== $owner) {
            return; // a forked child
        }
        array_map('unlink', glob("$directory/*"));
        rmdir($directory);
    });
    $text = str_replace("journal = \"none\"\n", '', file_get_contents(getenv('BAYAR_CONFIG')), $count);
    equal($count, 1, 'the line of the journal:');
    file_put_contents("$directory/bayar.toml", $text);
    return Engine::open("$directory/bayar.toml");
}

test('a payment is credited once', function () {
    $engine = keeping();
    $pending = charge($engine, newOrder());
    $error = refused('not_possible', fn() => $engine->claim($pending->intent, 'credit'));
    equal($error::class, Bayar\NotPossible::class);
    [$order, $headers, $body] = paidCallback($engine);
    $intent = $engine->callback('midtrans', headers: $headers, body: $body)->intent;
    $claim = $engine->claim($intent, 'credit', 3600);
    equal([$claim->granted, $claim->state, $claim->effect, $claim->fence], [true, 'claimed', 'credit', 1]);
    equal(refused('in_progress', fn() => $engine->claim($intent, 'credit'))::class, Bayar\InProgress::class);
    equal($engine->release($claim)->state, 'released');
    $second = $engine->claim($intent, 'credit');
    equal([$second->fence, $second->transactionId], [2, $claim->transactionId]);
    refused('not_possible', fn() => $engine->confirm($claim));
    equal($engine->confirm($second)->state, 'confirmed');
    $after = $engine->claim($intent, 'credit');
    equal([$after->granted, $after->state, $after->transactionId], [false, 'confirmed', $claim->transactionId]);
    refused('invalid_params', fn() => $engine->claim($intent, 'credit', 0));
    refused('invalid_params', fn() => $engine->claim('I0', 'credit'));
});

test('the journal is looked into, and recovered', function () {
    $engine = keeping();
    $order = newOrder();
    $intent = charge($engine, $order)->intent;
    control('POST', "midtrans/$order/paid");
    equal($engine->recover()['looked'], 0, 'its time has not come:');
    $report = $engine->recover('midtrans', now: true);
    equal([$report['looked'], $report['settled'], $report['intents'][0]['to']], [1, 1, 'paid']);
    equal(array_column($engine->intents(), 'id'), [$intent]);
    equal($engine->intents(['state' => 'pending']), []);
    $story = $engine->intent($intent);
    equal([$story['intent']['order_id'], array_column($story['events'], 'evidence')], [$order, ['E2', 'E2']]);
    equal(refused('unknown_account', fn() => $engine->recover('midtarns'))->field, 'account');
    refused('invalid_params', fn() => $engine->intents(['sate' => 'paid']));
});

test('forged callbacks', function () {
    $engine = engine();
    [$order, $headers, $body, $document] = paidCallback($engine);
    [, , , $other] = paidCallback($engine);
    equal(signed($document, KEY)['signature_key'], $document['signature_key'], 'the formula here');
    $forged = [
        'nothing' => '',
        'bytes' => "\x00\xff$body",
        'no signature' => json_encode(array_diff_key($document, ['signature_key' => 0])),
        'an empty signature' => json_encode(['signature_key' => ''] + $document),
        'the signature of another order' => json_encode(['signature_key' => $other['signature_key']] + $document),
        'signed with an empty key' => json_encode(signed($document, '')),
    ];
    foreach (['order_id', 'status_code', 'gross_amount', 'signature_key'] as $field) {
        $at = strpos($body, $document[$field]);
        $forged["one byte of $field"] = substr_replace($body, chr(ord($body[$at]) ^ 1), $at, 1);
    }
    $before = arrived();
    foreach ($forged as $name => $bytes) {
        $error = refused('callback_refused', fn() => $engine->callback('midtrans', headers: $headers, body: $bytes));
        equal([$error::class, $error->acknowledgement['status']], [Bayar\CallbackRefused::class, 401], $name);
        holds(!isset($error->document['outcome']), "$name: no event");
    }
    equal(arrived(), $before, 'a forged callback made us ask:');
});

test('nothing shows a credential', function () {
    $base = getenv('BAYAR_SANDBOX') . '/midtrans';
    $config = ['engine' => ['journal' => 'none'], 'providers' => ['midtrans' => ['server_key' => CANARY, 'base_url' => $base]]];
    $engine = new Engine($config);
    $error = refused('unauthorized', fn() => charge($engine, newOrder()));
    $mistyped = refused('invalid_config', fn() => Engine::open('[providers.midtrans]' . "\nserver_key = '" . CANARY . "'\nx = 1\n"));
    $unknown = refused('not_found', fn() => Engine::open(['providers' => ['nobody' => ['key' => CANARY]]]));
    $named = refused('invalid_params', fn() => $engine->callback('midtrans', headers: ["X" => "\xff" . CANARY]));
    // Arrays are not written out in a trace's text; they are in its arguments, which var_dump shows.
    $own = refused('invalid_params', fn() => $engine->call('midtrans', 'charge', ['description' => CANARY]));
    ob_start();
    foreach ([$engine, $error, $mistyped, $unknown, $named, $own] as $thing) {
        var_dump($thing);
        print_r($thing);
        if ($thing instanceof Throwable) {
            echo $thing, "\n";
        }
    }
    $shown = ob_get_clean();
    // The traces must hold arguments, or this test would see nothing.
    holds(str_contains($shown, 'SensitiveParameterValue'), 'arguments are in the traces:');
    foreach ([CANARY, base64_encode(CANARY . ':')] as $secret) {
        holds(!str_contains($shown, $secret), "$secret is not shown:");
    }
    equal(ini_get('zend.exception_ignore_args'), '0');
});

test('the dump of an outcome is short', function () {
    $outcome = charge(engine(), newOrder());
    foreach ([print_r($outcome, true), (function () use ($outcome) { ob_start(); var_dump($outcome); return ob_get_clean(); })()] as $shown) {
        holds(str_contains($shown, $outcome->orderId), 'the order is shown:');
        holds(!str_contains($shown, $outcome->instruction['number']), 'the number is not shown:');
        holds(!str_contains($shown, 'va_numbers'), 'the answer is not shown:');
    }
});

test('outcomes do not change, engines are not cloned', function () {
    $engine = engine();
    $outcome = charge($engine, newOrder());
    foreach ([function () use ($outcome) { $outcome['status'] = 'paid'; }, function () use ($outcome) { unset($outcome['status']); }, function () use ($outcome) { $outcome->status = 'paid'; }, fn() => clone $engine] as $action) {
        try {
            $action();
        } catch (LogicException | \Error) {
            continue;
        }
        throw new RuntimeException('it was allowed');
    }
    equal($outcome->status, 'pending');
});

test('a used engine in forked children', function () {
    $engine = engine();
    charge($engine, newOrder());
    $children = [];
    for ($i = 0; $i < 5; $i++) {
        $pid = pcntl_fork();
        if ($pid === 0) {
            pcntl_alarm(30);
            $order = newOrder('FORK');
            $right = charge($engine, $order)->orderId === $order
                && $engine->status('midtrans', ['order_id' => $order])->status === 'pending';
            exit($right ? 0 : 1);
        }
        $children[] = $pid;
    }
    equal(charge($engine, newOrder())->status, 'pending', 'the parent goes on:');
    foreach ($children as $child) {
        pcntl_waitpid($child, $status);
        equal($status, 0, 'a child gave a wrong answer (256) or hung (14):');
    }
});

test('two thousand requests leave memory flat', function () {
    // What malloc has given out, to the byte: resident memory hides what fits into holes.
    $c = FFI::cdef('struct all { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost; };
        struct all mallinfo2(void);');
    $given = fn(): int => $c->mallinfo2()->uordblks + $c->mallinfo2()->hblkhd;
    $work = function (int $times): void {
        for ($i = 0; $i < $times; $i++) {
            $engine = engine();
            equal(charge($engine, newOrder('LOOP'))->status, 'pending');
            refused('invalid_params', fn() => $engine->charge('midtrans', ['amount' => -1], 'k'));
            $engine->drainLog();
        }
    };
    $work(100);
    [$before, $own] = [$given(), memory_get_usage()];
    $work(2000);
    $grown = $given() - $before;
    holds($grown < 16 * 1024, "grown by $grown bytes in 2,000 requests:");
    holds(memory_get_usage() - $own < 16 * 1024, 'PHP itself grew by ' . (memory_get_usage() - $own) . ':');
});

echo "$passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
