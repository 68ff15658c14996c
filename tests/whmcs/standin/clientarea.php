<?php

declare(strict_types=1);

// The page of a service: ?id=1

require_once __DIR__ . '/init.php';
require_once __DIR__ . '/modules/servers/bayarbiller/bayarbiller.php';

$service = WHMCS\Database\Capsule::table('tblhosting')->where('id', (int) $_GET['id'])->first();
if ($service === null || (int) ($_SESSION['uid'] ?? 0) !== (int) $service->userid) {
    http_response_code(403);
    exit('not your service');
}
echo "<p id=\"status\">$service->domainstatus</p>", bayarbiller_ClientArea(['serviceid' => (int) $service->id, 'userid' => (int) $service->userid]);
