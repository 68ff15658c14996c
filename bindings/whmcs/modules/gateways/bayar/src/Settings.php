<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** The settings of the module, as they were typed into WHMCS. */
final class Settings
{
    public const ENGINES = ['here', 'file', 'daemon', 'gateway'];

    /** @param array<string, mixed> $values by name, as getGatewayVariables gives them */
    private function __construct(#[\SensitiveParameter] private readonly array $values) {}

    /** @throws Unusable where the module is not active */
    public static function load(): self
    {
        $values = Host::gateway('bayar');
        return $values === [] ? throw new Unusable('The payment gateway Bayar is not active.') : new self($values);
    }

    /** @param array<string, mixed> $values */
    public static function of(#[\SensitiveParameter] array $values): self
    {
        return new self($values);
    }

    public function text(string $name, string $default = ''): string
    {
        $value = trim(html_entity_decode((string) ($this->values[$name] ?? ''), ENT_QUOTES));
        return $value === '' ? $default : $value;
    }

    /** @throws Unusable where it is empty */
    public function needed(string $name): string
    {
        $value = $this->text($name);
        return $value !== '' ? $value : throw new Unusable('The setting "' . Texts::of('english')->say("config_$name") . '" is empty.');
    }

    public function ticked(string $name): bool
    {
        return in_array(strtolower($this->text($name)), ['on', 'yes', '1'], true);
    }

    /** here, file, daemon or gateway: where the engine is. */
    public function engine(): string
    {
        $engine = $this->text('engine', 'here');
        return in_array($engine, self::ENGINES, true) ? $engine : throw new Unusable("The setting for the engine is '$engine', allowed are: " . implode(', ', self::ENGINES));
    }

    /** What order ids begin with: the shop, where several share an account. */
    public function prefix(): string
    {
        $prefix = $this->text('prefix', 'INV');
        return preg_match('/^[A-Za-z][A-Za-z0-9]{0,9}$/D', $prefix) ? $prefix : throw new Unusable("The prefix is '$prefix', allowed are 1 to 10 letters and digits that begin with a letter.");
    }

    /** How long a payer may take, in seconds. */
    public function life(): int
    {
        $hours = (int) $this->text('expires', '24');
        return $hours >= 1 && $hours <= 720 ? $hours * 3600 : throw new Unusable("A payment is to expire after '$hours' hours, allowed are 1 to 720.");
    }

    /** How long a claim on a payment holds, in seconds; the shop's people are not asked. */
    public function lease(): int
    {
        return max(1, (int) $this->text('lease_seconds', '60'));
    }

    /** How long a callback waits for another one about the same payment, in seconds; likewise. */
    public function patience(): int
    {
        return (int) $this->text('lock_seconds', '10');
    }

    /**
     * The ways to pay that the shop offers: those of the setting, else the page of each provider that
     * has one.
     *
     * @return array<string, Choice> by their names
     */
    public function choices(): array
    {
        $lines = preg_split('/\R/', $this->text('channels'), -1, PREG_SPLIT_NO_EMPTY);
        if ($lines === []) {
            $lines = $this->engine() === 'here' ? array_filter($this->accounts(), static fn(string $id) => Providers::ALL[$id]['page']) : [];
        }
        $choices = [];
        foreach (array_filter(array_map(Choice::read(...), $lines)) as $choice) {
            $choices[$choice->name()] = $choice;
        }
        return $choices;
    }

    /** @return list<string> the providers whose credentials were typed in; each is the account of its name */
    public function accounts(): array
    {
        return array_keys($this->credentials());
    }

    /**
     * The engine's configuration, of what was typed in.
     *
     * @return array{engine: array<string, string>, providers: array<string, array<string, mixed>>}
     *
     * @throws Unusable
     */
    public function configuration(): array
    {
        $providers = $this->credentials();
        if ($providers === []) {
            throw new Unusable('No credentials of a provider are set.');
        }
        return ['engine' => ['journal' => 'sqlite:' . Journal::folder($this->text('journal')) . '/journal.db'], 'providers' => $providers];
    }

    /** @return list<string> what must never stand in a log */
    public function secrets(): array
    {
        $secrets = [$this->text('api_key'), $this->text('webhook_secret'), $this->text('webhook_secret_before')];
        foreach (Providers::ALL as $id => $provider) {
            foreach ($provider['fields'] as [$field, , $secret]) {
                $secrets[] = $secret ? $this->text(Providers::setting($id, $field)) : '';
            }
        }
        return array_values(array_filter($secrets, static fn(string $secret) => $secret !== ''));
    }

    /** @return array<string, array<string, mixed>> the sections of the configuration */
    private function credentials(): array
    {
        $sections = [];
        foreach (Providers::ALL as $id => $provider) {
            $given = [];
            foreach ($provider['fields'] as [$field]) {
                $given[$field] = $this->text(Providers::setting($id, $field));
            }
            $given = array_filter($given, static fn(string $value) => $value !== '');
            if ($given !== []) {
                $sections[$id] = $this->section($id, $provider, $given);
            }
        }
        return $sections;
    }

    private function section(string $id, array $provider, #[\SensitiveParameter] array $given): array
    {
        $sandbox = $this->ticked('sandbox');
        $simulator = rtrim($this->text('simulator'), '/');
        if ($sandbox && $simulator !== '') {
            $given[$provider['address']] = "$simulator/$id";
        }
        if (isset($given['callback_addresses'])) {
            $given['callback_addresses'] = preg_split('/[\s,]+/', $given['callback_addresses'], -1, PREG_SPLIT_NO_EMPTY);
        }
        // Duitku shows 20 characters of a payer's name and refuses more; a shop cannot ask for shorter names.
        $own = $id === 'duitku' ? ['cut_names' => true] : [];
        return ['environment' => $sandbox ? 'sandbox' : 'production'] + $given + $own;
    }

    public function __debugInfo(): array
    {
        return ['engine' => $this->text('engine', 'here')];
    }
}
