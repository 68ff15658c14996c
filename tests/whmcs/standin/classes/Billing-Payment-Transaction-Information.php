<?php

namespace WHMCS\Billing\Payment\Transaction;

class Information implements \JsonSerializable
{
    private array $values = [];

    public function __call(string $name, array $arguments): static
    {
        $known = ['setTransactionId', 'setAmount', 'setCurrency', 'setType', 'setAvailableOn', 'setCreated', 'setDescription', 'setFee', 'setStatus'];
        if (!in_array($name, $known, true)) {
            throw new \BadMethodCallException($name);
        }
        $this->values[lcfirst(substr($name, 3))] = $arguments[0];
        return $this;
    }

    public function setAdditionalDatum(string $key, mixed $value): static
    {
        $this->values['additional'][$key] = $value;
        return $this;
    }

    public function jsonSerialize(): array
    {
        return $this->values;
    }
}
