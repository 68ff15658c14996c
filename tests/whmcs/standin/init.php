<?php

declare(strict_types=1);

// What every page, callback and cron begins with.

use WHMCS\Database\Capsule;

define('WHMCS', true);
define('ROOTDIR', __DIR__);

require_once 'Illuminate/Database/autoload.php';
require_once 'Carbon/autoload.php';
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'WHMCS\\')) {
        require_once __DIR__ . '/classes/' . strtr(substr($class, 6), '\\', '-') . '.php';
    }
});
require_once __DIR__ . '/configuration.php';
require_once __DIR__ . '/includes/functions.php';

$capsule = new Capsule();
$capsule->addConnection([
    'driver' => 'mysql', 'unix_socket' => $db_socket, 'database' => $db_name, 'username' => 'whmcs', 'password' => '',
    'charset' => 'utf8', 'collation' => 'utf8_unicode_ci', 'strict' => false,
]);
$capsule->setAsGlobal();

if (PHP_SAPI !== 'cli') {
    session_start();
}
foreach (glob(__DIR__ . '/includes/hooks/*.php') as $file) {
    require_once $file;
}
