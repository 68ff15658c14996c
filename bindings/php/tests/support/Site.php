<?php

declare(strict_types=1);

namespace Bayar\Tests;

/** A site that knows nothing of this process's environment, under PHP's own web server, which is no command line to PHP: FFI is restricted there. */
final class Site
{
    private readonly Running $running;
    private readonly string $address;

    /** @param list<string> $settings */
    public function __construct(string $directory, array $settings = [])
    {
        $settings = ['opcache.enable=1', 'opcache.preload_user=root', ...$settings];
        $settings = posix_getuid() === 0 ? $settings : array_diff($settings, ['opcache.preload_user=root']);
        $command = [PHP_BINARY, ...array_merge(...array_map(fn(string $setting) => ['-d', $setting], array_values($settings))), '-S', '127.0.0.1:0', '-t', $directory];
        $this->running = Running::start($command, speaks: 2, ready: 'http://', environment: ['PATH' => getenv('PATH')]);
        preg_match('#http://(127\.0\.0\.1:\d+)#', $this->running->line, $found) || throw new \RuntimeException($this->running->line);
        $this->address = $found[1];
    }

    /**
     * @param array<string, string> $form what to post; none to get
     * @param list<string> $headers
     *
     * @return array{int, string, list<string>} the status, the page, the headers
     */
    public function ask(string $path, array $form = [], array $headers = []): array
    {
        $options = ['ignore_errors' => true, 'header' => [...$headers, 'Content-Type: application/x-www-form-urlencoded'], 'method' => $form === [] ? 'GET' : 'POST', 'content' => http_build_query($form)];
        $page = (string) file_get_contents("http://$this->address$path", false, stream_context_create(['http' => $options]));
        return [(int) explode(' ', $http_response_header[0])[1], $page, $http_response_header];
    }

    public function stop(): void
    {
        $this->running->stop();
    }
}
