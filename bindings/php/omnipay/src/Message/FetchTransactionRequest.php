<?php

declare(strict_types=1);

namespace Omnipay\Bayar\Message;

use Bayar\Error;
use Bayar\OrderNotFound;
use Bayar\Outcome;
use Bayar\Unsupported;

/**
 * Asks the provider what became of a payment. Nothing that a browser brought along is believed.
 *
 * Where the provider cannot be asked (K-Link), or does not know the order as long as the payer has not
 * chosen on its page (Midtrans), the response is what the journal knows.
 */
class FetchTransactionRequest extends AbstractRequest
{
    public function getData()
    {
        $this->validate('account');
        return $this->which();
    }

    public function sendData($data)
    {
        return $this->conclude(function () use ($data): Outcome {
            try {
                return $this->getClient()->status($this->getAccount(), $data);
            } catch (OrderNotFound | Unsupported $error) {
                return $this->known($data) ?? throw $error;
            }
        });
    }

    /** The last attempt at this order that the journal has. */
    private function known(array $which): ?Outcome
    {
        $filter = ['account' => $this->getAccount(), 'operation' => 'charge', 'order_id' => $which['order_id']];
        try {
            $intents = $this->getClient()->intents($filter);
        } catch (Error) {
            return null; // no journal
        }
        foreach ($intents as $intent) {
            if (!isset($which['reference']) || $intent['reference'] === $which['reference']) {
                return new Outcome(self::outcome($intent));
            }
        }
        return null;
    }

    private static function outcome(array $intent): array
    {
        $present = ['intent' => $intent['id'], 'status' => $intent['state'], 'review' => $intent['review'] ?? null];
        $own = array_intersect_key($intent, array_flip(['account', 'provider', 'operation', 'order_id', 'reference', 'amount']));
        return $present + ($intent['outcome'] ?? []) + $own;
    }
}
