<?php

declare(strict_types=1);

namespace Omnipay\Bayar;

use Omnipay\Common\Http\ClientInterface;

/** Stands where Omnipay has its HTTP client. The engine has its own. */
final class NoHttpClient implements ClientInterface
{
    public function request($method, $uri, array $headers = [], $body = null, $protocolVersion = '1.1')
    {
        throw new \LogicException('Bayar sends its requests itself, not by Omnipay');
    }
}
