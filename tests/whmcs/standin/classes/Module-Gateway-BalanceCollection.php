<?php

namespace WHMCS\Module\Gateway;

class BalanceCollection implements \JsonSerializable
{
    private function __construct(private array $items) {}

    public static function factoryFromItems(Balance ...$items): self
    {
        return new self($items);
    }

    public function jsonSerialize(): array
    {
        return $this->items;
    }
}
