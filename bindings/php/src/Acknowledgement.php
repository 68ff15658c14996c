<?php

declare(strict_types=1);

namespace Bayar;

/** The HTTP answer that a provider waits for after its callback. */
final class Acknowledgement
{
    public function __construct(
        public readonly int $status,
        public readonly string $body = '',
        public readonly string $contentType = 'application/json',
    ) {}

    /**
     * @internal
     *
     * @param array{status: int, body?: string, content_type?: string} $document
     */
    public static function of(array $document): self
    {
        return new self($document['status'], $document['body'] ?? '', $document['content_type'] ?? 'application/json');
    }

    /** Answers with it: status, Content-Type and body. Nothing may have been printed before. */
    public function send(): void
    {
        http_response_code($this->status);
        header("Content-Type: $this->contentType");
        echo $this->body;
    }
}
