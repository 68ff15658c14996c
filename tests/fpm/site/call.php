<?php

declare(strict_types=1);

// Does what the JSON in the body says, with a client that is opened for it, and answers in JSON.

require __DIR__ . '/open.php';

$asked = json_decode(file_get_contents('php://input'), true, flags: JSON_THROW_ON_ERROR);
$params = $asked['params'] ?? [];
try {
    $bayar = open_bayar();
    $answer = match ($asked['do']) {
        'call' => $bayar->call($asked['account'], $asked['operation'], $params, $asked['key'] ?? null)->jsonSerialize(),
        'recover' => $bayar->recover(now: true),
        'intents' => $bayar->intents($params),
        'nothing' => [],
    };
    $mode = $bayar->mode()->value;
} catch (Bayar\Error $error) {
    $answer = ['error' => ['code' => $error->name, 'message' => $error->getMessage(), 'stage' => $error->stage]];
}
header('content-type: application/json');
echo json_encode(['worker' => getmypid(), 'mode' => $mode ?? null, 'answer' => $answer], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
