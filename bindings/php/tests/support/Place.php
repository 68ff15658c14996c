<?php

declare(strict_types=1);

namespace Bayar\Tests;

/** A directory of a test's own, with a configuration whose journal lies beside it. */
final class Place
{
    public readonly string $path;
    public readonly string $config;
    private readonly int $owner;

    public function __construct()
    {
        $this->owner = getmypid();
        $this->path = sys_get_temp_dir() . '/bayar-php-' . $this->owner . '-' . dechex(hrtime(true));
        mkdir($this->path, 0700);
        $this->config = "$this->path/bayar.toml";
        $text = str_replace("journal = \"none\"\n", '', (string) file_get_contents(getenv('BAYAR_CONFIG')), $count);
        if ($count !== 1) {
            throw new \LogicException('the line of the journal was not found');
        }
        file_put_contents($this->config, $text);
    }

    public function __destruct()
    {
        if ($this->owner === getmypid()) {
            self::remove($this->path);
        }
    }

    private static function remove(string $path): void
    {
        foreach (array_diff(scandir($path), ['.', '..']) as $name) {
            $inner = "$path/$name";
            is_dir($inner) && !is_link($inner) ? self::remove($inner) : unlink($inner);
        }
        rmdir($path);
    }
}
