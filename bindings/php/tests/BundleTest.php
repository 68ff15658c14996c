<?php

declare(strict_types=1);

namespace Bayar\Tests;

use PHPUnit\Framework\TestCase;

/** The package with its built files: found, checked, and never hashed twice. */
final class BundleTest extends TestCase
{
    private const OPEN = "\$bayar = Bayar\\Client::open(['engine' => ['journal' => 'none'], 'providers' => ['midtrans' => ['server_key' => 'SB-Mid-server-EXAMPLE']]]%s); "
        . "echo \$bayar->mode()->value, ' ', count(\$bayar->describe('midtrans')['operations']) > 3 ? 'works' : 'has no operations';";

    private static ?Place $place;
    private static Package $package;

    public static function setUpBeforeClass(): void
    {
        self::$place = new Place();
        self::$package = new Package(self::$place, getenv('BAYAR_TARGET'));
    }

    public static function tearDownAfterClass(): void
    {
        self::$place = null;
    }

    private function open(string $more = '', array $settings = [], array $environment = []): string
    {
        return self::$package->run(sprintf(self::OPEN, $more), $settings, $environment);
    }

    /** Does it while a file holds something else. */
    private function altered(string $file, callable $alter, callable $action): void
    {
        // Another file in its place, as an update makes it: what is mapped somewhere stays whole.
        rename($file, "$file.kept");
        file_put_contents($file, $alter(file_get_contents("$file.kept")));
        chmod($file, fileperms("$file.kept"));
        try {
            $action();
        } finally {
            rename("$file.kept", $file);
        }
    }

    public function testEveryModeFindsItsOwn(): void
    {
        $this->assertSame('native works', $this->open());
        $this->assertSame('process works', $this->open(', mode: Bayar\Mode::Process'));
        $this->assertSame('process works', $this->open(settings: ['ffi.enable=0']), 'by itself, where FFI is not allowed');
    }

    public function testWhatIsNamedIsTakenFirst(): void
    {
        $this->assertStringStartsWith('library_not_found: ', $this->open(', library: "/nonexistent/libbayar.so"'));
        $this->assertStringStartsWith('library_not_found: ', $this->open(environment: ['BAYAR_LIB' => '/nonexistent/libbayar.so']));
        $this->assertStringContainsString('expected an absolute path', $this->open(environment: ['BAYAR_LIB' => 'libbayar.so']));
    }

    public function testADamagedLibraryIsRefusedAndNotGoneRound(): void
    {
        $library = self::$package->file('libbayar-[0-9.]+\.so');
        $one = function (string $bytes): string {
            $bytes[strlen($bytes) >> 1] = chr(ord($bytes[strlen($bytes) >> 1]) ^ 1);
            return $bytes;
        };
        $this->altered($library, $one, function () {
            $this->assertStringContainsString('hash: ', $this->open());
            $this->assertStringContainsString('SHA-256', $this->open());
            $this->assertSame('process works', $this->open(settings: ['ffi.enable=0']), 'which needs no library');
        });
        $this->altered($library, fn(string $bytes) => substr($bytes, 0, -1), function () {
            $this->assertMatchesRegularExpression('/^hash: .* has \d+ bytes, expected \d+/', $this->open());
        });
    }

    public function testACommandThatWasCutShort(): void
    {
        $this->altered(self::$package->file('/bayar-[0-9.]+'), fn(string $bytes) => substr($bytes, 0, 1000), function () {
            $this->assertMatchesRegularExpression('/^hash: .* has 1000 bytes, expected \d+/', $this->open(', mode: Bayar\Mode::Process'));
        });
    }

    public function testFilesOfAnotherAbi(): void
    {
        $this->altered(self::$package->path . '/lib/manifest.json', fn(string $json) => str_replace('"abi": 1', '"abi": 2', $json), function () {
            $this->assertStringContainsString('speak ABI 2, this package speaks 1', $this->open());
        });
        $this->altered(self::$package->path . '/lib/manifest.json', fn() => '{', function () {
            $this->assertStringContainsString('manifest.json cannot be read', $this->open());
        });
    }

