<?php

declare(strict_types=1);

namespace Bayar\Tests;

use PHPUnit\Framework\TestCase;

/** Where FFI is allowed to preloaded code alone; and that the preload file stops no site. */
final class PreloadTest extends TestCase
{
    private static ?Place $place;
    private static Package $package;
    private ?Site $site = null;

    public static function setUpBeforeClass(): void
    {
        self::$place = new Place();
        self::$package = new Package(self::$place, getenv('BAYAR_TARGET'));
        mkdir(self::$place->path . '/www');
        file_put_contents(self::$place->path . '/www/other.php', "<?php echo 'another site';");
        $loader = self::$package->path . '/bayar.php';
        file_put_contents(self::$place->path . '/www/index.php', "<?php require '$loader';
            try {
                echo Bayar\\Client::open(['engine' => ['journal' => 'none']], mode: Bayar\\Mode::Native)->version(), ' ', class_exists('Bayar\\Nobody') ? '' : 'works';
            } catch (Bayar\\Error \$error) {
                echo \$error->getMessage();
            }");
    }

    public static function tearDownAfterClass(): void
    {
        self::$place = null;
    }

    protected function tearDown(): void
    {
        $this->site?->stop();
    }

    /** What the site says. */
    private function site(string ...$settings): string
    {
        $this->site = new Site(self::$place->path . '/www', $settings);
        return $this->site->ask('/')[1];
    }

    private function preload(): string
    {
        return 'opcache.preload=' . self::$package->path . '/bayar-preload.php';
    }

    public function testPreloadedItMay(): void
    {
        $this->assertStringEndsWith(' works', $this->site('ffi.enable=preload', $this->preload()));
        // A second request of the same worker.
        $this->assertStringEndsWith(' works', $this->site->ask('/')[1]);
    }

    public function testNotPreloadedItMayNot(): void
    {
        $this->assertStringContainsString("ffi.enable is 'preload', which does not allow it in cli-server", $this->site('ffi.enable=preload'));
    }

    public function testWhereEverythingMayItMay(): void
    {
        $this->assertStringEndsWith(' works', $this->site('ffi.enable=1'));
        $this->site->stop();
        $this->assertStringEndsWith(' works', $this->site('ffi.enable=1', $this->preload()), 'preloaded as well');
    }

    public function testABrokenInstallationStopsNoSite(): void
    {
        $source = self::$package->path . '/src';
        $kept = file_get_contents("$source/Client.php");
        foreach (['<?php this is no PHP', "<?php throw new Exception('thrown');", '<?php namespace Bayar; class Client extends Missing {}', null] as $broken) {
            $broken === null ? unlink("$source/Client.php") : file_put_contents("$source/Client.php", $broken);
            try {
                $this->site('ffi.enable=preload', 'log_errors=0', $this->preload());
            } finally {
                file_put_contents("$source/Client.php", $kept);
            }
            $this->assertSame('another site', $this->site->ask('/other.php')[1]);
            $this->site->stop();
        }
        rename($source, "$source.away");
        try {
            $this->site('ffi.enable=preload', $this->preload());
            $this->assertSame('another site', $this->site->ask('/other.php')[1]);
        } finally {
            rename("$source.away", $source);
        }
    }
}
