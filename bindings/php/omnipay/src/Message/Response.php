<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

use Bayar\Error;
use Bayar\InProgress;
use Bayar\Instruction;
use Bayar\InstructionKind;
use Bayar\Outcome;
use Bayar\Status;
use Omnipay\Common\Message\AbstractResponse;
use Omnipay\Common\Message\RedirectResponseInterface;
use Omnipay\Common\Message\RequestInterface;

/**
 * What a request concluded: an outcome, or an error.
 *
 * Successful is what was paid (of a refund: what was given back) and waits for nobody to look. What is
 * neither successful nor pending has ended, or was refused.
 */
class Response extends AbstractResponse implements RedirectResponseInterface
{
    public function __construct(RequestInterface $request, private readonly Outcome|Error $result)
    {
        parent::__construct($request, $result instanceof Outcome ? $result->toArray() : $result->document);
    }

    /** What was concluded, with everything that Bayar says of it; null where there is an error. */
    public function getOutcome(): ?Outcome
    {
        return $this->result instanceof Outcome ? $this->result : null;
    }

    /** Why there is no outcome; its stage and retry say whether it may be asked again. */
    public function getError(): ?Error
    {
        return $this->result instanceof Error ? $this->result : null;
    }

    /** What the payer needs: a virtual account's number, a QR code's text, a page. */
    public function getInstruction(): ?Instruction
    {
        return $this->getOutcome()?->instruction;
    }

    public function isSuccessful()
    {
        $outcome = $this->getOutcome();
        return $outcome !== null && $outcome->review === null && in_array($outcome->status, [Status::Paid, Status::Done], true);
    }

    /** Whether something may still become of it: it must not be taken for failed. */
    public function isPending()
    {
        if ($this->result instanceof Error) {
            return $this->result->stage === 'maybe_sent' || $this->result instanceof InProgress;
        }
        return $this->result->review !== null || in_array($this->result->status, [Status::Pending, Status::Authorized, Status::Unknown], true);
    }

    public function isCancelled()
    {
        return $this->getOutcome()?->status === Status::Cancelled;
    }

    public function isRedirect()
    {
        return $this->getOutcome()?->status === Status::Pending && $this->getInstruction()?->kind === InstructionKind::Redirect;
    }

    public function getRedirectUrl()
    {
        return $this->isRedirect() ? $this->getInstruction()->url : null;
    }

    public function getRedirectMethod()
    {
        return 'GET';
    }

    public function getRedirectData()
    {
        return [];
    }

    /** Why it failed or waits for a person; else the status. */
    public function getMessage()
    {
        return $this->result instanceof Error ? $this->result->getMessage() : $this->result->review ?? $this->result->status->value;
    }

    /** The status, or the error's code: pending, paid, expired, rejected, outcome_unknown … */
    public function getCode()
    {
        return $this->result instanceof Error ? $this->result->name : $this->result->status->value;
    }

    /** What the provider knows the order by. */
    public function getTransactionReference()
    {
        return $this->result->reference;
    }

    /** Your own id of the order. */
    public function getTransactionId()
    {
        return $this->getOutcome()?->orderId ?? $this->getRequest()->getTransactionId();
    }
}
