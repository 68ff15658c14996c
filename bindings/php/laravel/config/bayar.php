<?php

declare(strict_types=1);

return [

    // The engine's configuration in a file of its own, bayar.toml. Without one, `engine` and
    // `providers` below are the configuration; they are not used where `socket` or `gateway` is set.
    'file' => env('BAYAR_CONFIG'),

    'engine' => [
        // Where payments are kept. Several machines share a PostgreSQL: postgres://…
        'journal' => env('BAYAR_JOURNAL', 'sqlite:' . storage_path('bayar/journal.db')),
        // The directory of the plugins; by itself beside the library.
        'plugins' => env('BAYAR_PLUGINS'),
    ],

    // One section for each account, as in bayar.toml. What is null counts as not given.
    'providers' => [
        'midtrans' => [
            'environment' => env('MIDTRANS_ENVIRONMENT', 'sandbox'),
            'server_key' => env('MIDTRANS_SERVER_KEY'),
            'client_key' => env('MIDTRANS_CLIENT_KEY'),
        ],
    ],

    // How the engine is reached: native, socket, process or gateway. By itself: the first that works.
    'mode' => env('BAYAR_MODE'),

    // native: the absolute path of libbayar.so, where it is not to be looked for.
    'library' => env('BAYAR_LIB'),

    // socket: where `bayar daemon` listens, which has its own configuration.
    'socket' => env('BAYAR_SOCKET'),

    // process: the absolute path of the command `bayar`.
    'binary' => env('BAYAR_BINARY'),

    // gateway: the address of `bayar serve`, which has its own configuration, and who this
    // application is to it.
    'gateway' => [
        'url' => env('BAYAR_GATEWAY_URL'),
        'app_code' => env('BAYAR_GATEWAY_APP_CODE'),
        'api_key' => env('BAYAR_GATEWAY_API_KEY'),
        // Two at once while one is replaced by the other, with a comma between.
        'webhook_secrets' => env('BAYAR_GATEWAY_WEBHOOK_SECRETS'),
    ],

    // The channel of config/logging.php that gets the engine's records; without one they are dropped.
    'log' => env('BAYAR_LOG_CHANNEL'),

    // How long a listener of PaymentPaid may take, in seconds, before another process may begin too.
    'lease' => 60,

];
