<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

/**
 * Gives money back: an amount, or all of it.
 *
 * A key is needed, for a refund moves money: the same for every attempt at this one refund. Two refunds
 * of one payment have two.
 */
class RefundRequest extends AbstractRequest
{
    /** What only this provider has; `bayar describe --json` lists it. */
    public function getOptions(): array
    {
        return $this->getParameter('options') ?? [];
    }

    public function setOptions(array $value): static
    {
        return $this->setParameter('options', $value);
    }

    public function getData()
    {
        $this->validate('account', 'key');
        $details = ['key' => $this->getKey(), 'amount' => $this->rupiah(), 'reason' => $this->getDescription(), 'options' => $this->getOptions()];
        return array_filter($this->which() + $details, self::isGiven(...));
    }

    public function sendData($data)
    {
        return $this->conclude(fn() => $this->getClient()->call($this->getAccount(), 'refund', $data));
    }
}
