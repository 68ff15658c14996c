<?php

declare(strict_types=1);

// The PHP binding. Started by tests/hosts/run; ends with a line `N passed, N failed`.

require __DIR__ . '/../../bindings/php/bayar.php';

use Bayar\Client;
use Bayar\Error;
use Bayar\InstructionKind;
use Bayar\Money;
use Bayar\Status;

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
    // Two values of one class are equal where what they hold is.
    if (serialize($found) !== serialize($expected)) {
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

function client(): Client
{
    return Client::open(getenv('BAYAR_CONFIG'));
}

function newOrder(string $prefix = 'PHP'): string
{
    // Hexadecimal: a long decimal number may look like a card's, which the engine hides in logs.
    return "$prefix-" . getmypid() . '-' . dechex(hrtime(true));
}

function charge(Client $bayar, string $order): Bayar\Outcome
{
    return $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], $order);
}

/** A paid order's callback: its headers, its body, and the body's content. */
function paidCallback(Client $bayar): array
{
    $order = newOrder();
    charge($bayar, $order);
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
    $bayar = client();
    $order = newOrder();
    $outcome = charge($bayar, $order);
    equal([$outcome->orderId, $outcome->status, $outcome->amount], [$order, Status::Pending, new Money(150000)]);
    equal([$outcome->instruction->kind, $outcome->instruction->bank], [InstructionKind::VirtualAccount, 'bca']);
    equal($outcome['instruction'], $outcome->instruction->toArray());
    equal($outcome['instruction']['number'], $outcome->instruction->vaNumber);
    equal([isset($outcome['review']), $outcome['review'], $outcome->review], [false, null, null]);
    equal(json_decode(json_encode($outcome), true), $outcome->toArray());
    equal($bayar->status('midtrans', ['order_id' => $order])->status, Status::Pending);
    control('POST', "midtrans/$order/paid");
    equal($bayar->status('midtrans', ['order_id' => $order])->status, Status::Paid);
});

test('the verbs are operations', function () {
    $bayar = client();
    $order = newOrder();
    charge($bayar, $order);
    equal($bayar->cancel('midtrans', ['order_id' => $order], "$order-c")->status, Status::Cancelled);
    holds(str_contains(json_encode($bayar->channels('midtrans')['data']), 'bca_va'), 'channels');
    $order = newOrder();
    $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'qris'], $order);
    control('POST', "midtrans/$order/paid");
    $refund = $bayar->refund('midtrans', ['order_id' => $order, 'amount' => 50000], "$order-r");
    equal([$refund->status, $refund->amount->format()], [Status::Done, 'Rp50.000']);
});

test('configurations of every kind', function () {
    $file = getenv('BAYAR_CONFIG');
    foreach ([$file, file_get_contents($file), ['file' => $file], json_encode(['file' => $file])] as $config) {
        equal((Client::open($config))->describe('midtrans')['account'], 'midtrans');
    }
    refused('invalid_config', fn() => Client::open('/nonexistent/bayar.toml'));
});

test('describe', function () {
    $everything = client()->describe();
    equal($everything['bayar'], client()->version());
    holds(in_array('midtrans', array_column($everything['accounts'], 'account'), true), 'midtrans');
    holds(in_array('charge', array_column(client()->describe('midtrans')['operations'], 'name'), true), 'charge');
    refused('unknown_account', fn() => client()->describe('nobody'));
});

test('the provider says no', function () {
    $error = refused('order_not_found', fn() => client()->status('midtrans', ['order_id' => newOrder()]));
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
        $bayar = client();
        $before = arrived();
        $call = fn() => $bayar->call($case['account'] ?? 'midtrans', $case['operation'] ?? 'charge', $case['params']);
        check($case, refused($case['code'], $call));
        equal(arrived(), $before, 'something was sent:');
    });
}
foreach ($bad['configurations'] as $case) {
    test("bad configuration: {$case['name']}", function () use ($case) {
        check($case, refused($case['code'], fn() => Client::open($case['config'])));
    });
}

