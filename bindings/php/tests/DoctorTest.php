<?php

declare(strict_types=1);

namespace Bayar\Tests;

use PHPUnit\Framework\TestCase;

/** The doctor: on the command line, and as a page of the web server. */
final class DoctorTest extends TestCase
{
    private static ?Place $place;
    private static Package $package;
    private ?Site $site = null;

    public static function setUpBeforeClass(): void
    {
        self::$place = new Place();
        self::$package = new Package(self::$place, getenv('BAYAR_TARGET'));
        mkdir(self::$place->path . '/www');
    }

    public static function tearDownAfterClass(): void
    {
        self::$place = null;
    }

    protected function tearDown(): void
    {
        $this->site?->stop();
    }

    /** @return array<string, array{subject: string, level: string, found: string, change?: string, file?: string}> by subject */
    private function findings(array $arguments = [], array $settings = [], array $environment = []): array
    {
        $said = self::$package->php(self::$package->path . '/bin/bayar', ['doctor', '--json', ...$arguments], $settings, $environment);
        $report = json_decode($said, true, 512, JSON_THROW_ON_ERROR);
        $this->assertSame('cli', $report['sapi']);
        return array_column($report['findings'], null, 'subject');
    }

    private function config(string $text): string
    {
        file_put_contents(self::$place->path . '/other.toml', $text);
        return self::$place->path . '/other.toml';
    }

    public function testWhereAllIsWell(): void
    {
        $config = $this->config("[engine]\njournal = \"none\"\n[providers.midtrans]\nserver_key = \"SB-CANARY\"\n");
        $findings = $this->findings(['--config', $config]);
        $this->assertSame([], array_filter($findings, fn(array $finding) => $finding['level'] === 'error'));
        $this->assertStringContainsString('PHP ' . PHP_VERSION . ' (cli), set up by ', $findings['php']['found']);
        $this->assertStringContainsString(php_ini_loaded_file(), $findings['php']['found']);
        foreach (['ffi' => 'loaded', 'platform' => '-linux-', 'library' => 'ABI 1', 'mode' => "'native'", 'plugins' => 'midtrans', 'account' => 'midtrans: midtrans, sandbox', 'journal' => 'none', 'clock' => gmdate('Y'), 'tls' => 'verified'] as $subject => $says) {
            $this->assertStringContainsString($says, $findings[$subject]['found']);
            $this->assertSame('ok', $findings[$subject]['level']);
        }
        $this->assertStringContainsString('no journal', $findings['engine']['found']);
        $this->assertStringNotContainsString('CANARY', json_encode($findings));
    }

    public function testWhatIsToBeChangedAndWhere(): void
    {
        $findings = $this->findings(settings: ['ffi.enable=0']);
        $this->assertSame(['warning', 'ffi.enable = 1', php_ini_loaded_file()], [$findings['ffi']['level'], $findings['ffi']['change'], $findings['ffi']['file']]);
        $this->assertStringContainsString('not loaded without FFI', $findings['library']['found']);

        $ini = self::$place->path . '/conf.d';
        mkdir($ini);
        file_put_contents("$ini/99-own.ini", "; a line before\n  ffi.enable = 0\n");
        $findings = $this->findings(environment: ['PHP_INI_SCAN_DIR' => ":$ini"]);
        $this->assertSame("$ini/99-own.ini", $findings['ffi']['file'], 'where it is set, not only where it could be');

        // Without any of them there is no extension either.
        $findings = $this->findings(environment: ['PHP_INI_SCAN_DIR' => $ini]);
        $this->assertSame(['warning', 'extension = ffi', "$ini/20-ffi.ini"], [$findings['ffi']['level'], $findings['ffi']['change'], $findings['ffi']['file']]);
        $this->assertSame('extension = curl', $findings['curl']['change']);

        $findings = $this->findings(settings: ['disable_functions=proc_open']);
        $this->assertSame('disable_functions = (without proc_open)', $findings['proc_open']['change']);
    }

    public function testAConfigurationThatIsWrong(): void
    {
        $config = $this->config("[engine]\nplugns = \"SB-CANARY\"\n");
        $finding = $this->findings(['--config', $config])['configuration'];
        $this->assertSame(['error', $config], [$finding['level'], $finding['file']]);
        $this->assertStringContainsString('did you mean plugins', $finding['found']);
        $this->assertStringNotContainsString('CANARY', json_encode($finding));
        $this->assertSame('warning', $this->findings()['configuration']['level'], 'none was named');
    }

    public function testADaemonThatIsThereOrNot(): void
    {
        $socket = self::$place->path . '/bayar.sock';
        $this->assertSame('error', $this->findings(['--socket', $socket])['mode']['level']);
        $daemon = new Daemon(self::$place);
        $findings = $this->findings(['--socket', $socket]);
        $daemon->stop();
        $this->assertStringContainsString("'socket'", $findings['mode']['found']);
        $this->assertSame('ok', $findings['plugins']['level']);
    }

    public function testAPluginThatIsBroken(): void
    {
        $plugin = self::$package->file('libbayar_klink\.so');
        rename($plugin, "$plugin.kept");
        file_put_contents($plugin, 'damaged');
        chmod($plugin, 0644);
        try {
            $findings = $this->findings(['--config', $this->config("[engine]\njournal = \"none\"\n")]);
        } finally {
            rename("$plugin.kept", $plugin);
        }
        $this->assertSame('error', $findings['library']['level']);
        $this->assertStringContainsString('libbayar_klink.so has 7 bytes', $findings['library']['found']);
        $this->assertSame('error', $findings['plugins']['level']);
        $this->assertStringContainsString('klink: ', $findings['plugins']['found']);
    }

