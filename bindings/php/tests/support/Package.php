<?php

declare(strict_types=1);

namespace Bayar\Tests;

/** This package as it is installed: a copy of its own, with built files. */
final class Package
{
    public readonly string $path;

    /** @param string $built where cargo has put them */
    public function __construct(Place $place, string $built)
    {
        // As deep as in the repository, whose header and plugins it is packed from.
        $this->path = "$place->path/bindings/php";
        self::copy(dirname(__DIR__, 2), $this->path, ['src', 'bin', 'bayar.php', 'bayar-preload.php', 'package.php']);
        self::copy(dirname(__DIR__, 4), $place->path, ['include']);
        foreach (glob(dirname(__DIR__, 4) . '/plugins/*', GLOB_ONLYDIR) as $plugin) {
            @mkdir("$place->path/plugins/" . basename($plugin), recursive: true);
        }
        $said = $this->php("{$this->path}/package.php", [$built]);
        if (!str_contains($said, 'files')) {
            throw new \RuntimeException($said);
        }
    }

    /** What a program says that uses it, without anything of this process's environment. */
    public function run(string $code, array $settings = [], array $environment = []): string
    {
        $program = tempnam(dirname($this->path), 'run');
        file_put_contents($program, "<?php require '{$this->path}/bayar.php';\ntry { $code } catch (Bayar\\Error \$error) { echo \"\$error->name: {\$error->getMessage()}\"; }\n");
        return $this->php($program, [], $settings, $environment);
    }

    /** What a script says. */
    public function php(string $script, array $arguments = [], array $settings = [], array $environment = []): string
    {
        $command = [PHP_BINARY, ...array_merge(...array_map(fn(string $setting) => ['-d', $setting], [...$settings, 'display_errors=stderr'])), $script, ...$arguments];
        $process = proc_open($command, [['null'], ['pipe', 'w'], ['pipe', 'w']], $pipes, null, $environment + ['PATH' => getenv('PATH')]);
        $said = stream_get_contents($pipes[1]) . stream_get_contents($pipes[2]);
        proc_close($process);
        return $said;
    }

    /** The path of a built file, by the end of its name. */
    public function file(string $end): string
    {
        $files = array_keys(json_decode(file_get_contents("{$this->path}/lib/manifest.json"), true)['files']);
        foreach ($files as $file) {
            if (preg_match("#$end\$#D", $file)) {
                return "{$this->path}/lib/$file";
            }
        }
        throw new \LogicException("none of " . implode(', ', $files) . " ends with $end");
    }

    private static function copy(string $from, string $to, array $names): void
    {
        @mkdir($to, recursive: true);
        foreach ($names as $name) {
            if (is_dir("$from/$name")) {
                self::copy("$from/$name", "$to/$name", array_diff(scandir("$from/$name"), ['.', '..']));
            } elseif (is_file("$from/$name")) {
                copy("$from/$name", "$to/$name");
                chmod("$to/$name", fileperms("$from/$name"));
            }
        }
    }
}