test('names hold no NUL, and JSON what it can say', function () {
    $bayar = client();
    $before = arrived();
    foreach ([["mid\0trans", 'charge'], ['midtrans', "charge\0"]] as [$account, $operation]) {
        refused('invalid_argument', fn() => $bayar->call($account, $operation, ['amount' => 1], 'k'));
    }
    refused('invalid_argument', fn() => $bayar->describe("\0"));
    refused('invalid_argument', fn() => $bayar->callback("mid\0trans", '', []));
    foreach ([['amount' => NAN], ['description' => "\xff"], ['key' => 'a', 'amount' => 150000]] as $params) {
        refused('invalid_params', fn() => $bayar->call('midtrans', 'charge', $params, 'b'));
    }
    equal(arrived(), $before, 'something was sent:');
});

test('the library and its header are named or found', function () {
    $open = fn(?string $library, ?string $header = null) => refused('library_not_found', fn() => Client::open('', library: $library, header: $header))->getMessage();
    holds(str_contains($open('libbayar.so'), 'expected an absolute path'), 'a relative path');
    holds(str_contains($open('/nonexistent/libbayar.so'), 'names /nonexistent/libbayar.so'), 'not there');
    holds(str_contains($open(getenv('BAYAR_CONFIG')), 'cannot be used'), 'no library');
    holds(str_contains($open(dirname(getenv('BAYAR_LIB')) . '/libbayar_midtrans.so'), 'cannot be used'), 'another library');
    // A second path to the same file: what is loaded already is not asked for its header again.
    $second = dirname(getenv('BAYAR_LIB')) . '/libbayar.so.1';
    holds(str_contains($open($second, '/nonexistent/bayar.ffi.h'), '/nonexistent/bayar.ffi.h'), 'no header');
});

test('a genuine callback', function () {
    $bayar = client();
    [$order, $headers, $body] = paidCallback($bayar);
    foreach ([$headers, array_column($headers, 1, 0)] as $given) {
        $callback = $bayar->callback('midtrans', $body, $given, remoteAddr: '127.0.0.1');
        $outcome = $callback->outcome;
        equal([$outcome->operation, $outcome->orderId, $outcome->status], ['callback', $order, Status::Paid]);
        equal([$outcome->evidence, $outcome->creditable(), $callback->acknowledgement->status], ['E2', true, 200]);
    }
    $records = $bayar->drainLog();
    holds(str_contains(implode(" ", array_column($records, "message")), "callback for $order is genuine"), "log records arrive: " . json_encode($records));
    equal($bayar->drainLog(), []);
});

/** An engine with a journal of its own, beside its configuration. */
function keeping(): Client
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
    return Client::open("$directory/bayar.toml");
}

test('a payment is credited once', function () {
    $bayar = keeping();
    $pending = charge($bayar, newOrder());
    $error = refused('not_possible', fn() => $bayar->claim($pending->intent, 'credit'));
    equal($error::class, Bayar\NotPossible::class);
    [$order, $headers, $body] = paidCallback($bayar);
    $intent = $bayar->callback('midtrans', $body, $headers)->outcome->intent;
    $claim = $bayar->claim($intent, 'credit', 3600);
    equal([$claim->granted, $claim->state, $claim->effect, $claim->fence], [true, 'claimed', 'credit', 1]);
    equal(refused('in_progress', fn() => $bayar->claim($intent, 'credit'))::class, Bayar\InProgress::class);
    equal($bayar->release($claim)->state, 'released');
    $second = $bayar->claim($intent, 'credit');
    equal([$second->fence, $second->transactionId], [2, $claim->transactionId]);
    refused('not_possible', fn() => $bayar->confirm($claim));
    equal($bayar->confirm($second)->state, 'confirmed');
    $after = $bayar->claim($intent, 'credit');
    equal([$after->granted, $after->state, $after->transactionId], [false, 'confirmed', $claim->transactionId]);
    refused('invalid_params', fn() => $bayar->claim($intent, 'credit', 0));
    refused('invalid_params', fn() => $bayar->claim('I0', 'credit'));
});

