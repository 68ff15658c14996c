<?php

namespace WHMCS\Module\Gateway;

class Balance implements \JsonSerializable
{
    private function __construct(private float $amount, private string $currency, private string $label) {}

    public static function factory(float $amount, string $currency, string $label = 'status.available', string $color = '#5dc560'): self
    {
        return new self($amount, $currency, $label);
    }

    public function jsonSerialize(): array
    {
        return ['amount' => $this->amount, 'currency' => $this->currency, 'label' => $this->label];
    }
}
