<?php

// Runs before callback.php where a test wants to know what came: a line of JSON for each callback.

declare(strict_types=1);

if (basename($_SERVER['SCRIPT_NAME']) === 'callback.php') {
    $headers = array_map(null, array_keys(getallheaders()), array_values(getallheaders()));
    $came = ['query' => $_SERVER['QUERY_STRING'], 'headers' => $headers, 'body' => file_get_contents('php://input')];
    file_put_contents(getenv('HEARD'), json_encode($came) . "\n", FILE_APPEND | LOCK_EX);
}
