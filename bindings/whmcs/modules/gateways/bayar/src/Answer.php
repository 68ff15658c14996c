<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** What a browser is answered. */
final class Answer
{
    private const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2733}table{border-collapse:collapse;width:100%}'
        . 'th,td{padding:.4rem .6rem;border-bottom:1px solid #d9dee5;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:12rem;font-weight:600}'
        . 'pre{padding:.75rem;background:#f4f6f8;overflow-x:auto}.bad{padding:.75rem;border-left:4px solid #b3261e;background:#fdf0ef}h1{font-size:1.5rem}h2{margin:2rem 0 .5rem;font-size:1.15rem}';

    private function __construct(private readonly int $status, private readonly string $location, private readonly string $page = '') {}

    /** Elsewhere, by GET. */
    public static function redirect(string $url): self
    {
        return new self(303, $url);
    }

    /** A sentence, and where to go on. */
    public static function refuse(string $sentence, string $url): self
    {
        return new self(403, '', self::html('Bayar', '<p>' . Box::escape($sentence) . '</p><p><a href="' . Box::escape($url) . '">' . Box::escape($url) . '</a></p>'));
    }

    /** A page. */
    public static function page(string $title, string $html): self
    {
        return new self(200, '', self::html($title, '<h1>' . Box::escape($title) . "</h1>$html"));
    }

    public function send(): void
    {
        http_response_code($this->status);
        header('Cache-Control: no-store');
        if ($this->location !== '') {
            header("Location: $this->location");
            return;
        }
        header('Content-Type: text/html; charset=utf-8');
        echo $this->page;
    }

    private static function html(string $title, string $body): string
    {
        return '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            . '<title>' . Box::escape($title) . '</title><style>' . self::STYLE . "</style></head><body>$body</body></html>";
    }
}
