<?php

declare(strict_types=1);

// Fills lib/ with built files and lists them in lib/manifest.json: php package.php BUILT [PLATFORM]
//
// BUILT is where cargo has put libbayar.so, bayar and the plugins; PLATFORM is what they are for,
// x86_64-linux-gnu, by default this machine's. Run for one platform after the other, the package
// serves them all; files of another version are removed.

require __DIR__ . '/bayar.php';

use Bayar\Native\Library;
use Bayar\Native\Platform;

[, $built, $platform] = $argv + [2 => Platform::name()];
$version = preg_match('/^bayar (\S+)$/', exec(escapeshellarg("$built/bayar") . ' --version'), $found)
    ? $found[1]
    : exit("$built/bayar does not say its version\n");

$lib = __DIR__ . '/lib';
$manifest = json_decode((string) @file_get_contents("$lib/manifest.json"), true);
if (($manifest['version'] ?? null) !== $version) {
    remove($lib);
    $manifest = ['version' => $version, 'abi' => Library::ABI, 'files' => []];
}

$files = [
    'bayar.ffi.h' => dirname(__DIR__, 2) . '/include/bayar.ffi.h',
    "$platform/libbayar-$version.so" => "$built/libbayar.so",
    "$platform/bayar-$version" => "$built/bayar",
];
foreach (glob("$built/libbayar_*.so") as $plugin) {
    // The one to copy is no provider, and those that misbehave are for tests.
    if (is_dir(dirname(__DIR__, 2) . '/plugins/' . substr(basename($plugin), 9, -3)) && basename($plugin) !== 'libbayar_template.so') {
        $files["$platform/plugins-$version/" . basename($plugin)] = $plugin;
    }
}
foreach ($files as $name => $from) {
    @mkdir(dirname("$lib/$name"), 0755, true);
    // Beside it and then in its place: the old one may be mapped.
    copy($from, "$lib/$name.new") || exit("$from cannot be copied\n");
    chmod("$lib/$name.new", is_executable($from) ? 0755 : 0644);
    rename("$lib/$name.new", "$lib/$name");
    $manifest['files'][$name] = ['size' => filesize("$lib/$name"), 'sha256' => hash_file('sha256', "$lib/$name")];
}
ksort($manifest['files']);
file_put_contents("$lib/manifest.json", json_encode($manifest, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES) . "\n");
echo "$lib: version $version, ", count($manifest['files']), " files\n";

function remove(string $path): void
{
    if (!is_dir($path)) {
        return;
    }
    foreach (array_diff(scandir($path), ['.', '..']) as $name) {
        is_dir("$path/$name") ? remove("$path/$name") : unlink("$path/$name");
    }
    rmdir($path);
}
