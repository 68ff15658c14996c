<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** What people read, in Indonesian or English. */
final class Texts
{
    /** @param array<string, string> $texts */
    private function __construct(private readonly array $texts, public readonly string $locale) {}

    /** In the language of whoever is looking at a page of the shop's, else in the client's. */
    public static function here(string $clients = ''): self
    {
        return self::of(Host::language(usual: $clients));
    }

    /** @param string $language by WHMCS's name of it; what is not Indonesian is English */
    public static function of(string $language): self
    {
        $indonesian = in_array(strtolower($language), ['indonesian', 'indonesia', 'bahasa'], true);
        return new self(require dirname(__DIR__) . '/lang/' . ($indonesian ? 'indonesian' : 'english') . '.php', $indonesian ? 'id' : 'en');
    }

    /** @param array<string, string> $with what stands in for {names} */
    public function say(string $name, array $with = []): string
    {
        $names = array_map(static fn(string $one) => '{' . $one . '}', array_keys($with));
        return str_replace($names, $with, $this->texts[$name] ?? $name);
    }

    /** A moment as payers here read it, in Western Indonesian time. */
    public function moment(int $at): string
    {
        $wib = (new \DateTimeImmutable("@$at"))->setTimezone(new \DateTimeZone('Asia/Jakarta'));
        $months = explode(' ', $this->say('months'));
        return $wib->format('j ') . $months[(int) $wib->format('n') - 1] . $wib->format(' Y, H') . ($this->locale === 'id' ? '.' : ':') . $wib->format('i') . ' WIB';
    }
}
