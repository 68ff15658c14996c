<?php

declare(strict_types=1);

// A daemon that misbehaves: frames.php SOCKET BEHAVIOUR. Says "ready", serves one client after the
// other, and ends when its standard input does. What it was asked is appended to SOCKET.asked.

[, $path, $behaviour] = $argv;
$listener = stream_socket_server("unix://$path") ?: exit(1);
echo "ready\n";
for ($number = 1; ; $number++) {
    $readable = [$listener, STDIN];
    stream_select($readable, $write, $other, null);
    if (in_array(STDIN, $readable, true)) {
        exit;
    }
    $client = stream_socket_accept($listener);
    serve($client, $behaviour, $number);
    fclose($client);
}

function serve($client, string $behaviour, int $number): void
{
    global $path;
    if ($behaviour === 'refuses') {
        fwrite($client, answer(-21, ['code' => 'untrusted', 'message' => 'the daemon refuses this program', 'stage' => 'not_sent']));
        return;
    }
    if ($behaviour === 'is something else') {
        fwrite($client, "SSH-2.0-OpenSSH\r\n");
        return;
    }
    while (($ask = hear($client)) !== null) {
        file_put_contents("$path.asked", "$number {$ask['do']}\n", FILE_APPEND);
        if ($ask['do'] === 'hello') {
            fwrite($client, answer(0, ['protocol' => 1, 'version' => '9.9', 'abi' => 1, 'pid' => getmypid()]));
            if ($behaviour === 'hears nothing') {
                return;
            }
            continue;
        }
        $told = answer(0, ['account' => 'a', 'provider' => 'p', 'operation' => 'o', 'intent' => "I$number", 'status' => 'done']);
        switch ($behaviour) {
            case 'closes after the request':
                return;
            case 'closes within the answer':
                fwrite($client, substr($told, 0, 20));
                return;
            case 'answers no JSON':
                fwrite($client, pack('N', 2) . '{]' . pack('N', 0));
                break;
            case 'answers without end':
                fwrite($client, pack('N', 0xffffffff) . 'x');
                break;
            case 'closes after the answer':
                fwrite($client, $told);
                return;
            case 'speaks without being asked':
                fwrite($client, $told . ($number === 1 ? answer(0, ['intent' => 'of somebody else']) : ''));
                break;
            default:
                fwrite($client, $told);
        }
    }
}

function hear($client): ?array
{
    $parts = [];
    foreach ([0, 1] as $_) {
        $head = fread($client, 4);
        if ($head === false || strlen($head) < 4) {
            return null;
        }
        $parts[] = ($length = unpack('N', $head)[1]) > 0 ? stream_get_contents($client, $length) : '';
    }
    return json_decode($parts[0], true);
}

function answer(int $status, array $document): string
{
    $json = json_encode(['status' => $status, 'document' => (object) $document]);
    return pack('N', strlen($json)) . $json . pack('N', 0);
}
