<?php

declare(strict_types=1);

// Where providers send their callbacks: …/modules/gateways/callback/bayar.php?account=midtrans

// Whatever ends this program before its last line, a hook of another module included, must not
// look like a payment that was recorded: the provider is to send the callback again.
http_response_code(503);
ignore_user_abort(true);
$body = (string) file_get_contents('php://input');
ob_start();

require_once __DIR__ . '/../../../init.php';
require_once __DIR__ . '/../../../includes/gatewayfunctions.php';
require_once __DIR__ . '/../../../includes/invoicefunctions.php';
require_once __DIR__ . '/../bayar/boot.php';

$acknowledgement = Bayar\Whmcs\Receiving::request($body, $_SERVER);

// What hooks have printed is not for the provider.
ob_end_clean();
$acknowledgement->send();
