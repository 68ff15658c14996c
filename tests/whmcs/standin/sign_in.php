<?php

declare(strict_types=1);

// A test signs in: ?client=1, ?admin=1, ?language=indonesian

require_once __DIR__ . '/init.php';

$_SESSION = array_filter(['uid' => $_GET['client'] ?? null, 'adminid' => $_GET['admin'] ?? null, 'Language' => $_GET['language'] ?? null]);
echo 'signed in';