    public function testAJournalIsNotMadeByRoot(): void
    {
        if (posix_geteuid() !== 0) {
            $this->assertSame('ok', $this->findings(['--config', self::$place->config])['journal']['level']);
            return;
        }
        $this->assertStringContainsString("root's own", $this->findings(['--config', self::$place->config])['journal']['found']);
        $this->assertFileDoesNotExist(self::$place->path . '/journal.db');
        $config = $this->config("[engine]\njournal = \"sqlite:/proc/nowhere/journal.db\"\n");
        $this->assertSame('warning', $this->findings(['--config', $config])['journal']['level']);
    }

    public function testAJournalThatCannotBeRead(): void
    {
        file_put_contents(self::$place->path . '/damaged.db', str_repeat('damaged ', 1000));
        $path = self::$place->path . '/damaged.db';
        $finding = $this->findings(['--config', $this->config("[engine]\njournal = \"sqlite:$path\"\n")])['journal'];
        $this->assertSame('error', $finding['level'], json_encode($finding));
    }

    public function testTheCommandIsForPeopleAndScripts(): void
    {
        $bayar = fn(string ...$arguments) => self::$package->php(self::$package->path . '/bin/bayar', $arguments, ['ffi.enable=0']);
        $text = $bayar('doctor');
        $this->assertStringContainsString('This is the PHP of the command line', $text);
        $this->assertMatchesRegularExpression('/^warning  ffi .*\n(.*\n)* +> ffi\.enable = 1\n +in \S+\/php\.ini$/m', $text);
        $this->assertStringContainsString('bayar doctor [--config FILE]', $bayar('help'));
        $this->assertStringContainsString('bayar doctor [--config FILE]', $bayar('dance'));
        exec(escapeshellarg(self::$package->path . '/bin/bayar') . ' doctor --config /nonexistent/bayar.toml 2>&1', $lines, $status);
        $this->assertSame(1, $status);
    }

    // --- the page ---

    /** @return array{string, string, string} the page's path on the site, its token, its file */
    private function page(string ...$arguments): array
    {
        $said = self::$package->php(self::$package->path . '/bin/bayar', ['check-page', self::$place->path . '/www', ...$arguments]);
        $this->assertSame(2, preg_match_all('/^(?:made|token) +(\S+)$/m', $said, $found), $said);
        [$file, $token] = $found[1];
        return ['/' . basename($file), $token, $file];
    }

    public function testThePageShowsNothingWithoutItsToken(): void
    {
        [$path, $token, $file] = $this->page('--config', $this->config("[engine]\njournal = \"none\"\n"));
        $this->assertStringNotContainsString($token, file_get_contents($file));
        $this->site = new Site(self::$place->path . '/www', ['ffi.enable=0']);
        foreach ([[], ['token' => ''], ['token' => 'guessed'], ['token' => hash('sha256', $token)]] as $form) {
            [$status, $page] = $this->site->ask($path, $form);
            $this->assertSame($form === [] ? 200 : 403, $status);
            $this->assertStringContainsString('name="token"', $page);
            $this->assertStringNotContainsString('ffi.enable', $page);
            $this->assertStringNotContainsString(self::$place->path, $page);
        }
        [$status, $page] = $this->site->ask($path, ['token' => $token]);
        $this->assertSame(200, $status);
        foreach (['cli-server', 'ffi.enable = 1', php_ini_loaded_file(), "the mode &#039;process&#039;", 'midtrans'] as $part) {
            $this->assertStringContainsString($part, $page);
        }
        $this->assertSame(403, $this->site->ask("$path?token=$token", ['token' => 'guessed'])[0]);
        $this->assertStringNotContainsString('ffi.enable', $this->site->ask("$path?token=$token")[1], 'a token in an address is written into logs');
    }

    public function testThePageIsGoneAfterItsTime(): void
    {
        [$path, $token, $file] = $this->page();
        file_put_contents($file, preg_replace('/, \d{10}, /', ', ' . (time() - 1) . ', ', file_get_contents($file), -1, $changed));
        $this->assertSame(1, $changed);
        $this->site = new Site(self::$place->path . '/www');
        $this->assertSame([404, 'Not Found'], array_slice($this->site->ask($path), 0, 2));
        $this->assertSame([404, 'Not Found'], array_slice($this->site->ask($path, ['token' => $token]), 0, 2));
    }

    public function testThePageIsForNobodyWhoReadsAlong(): void
    {
        [$path, $token, $file] = $this->page();
        // As if it were asked from elsewhere.
        file_put_contents($file, str_replace('<?php', "<?php \$_SERVER['REMOTE_ADDR'] = '192.0.2.1';", file_get_contents($file)));
        $this->site = new Site(self::$place->path . '/www');
        [$status, $page] = $this->site->ask($path, ['token' => $token]);
        $this->assertSame(403, $status);
        $this->assertStringContainsString('by https', $page);
        $this->assertSame(200, $this->site->ask($path, ['token' => $token], ['X-Forwarded-Proto: https'])[0]);
    }
}