test('the journal is looked into, and recovered', function () {
    $bayar = keeping();
    $order = newOrder();
    $intent = charge($bayar, $order)->intent;
    control('POST', "midtrans/$order/paid");
    equal($bayar->recover()['looked'], 0, 'its time has not come:');
    $report = $bayar->recover('midtrans', now: true);
    equal([$report['looked'], $report['settled'], $report['intents'][0]['to']], [1, 1, 'paid']);
    equal(array_column($bayar->intents(), 'id'), [$intent]);
    equal($bayar->intents(['state' => 'pending']), []);
    $story = $bayar->intent($intent);
    equal([$story['intent']['order_id'], array_column($story['events'], 'evidence')], [$order, ['E2', 'E2']]);
    equal(refused('unknown_account', fn() => $bayar->recover('midtarns'))->field, 'account');
    refused('invalid_params', fn() => $bayar->intents(['sate' => 'paid']));
});

test('forged callbacks', function () {
    $bayar = client();
    [$order, $headers, $body, $document] = paidCallback($bayar);
    [, , , $other] = paidCallback($bayar);
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
        $error = refused('callback_refused', fn() => $bayar->callback('midtrans', $bytes, $headers));
        equal([$error::class, $error->acknowledgement->status], [Bayar\CallbackRefused::class, 401], $name);
        holds(!isset($error->document['outcome']), "$name: no event");
    }
    equal(arrived(), $before, 'a forged callback made us ask:');
});

test('nothing shows a credential', function () {
    $base = getenv('BAYAR_SANDBOX') . '/midtrans';
    $config = ['engine' => ['journal' => 'none'], 'providers' => ['midtrans' => ['server_key' => CANARY, 'base_url' => $base]]];
    $bayar = Client::open($config);
    $error = refused('unauthorized', fn() => charge($bayar, newOrder()));
    $mistyped = refused('invalid_config', fn() => Client::open('[providers.midtrans]' . "\nserver_key = '" . CANARY . "'\nx = 1\n"));
    $unknown = refused('not_found', fn() => Client::open(['providers' => ['nobody' => ['key' => CANARY]]]));
    $named = refused('invalid_params', fn() => $bayar->callback('midtrans', '', ["X" => "\xff" . CANARY]));
    // Arrays are not written out in a trace's text; they are in its arguments, which var_dump shows.
    $own = refused('invalid_params', fn() => $bayar->call('midtrans', 'charge', ['description' => CANARY]));
    ob_start();
    foreach ([$bayar, $error, $mistyped, $unknown, $named, $own] as $thing) {
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
    $outcome = charge(client(), newOrder());
    foreach ([print_r($outcome, true), (function () use ($outcome) { ob_start(); var_dump($outcome); return ob_get_clean(); })()] as $shown) {
        holds(str_contains($shown, $outcome->orderId), 'the order is shown:');
        holds(!str_contains($shown, $outcome->instruction->vaNumber), 'the number is not shown:');
        holds(!str_contains($shown, 'va_numbers'), 'the answer is not shown:');
    }
});

test('outcomes do not change', function () {
    $outcome = charge(client(), newOrder());
    foreach ([function () use ($outcome) { $outcome['status'] = 'paid'; }, function () use ($outcome) { unset($outcome['status']); }, function () use ($outcome) { $outcome->status = 'paid'; }] as $action) {
        try {
            $action();
        } catch (LogicException | \Error) {
            continue;
        }
        throw new RuntimeException('it was allowed');
    }
    equal($outcome->status, Status::Pending);
});

test('a used engine in forked children', function () {
    $bayar = client();
    charge($bayar, newOrder());
    $children = [];
    for ($i = 0; $i < 5; $i++) {
        $pid = pcntl_fork();
        if ($pid === 0) {
            pcntl_alarm(30);
            $order = newOrder('FORK');
            $right = charge($bayar, $order)->orderId === $order
                && $bayar->status('midtrans', ['order_id' => $order])->status === Status::Pending;
            exit($right ? 0 : 1);
        }
        $children[] = $pid;
    }
    equal(charge($bayar, newOrder())->status, Status::Pending, 'the parent goes on:');
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
            $bayar = client();
            equal(charge($bayar, newOrder('LOOP'))->status, Status::Pending);
            refused('invalid_params', fn() => $bayar->charge('midtrans', ['amount' => -1], 'k'));
            $bayar->drainLog();
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
