<?php

declare(strict_types=1);

namespace Omnipay\Bayar;

use Bayar\Client;
use Bayar\Error;
use Omnipay\Bayar\Message\FetchTransactionRequest;
use Omnipay\Bayar\Message\Notification;
use Omnipay\Bayar\Message\PurchaseRequest;
use Omnipay\Bayar\Message\RefundRequest;
use Omnipay\Common\AbstractGateway;
use Omnipay\Common\Exception\InvalidRequestException;

/**
 * One account of Bayar as an Omnipay gateway.
 *
 *     $gateway = Omnipay::create('Bayar');
 *     $gateway->initialize(['config' => '/etc/bayar/bayar.toml', 'account' => 'midtrans']);
 *     $response = $gateway->purchase(['transactionId' => 'INV-17', 'amount' => '150000.00', 'currency' => 'IDR'])->send();
 */
class Gateway extends AbstractGateway
{
    public function getName()
    {
        return 'Bayar';
    }

    public function getDefaultParameters()
    {
        return ['config' => '', 'socket' => '', 'account' => '', 'currency' => 'IDR', 'testMode' => false];
    }

    /** The path of bayar.toml, or what else Bayar\Client::open() takes. */
    public function getConfig(): array|string
    {
        return $this->getParameter('config');
    }

    public function setConfig(#[\SensitiveParameter] array|string $value): static
    {
        return $this->setParameter('config', $value);
    }

    /** Where `bayar daemon` listens, where that is to be used. */
    public function getSocket(): string
    {
        return $this->getParameter('socket');
    }

    public function setSocket(string $value): static
    {
        return $this->setParameter('socket', $value);
    }

    /** The section of the configuration that names the provider and its credentials. */
    public function getAccount(): string
    {
        return $this->getParameter('account');
    }

    public function setAccount(string $value): static
    {
        return $this->setParameter('account', $value);
    }

    /**
     * The client: the one that was set, else opened by config and socket.
     *
     * @throws InvalidRequestException where it cannot be opened
     */
    public function getClient(): Client
    {
        $client = $this->getParameter('client');
        if ($client === null) {
            try {
                $client = Client::open($this->getConfig() ?: null, socket: $this->getSocket() ?: null);
            } catch (Error $error) {
                throw new InvalidRequestException($error->getMessage(), 0, $error);
            }
            $this->setClient($client);
        }
        return $client;
    }

    /** A client that is open already, or a fake one. */
    public function setClient(?Client $value): static
    {
        return $this->setParameter('client', $value);
    }

    /** Asks a payer for money. */
    public function purchase(array $options = []): PurchaseRequest
    {
        return $this->ask(PurchaseRequest::class, $options);
    }

    /** Asks what became of a payment, when the payer is back from the provider's page. */
    public function completePurchase(array $options = []): FetchTransactionRequest
    {
        return $this->ask(FetchTransactionRequest::class, $options);
    }

    /** Asks what became of a payment. */
    public function fetchTransaction(array $options = []): FetchTransactionRequest
    {
        return $this->ask(FetchTransactionRequest::class, $options);
    }

    /** Gives money back. */
    public function refund(array $options = []): RefundRequest
    {
        return $this->ask(RefundRequest::class, $options);
    }

    /** The provider's callback that this HTTP request is. */
    public function acceptNotification(array $options = []): Notification
    {
        return $this->ask(Notification::class, $options);
    }

    private function ask(string $class, array $options): mixed
    {
        // Handed on to the request with the other parameters.
        $this->getClient();
        return $this->createRequest($class, $options);
    }

    /** Bayar sends its requests itself; none has to be found. */
    protected function getDefaultHttpClient()
    {
        return new NoHttpClient();
    }

    /** Without the configuration, which may hold credentials. */
    public function __debugInfo(): array
    {
        return ['account' => $this->getAccount(), 'currency' => $this->getCurrency(), 'testMode' => $this->getTestMode()];
    }
}
