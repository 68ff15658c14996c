<?php

declare(strict_types=1);

namespace Bayar\Tests;

use PHPUnit\Framework\TestCase;

/** The files themselves: PHP can read them, 8.1 too, and every class is where the loaders look. */
final class SourceTest extends TestCase
{
    /** What PHP 8.1 cannot read, as far as a pattern finds it. */
    private const NEWER = [
        'readonly classes (8.2)' => '/^(?:(?:final|abstract)\s+)*readonly\s+(?:(?:final|abstract)\s+)*class\b/m',
        'null, false or true as a type alone (8.2)' => '/(?:\bfunction\b[^{};?]*|\bfn\b[^{};=?]*)\)\s*:\s*\??(?:null|false|true)\s*[{;=]|[(,]\s*(?:public |private |protected |readonly )*(?:null|false|true) \$/',
        'types that are sums of products (8.2)' => '/[:(,]\s*\([A-Z][\w\\\\]*&[A-Z][\w\\\\]*\)\s*\|/',
        'constants with a type (8.3)' => '/\bconst\s+\??[\w\\\\|]+\s+[A-Z_]+\s*=/',
        'names of constants made at run time (8.3)' => '/::\{/',
        'properties of enums in constants (8.2)' => '/\bconst\b[^;]*::\w+->/',
        'json_validate, Random\, str_increment (8.2, 8.3)' => '/\b(?:json_validate|str_increment|mb_str_pad|array_find|array_any|array_all)\(|Random\\\\/',
        '#[\Override] (8.3)' => '/#\[\\\\?Override\]/',
        'property hooks, private(set) (8.4)' => '/\b(?:private|protected)\(set\)|\{\s*(?:get|set)\s*(?:=>|\{)/',
    ];

    /** @return list<string> every file of PHP */
    private static function files(): array
    {
        $root = dirname(__DIR__);
        $all = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($root, \FilesystemIterator::SKIP_DOTS));
        $files = array_filter(array_map('strval', iterator_to_array($all, false)), fn(string $file) => str_ends_with($file, '.php'));
        return [...array_values($files), "$root/bin/bayar"];
    }

    public function testPhpReadsThem(): void
    {
        $this->assertGreaterThan(40, count(self::files()));
        foreach (self::files() as $file) {
            try {
                $this->assertNotEmpty(token_get_all(file_get_contents($file), TOKEN_PARSE));
            } catch (\ParseError $e) {
                $this->fail("$file:{$e->getLine()}: {$e->getMessage()}");
            }
        }
    }

    public function testPhp81ReadsThem(): void
    {
        foreach (self::files() as $file) {
            $code = self::withoutTexts(file_get_contents($file));
            foreach (self::NEWER as $what => $pattern) {
                $this->assertDoesNotMatchRegularExpression($pattern, $code, "$file has $what");
            }
        }
    }

    /** The patterns do find what they are for. */
    public function testWhatIsNewerIsFound(): void
    {
        $newer = [
            'final readonly class A {}', 'function f(): null {}', 'function f(): (A&B)|null {}', 'class A { const string B = 1; }', 'A::{$b}',
            'const A = B::C->value;', 'json_validate(1)', '#[\Override]', 'private(set) int $a',
        ];
        foreach (array_map(null, array_keys(self::NEWER), array_values(self::NEWER), $newer) as [$what, $pattern, $code]) {
            $this->assertMatchesRegularExpression($pattern, $code, $what);
        }
    }

    public function testAClassIsWhereTheLoadersLook(): void
    {
        $source = dirname(__DIR__) . '/src';
        foreach (self::files() as $file) {
            if (!str_starts_with($file, "$source/") || $file === "$source/errors.php") {
                continue;
            }
            $name = 'Bayar\\' . strtr(substr($file, strlen($source) + 1, -4), '/', '\\');
            $this->assertTrue(class_exists($name) || interface_exists($name) || enum_exists($name), $name);
            $this->assertStringContainsString("declare(strict_types=1);", file_get_contents($file));
        }
        $composer = json_decode(file_get_contents(dirname(__DIR__) . '/composer.json'), true, 512, JSON_THROW_ON_ERROR);
        $this->assertSame(['psr-4' => ['Bayar\\' => 'src/'], 'classmap' => ['src/errors.php']], $composer['autoload']);
        foreach ($composer['bin'] as $program) {
            $this->assertTrue(is_executable(dirname(__DIR__) . "/$program"), $program);
        }
    }

    /** Without comments and strings, whose words are no code. */
    private static function withoutTexts(string $code): string
    {
        $kept = '';
        foreach (token_get_all($code) as $token) {
            $kept .= match (is_array($token) ? $token[0] : null) {
                T_COMMENT, T_DOC_COMMENT, T_CONSTANT_ENCAPSED_STRING, T_ENCAPSED_AND_WHITESPACE, T_INLINE_HTML => "''",
                default => is_array($token) ? $token[1] : $token,
            };
        }
        return $kept;
    }
}
