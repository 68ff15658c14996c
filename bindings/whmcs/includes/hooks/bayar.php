<?php

declare(strict_types=1);

// WHMCS always loads what lies in includes/hooks; the hooks of a gateway module only where its
// version does.

if (!defined('WHMCS')) {
    exit('This file is loaded by WHMCS.');
}

require_once __DIR__ . '/../../modules/gateways/bayar/hooks.php';
