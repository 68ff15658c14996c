<?php

declare(strict_types=1);

// What a shop's admin looks at after the settings were saved: is everything in place?

require_once __DIR__ . '/../../../init.php';
require_once __DIR__ . '/../../../includes/gatewayfunctions.php';
require_once __DIR__ . '/boot.php';

Bayar\Whmcs\Check::request($_GET)->send();
