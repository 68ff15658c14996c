<?php

declare(strict_types=1);

// For programs without composer: require '/path/to/bindings/php/bayar.php';

foreach (['errors', 'Outcome', 'Claim', 'Library', 'Engine'] as $file) {
    require_once __DIR__ . "/src/$file.php";
}
