<?php

declare(strict_types=1);

// What the buttons of the payment box post to.

require_once __DIR__ . '/../../../init.php';
require_once __DIR__ . '/../../../includes/gatewayfunctions.php';
require_once __DIR__ . '/../../../includes/invoicefunctions.php';
require_once __DIR__ . '/boot.php';

Bayar\Whmcs\Counter::request($_SERVER['REQUEST_METHOD'] ?? 'GET', $_POST)->send();
