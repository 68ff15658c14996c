<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

use Omnipay\Common\ItemInterface;

/**
 * Asks a payer for money: Bayar's operation `charge`.
 *
 * transactionId is the order_id, paymentMethod the channel, notifyUrl the callback_url. Of the card only
 * name, e-mail address and phone number are taken: who pays. Without a key it is made of transactionId,
 * so that the same purchase is never made twice; a new attempt takes a new transactionId.
 */
class PurchaseRequest extends AbstractRequest
{
    /** How long the payer may take, in seconds. */
    public function getExpiresIn(): ?int
    {
        return $this->getParameter('expiresIn');
    }

    public function setExpiresIn(?int $value): static
    {
        return $this->setParameter('expiresIn', $value);
    }

    /** What only this provider has; `bayar describe --json` lists it. */
    public function getOptions(): array
    {
        return $this->getParameter('options') ?? [];
    }

    public function setOptions(array $value): static
    {
        return $this->setParameter('options', $value);
    }

    /** A scope of yours, in which keys are unique. */
    public function getTenant(): ?string
    {
        return $this->getParameter('tenant');
    }

    public function setTenant(?string $value): static
    {
        return $this->setParameter('tenant', $value);
    }

    public function getData()
    {
        $this->validate('account', 'amount', $this->getKey() === null ? 'transactionId' : 'account');
        return array_filter([
            'key' => $this->getKey() ?? "omnipay-purchase-{$this->getAccount()}-{$this->getTransactionId()}",
            'order_id' => $this->getTransactionId(),
            'amount' => $this->rupiah(),
            'channel' => $this->getPaymentMethod(),
            'description' => $this->getDescription(),
            'customer' => $this->customer(),
            'items' => $this->items(),
            'return_url' => $this->getReturnUrl(),
            'cancel_url' => $this->getCancelUrl(),
            'callback_url' => $this->getNotifyUrl(),
            'expires_in' => $this->getExpiresIn(),
            'options' => $this->getOptions(),
            'tenant' => $this->getTenant(),
        ], self::isGiven(...));
    }

    public function sendData($data)
    {
        return $this->conclude(fn() => $this->getClient()->call($this->getAccount(), 'charge', $data));
    }

    private function customer(): array
    {
        $card = $this->getCard();
        return $card === null ? [] : array_filter([
            'name' => $card->getBillingName(),
            'email' => $card->getEmail(),
            'phone' => $card->getBillingPhone(),
        ], self::isGiven(...));
    }

    private function items(): array
    {
        $items = [];
        /** @var ItemInterface $item */
        foreach ($this->getItems() ?? [] as $item) {
            $at = 'items[' . count($items) . ']';
            $items[] = [
                'name' => (string) ($item->getName() ?? $item->getDescription()),
                'price' => self::whole($item->getPrice(), "$at.price"),
                'quantity' => self::whole($item->getQuantity() ?? 1, "$at.quantity"),
            ];
        }
        return $items;
    }
}
