<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

use Bayar\Client;
use Bayar\Error;
use Bayar\InvalidConfig;
use Bayar\InvalidParams;
use Bayar\Outcome;
use Bayar\UnknownAccount;
use Bayar\Unsupported;
use Omnipay\Common\Exception\InvalidRequestException;
use Omnipay\Common\Message\AbstractRequest as OmnipayRequest;

/** What all requests of this driver share. */
abstract class AbstractRequest extends OmnipayRequest
{
    public function getClient(): Client
    {
        return $this->getParameter('client');
    }

    public function setClient(Client $value): static
    {
        return $this->setParameter('client', $value);
    }

    public function getAccount(): string
    {
        return (string) $this->getParameter('account');
    }

    public function setAccount(string $value): static
    {
        return $this->setParameter('account', $value === '' ? null : $value);
    }

    /** Your own key of this request: the same for every attempt at it. Printable ASCII, 1 to 255 characters. */
    public function getKey(): ?string
    {
        return $this->getParameter('key');
    }

    public function setKey(?string $value): static
    {
        return $this->setParameter('key', $value);
    }

    /**
     * The response to what $call concluded. A provider's no, and trouble on the way, are responses, too:
     * they say whether the request may have been carried out.
     *
     * @param \Closure(): Outcome $call
     *
     * @throws InvalidRequestException where it is the request that has to be changed
     */
    protected function conclude(\Closure $call): Response
    {
        try {
            $this->checkTestMode();
            return $this->response = new Response($this, $call());
        } catch (InvalidParams | InvalidConfig | UnknownAccount | Unsupported $error) {
            throw new InvalidRequestException($error->getMessage(), 0, $error);
        } catch (Error $error) {
            return $this->response = new Response($this, $error);
        }
    }

    /** The account's section says which world it is in; testMode only insists. */
    private function checkTestMode(): void
    {
        if (!$this->getTestMode()) {
            return;
        }
        $environment = $this->getClient()->describe($this->getAccount())['environment'] ?? 'unknown';
        if ($environment === 'production') {
            throw new InvalidRequestException("testMode is set, and the account {$this->getAccount()} is in production");
        }
    }

    /** The amount in whole rupiah; null where none is given. */
    protected function rupiah(): ?int
    {
        if ($this->getCurrency() !== 'IDR') {
            throw new InvalidRequestException('currency: found ' . ($this->getCurrency() ?? 'none') . '; allowed: IDR');
        }
        $amount = $this->getAmount();
        return $amount === null ? null : self::whole($amount, 'amount');
    }

    /** A decimal number without a fraction, as Omnipay writes amounts: 150000.00. */
    protected static function whole(mixed $decimal, string $field): int
    {
        if (!preg_match('/^([0-9]{1,15})(\.0+)?$/D', (string) $decimal, $parts)) {
            throw new InvalidRequestException("$field: found $decimal; allowed: whole rupiah, such as 150000.00");
        }
        return (int) $parts[1];
    }

    /**
     * Which payment: by transactionReference, transactionId, or both.
     *
     * @return array{order_id: string, reference?: string}
     */
    protected function which(): array
    {
        [$reference, $order] = [$this->getTransactionReference(), $this->getTransactionId()];
        if ($reference === null && $order === null) {
            throw new InvalidRequestException('The transactionReference or transactionId parameter is required');
        }
        return array_filter(['order_id' => $order ?? $reference, 'reference' => $reference], self::isGiven(...));
    }

    protected static function isGiven(mixed $value): bool
    {
        return $value !== null && $value !== '' && $value !== [];
    }
}