    public function testWhatIsLostOnTheWay(): void
    {
        $library = self::$package->file('libbayar-[0-9.]+\.so');
        rename($library, "$library.kept");
        try {
            $this->assertMatchesRegularExpression('/^hash: .* is listed in manifest.json and not there/', $this->open());
        } finally {
            rename("$library.kept", $library);
        }
    }

    /** A worker that has the library keeps it: what a later request opens does not depend on the file. */
    public function testWhatIsLoadedIsNotHashedAgain(): void
    {
        mkdir(self::$place->path . '/www');
        $loader = self::$package->path . '/bayar.php';
        file_put_contents(self::$place->path . '/www/index.php', "<?php require '$loader'; try { " . sprintf(self::OPEN, '') . ' } catch (Bayar\Error $error) { echo $error->name; }');
        $site = new Site(self::$place->path . '/www', ['ffi.enable=1']);
        try {
            $this->assertSame('native works', $site->ask('/')[1]);
            $this->altered(self::$package->file('libbayar-[0-9.]+\.so'), fn() => 'damaged', function () use ($site) {
                $this->assertSame('native works', $site->ask('/')[1]);
                $this->assertStringContainsString('hash: ', $this->open(), 'a new process');
            });
        } finally {
            $site->stop();
        }
    }

    public function testForAnotherMachineItSaysWhatItHas(): void
    {
        $manifest = self::$package->path . '/lib/manifest.json';
        $this->altered($manifest, fn(string $json) => preg_replace('#"[^"/]+/#', '"riscv64-linux-musl/', $json), function () {
            $error = $this->open();
            $this->assertStringContainsString('mode_unavailable: there is no way to the engine here', $error);
            $this->assertStringContainsString('brings those for riscv64-linux-musl', $error);
            foreach (['native: ', 'socket: no socket is named', 'process: ', 'gateway: no gateway is named', 'bayar doctor'] as $part) {
                $this->assertStringContainsString($part, $error);
            }
        });
    }

    public function testWhatEachModeLacks(): void
    {
        $this->assertStringContainsString('native: no configuration is given', self::$package->run('Bayar\Client::open(mode: Bayar\Mode::Native);'));
        $this->assertStringContainsString("ffi.enable is '0', which does not allow it in cli", $this->open(', mode: Bayar\Mode::Native', ['ffi.enable=0']));
        $this->assertStringContainsString('proc_open is in disable_functions', $this->open(', mode: Bayar\Mode::Process', ['disable_functions=proc_open']));
        $this->assertStringContainsString('gateway: no gateway is named', self::$package->run('Bayar\Client::open(mode: Bayar\Mode::Gateway);'));
        $this->assertStringContainsString('Bayar::fake()', self::$package->run('Bayar\Client::open(mode: Bayar\Mode::Fake);'));
        $this->assertStringContainsString('expected the absolute path', $this->open(', mode: Bayar\Mode::Process, binary: "bayar"'));
    }

    /** Two journals are two memories: a daemon that does not answer is no reason to go elsewhere. */
    public function testADaemonThatIsNamedIsWaitedFor(): void
    {
        $code = sprintf(self::OPEN, ', socket: "' . self::$place->path . '/nobody.sock"');
        $this->assertStringContainsString('daemon_unavailable: ', self::$package->run($code, ['ffi.enable=0']));
        $this->assertSame('native works', self::$package->run($code), 'FFI comes first');
    }

    public function testPackingAnotherVersionLeavesNothingBehind(): void
    {
        $lib = self::$package->path . '/lib';
        $manifest = file_get_contents("$lib/manifest.json");
        file_put_contents("$lib/manifest.json", str_replace('"version": "', '"version": "0.0.', $manifest));
        touch("$lib/libbayar-0.0.0.so");
        self::$package->php(self::$package->path . '/package.php', [getenv('BAYAR_TARGET')]);
        $this->assertFileDoesNotExist("$lib/libbayar-0.0.0.so");
        $this->assertSame($manifest, file_get_contents("$lib/manifest.json"));
        self::$package->php(self::$package->path . '/package.php', [getenv('BAYAR_TARGET'), 'x86_64-linux-musl']);
        $this->assertStringContainsString('"x86_64-linux-musl/bayar-', file_get_contents("$lib/manifest.json"), 'another platform beside it');
        $this->assertSame('native works', $this->open());
    }
}
