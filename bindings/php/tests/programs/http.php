<?php

declare(strict_types=1);

// A gateway that a test plays: http.php DIRECTORY [CERTIFICATE]. Says its address, and ends when its
// standard input does; says each request's first line. Answers what DIRECTORY/answers.json says, by "METHOD /path": {status, type,
// body}, or the name of a misbehaviour; appends what arrived to DIRECTORY/requests, a JSON line each.

[, $directory, $certificate] = $argv + [2 => null];
$context = stream_context_create($certificate === null ? [] : ['ssl' => ['local_cert' => $certificate]]);
$listener = stream_socket_server('tcp://127.0.0.1:0', $code, $why, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context) ?: exit(1);
$scheme = $certificate === null ? 'http' : 'https';
echo "$scheme://", stream_socket_get_name($listener, false), "\n";

$clients = [];
$number = 0;
while (true) {
    $readable = [$listener, STDIN, ...array_column($clients, 'stream')];
    stream_select($readable, $write, $other, null);
    foreach ($readable as $stream) {
        if ($stream === STDIN) {
            exit;
        }
        if ($stream === $listener) {
            $client = stream_socket_accept($listener);
            stream_set_timeout($client, 5);
            // A client that does not trust the certificate goes away here.
            if ($certificate === null || @stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_SERVER)) {
                $clients[] = ['stream' => $client, 'number' => ++$number];
            }
            continue;
        }
        $at = array_search($stream, array_column($clients, 'stream'), true);
        if (!serve($clients[$at]['stream'], $clients[$at]['number'])) {
            fclose($stream);
            array_splice($clients, $at, 1);
        }
    }
}

/** One request; whether there may be another one. */
function serve($client, int $connection): bool
{
    global $directory;
    $line = fgets($client);
    if ($line === false || trim($line) === '') {
        return false;
    }
    [$method, $path] = explode(' ', $line);
    $headers = [];
    while (($header = trim((string) fgets($client))) !== '') {
        [$name, $value] = explode(':', $header, 2);
        $headers[strtolower($name)] = trim($value);
    }
    $length = (int) ($headers['content-length'] ?? 0);
    $body = $length > 0 ? stream_get_contents($client, $length) : '';
    file_put_contents("$directory/requests", json_encode(compact('connection', 'method', 'path', 'headers', 'body')) . "\n", FILE_APPEND);

    echo "$method $path\n"; // for a test that waits for it
    $answers = json_decode(file_get_contents("$directory/answers.json"), true);
    $answer = $answers["$method $path"] ?? ['status' => 404, 'body' => 'not here'];
    if ($answer === 'closes') {
        return false;
    }
    if ($answer === 'closes within the answer') {
        fwrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
        return false;
    }
    $type = $answer['type'] ?? 'application/json';
    $text = is_string($answer['body']) ? $answer['body'] : json_encode($answer['body']);
    $more = isset($answer['location']) ? "Location: {$answer['location']}\r\n" : '';
    fwrite($client, "HTTP/1.1 {$answer['status']} X\r\nContent-Type: $type\r\n{$more}Content-Length: " . strlen($text) . "\r\n\r\n$text");
    return true;
}
