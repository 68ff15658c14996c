<?php

declare(strict_types=1);

namespace Bayar;

/**
 * What is sent to the engine, checked and written as it wants it.
 *
 * @internal
 */
final class Documents
{
    /** A document as JSON. A float stays one, 150000.0 included: the engine refuses it by name. */
    public static function encode(#[\SensitiveParameter] array $document, string $what): string
    {
        try {
            return json_encode((object) $document, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES);
        } catch (\JsonException $e) {
            throw Error::refused('invalid_params', "$what: {$e->getMessage()}", 'Give UTF-8 strings, integers, booleans and arrays.', $what);
        }
    }

    /** A document of the engine's. A number that PHP cannot hold stays text. */
    public static function decode(#[\SensitiveParameter] string $json): array
    {
        return json_decode($json, true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
    }

    /** A name as C takes it: it must not hold a NUL. */
    public static function name(string $name, string $what): string
    {
        if (str_contains($name, "\0")) {
            throw Error::refused('invalid_argument', "$what holds a NUL", 'Correct the program that calls the engine.', $what);
        }
        return $name;
    }

    /**
     * Headers as pairs: by name, with one value or several, as frameworks give them, or pairs already.
     *
     * @return list<array{string, string}>
     */
    public static function headers(#[\SensitiveParameter] array $headers): array
    {
        $pairs = [];
        foreach ($headers as $name => $value) {
            $isPair = is_int($name) && is_array($value) && array_is_list($value) && count($value) === 2;
            foreach ($isPair ? [$value] : array_map(fn(mixed $one) => [(string) $name, $one], is_array($value) ? $value : [$value]) as $pair) {
                if (!is_string($pair[0]) || !is_scalar($pair[1])) {
                    throw Error::refused('invalid_argument', "headers: '$name' is no text", 'Give getallheaders(), or pairs of a name and a value.', 'headers');
                }
                $pairs[] = [$pair[0], (string) $pair[1]];
            }
        }
        return $pairs;
    }

    /** A configuration in any of its forms as text. A path becomes absolute, and is read by the engine. */
    public static function config(#[\SensitiveParameter] array|string $config): string
    {
        if (is_array($config)) {
            return self::encode($config, 'config');
        }
        if (preg_match('/^[^\n]*\.(toml|json)$/D', $config)) {
            return self::encode(['file' => realpath($config) ?: $config], 'config');
        }
        return $config;
    }
}
