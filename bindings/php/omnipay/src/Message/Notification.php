<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

use Bayar\Acknowledgement;
use Bayar\Callback;
use Bayar\Error;
use Bayar\Outcome;
use Bayar\Status;
use Omnipay\Common\Exception\InvalidResponseException;
use Omnipay\Common\Message\NotificationInterface;

/**
 * A provider's callback.
 *
 * It is verified when the first of its getters is called. Of one that is not genuine there is nothing to
 * get: they throw. Answer the provider with getAcknowledgement() in every case.
 */
class Notification extends AbstractRequest implements NotificationInterface
{
    private Callback|Error|null $received = null;

    /** @throws InvalidResponseException where it is not genuine, or could not be confirmed now */
    public function getData()
    {
        return $this->getOutcome()->toArray();
    }

    /**
     * What is proven of the payment. Its intent is what `claim` takes, for crediting once.
     *
     * @throws InvalidResponseException
     */
    public function getOutcome(): Outcome
    {
        $received = $this->receive();
        if ($received instanceof Error) {
            throw new InvalidResponseException($received->getMessage(), 0, $received);
        }
        return $received->outcome;
    }

    /**
     * completed where it was paid and may be credited. failed where no money is there, or it went back
     * again. pending is everything else: wait, or have a person look.
     *
     * @throws InvalidResponseException
     */
    public function getTransactionStatus()
    {
        $outcome = $this->getOutcome();
        if ($outcome->review !== null) {
            return self::STATUS_PENDING;
        }
        return match ($outcome->status) {
            Status::Paid => self::STATUS_COMPLETED,
            Status::Failed, Status::Expired, Status::Cancelled, Status::Refunded, Status::Disputed => self::STATUS_FAILED,
            default => self::STATUS_PENDING,
        };
    }

    /** @throws InvalidResponseException */
    public function getTransactionReference()
    {
        return $this->getOutcome()->reference;
    }

    /**
     * Your own id of the order.
     *
     * @throws InvalidResponseException
     */
    public function getTransactionId()
    {
        return $this->getOutcome()->orderId;
    }

    /**
     * Why it waits for a person; else the status.
     *
     * @throws InvalidResponseException
     */
    public function getMessage()
    {
        return $this->getOutcome()->review ?? $this->getOutcome()->status->value;
    }

    /** What to answer the provider, genuine or not. Where crediting failed, answer 503 instead: it will call again. */
    public function getAcknowledgement(): Acknowledgement
    {
        $received = $this->receive();
        return $received->acknowledgement ?? new Acknowledgement(503, '{"status":"try again"}');
    }

    /** The same as a response. */
    public function sendData($data)
    {
        return $this->conclude(fn() => $this->getOutcome());
    }

    private function receive(): Callback|Error
    {
        return $this->received ??= $this->verify();
    }

    private function verify(): Callback|Error
    {
        $this->validate('account');
        $request = $this->httpRequest;
        try {
            return $this->getClient()->callback(
                $this->getAccount(),
                $request->getContent(),
                $request->headers->all(),
                // As it was sent: getQueryString() sorts it and writes it anew.
                (string) $request->server->get('QUERY_STRING'),
                $request->getClientIp(),
                $request->getRealMethod(),
                $request->getPathInfo(),
            );
        } catch (Error $error) {
            return $error;
        }
    }
}
