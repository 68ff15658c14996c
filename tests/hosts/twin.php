<?php

// Prints what FFI::cdef reads in include/bayar.ffi.h, as JSON, for test_abi.py to compare.

declare(strict_types=1);

$header = file_get_contents($argv[1]);
$c = FFI::cdef($header, $argv[2]);
preg_match_all('/^\S.*?\b(bayar_\w+)\(/m', $header, $names);
preg_match_all('/\b(BAYAR_\w+) = /', $header, $constants);

function kind(FFI\CType $type): string
{
    return $type->getKind() === FFI\CType::TYPE_POINTER ? 'pointer' : ($type->getKind() === FFI\CType::TYPE_VOID ? 'void' : 'integer of ' . $type->getSize());
}

$functions = [];
foreach ($names[1] as $name) {
    $type = FFI::typeof($c->$name)->getPointerType();
    $parameters = [];
    for ($i = 0; $i < $type->getFuncParameterCount(); $i++) {
        $parameters[] = kind($type->getFuncParameterType($i));
    }
    $functions[$name] = [kind($type->getFuncReturnType()), $parameters];
}
$values = [];
foreach ($constants[1] as $name) {
    $values[$name] = $c->$name;
}
echo json_encode(['functions' => $functions, 'constants' => $values]);
