<?php

declare(strict_types=1);

/**
 * Stands in for omnipay/common where that cannot be installed: of its documented interfaces what this
 * driver uses, with the behaviour that its requests rely on. Written for these tests; no part of it is
 * Omnipay's.
 */

namespace Omnipay\Common\Exception {
    interface OmnipayException extends \Throwable {}
    class InvalidRequestException extends \Exception implements OmnipayException {}
    class InvalidResponseException extends \Exception implements OmnipayException {}
    class RuntimeException extends \RuntimeException implements OmnipayException {}
}

namespace Omnipay\Common\Http {
    interface ClientInterface
    {
        public function request($method, $uri, array $headers = [], $body = null, $protocolVersion = '1.1');
    }
}

namespace Omnipay\Common {
    use Omnipay\Common\Exception\InvalidRequestException;
    use Omnipay\Common\Http\ClientInterface;
    use Symfony\Component\HttpFoundation\ParameterBag;
    use Symfony\Component\HttpFoundation\Request;

    /** Parameters, which arrive by the setters of their names; those without one are ignored. */
    trait Parameters
    {
        protected $parameters;

        public function initialize(array $parameters = [])
        {
            $this->parameters = new ParameterBag($this->defaults());
            foreach ($parameters as $name => $value) {
                $setter = 'set' . ucfirst($name);
                if (method_exists($this, $setter)) {
                    $this->$setter($value);
                }
            }
            return $this;
        }

        protected function defaults(): array
        {
            return [];
        }

        public function getParameters()
        {
            return $this->parameters->all();
        }

        protected function getParameter($key)
        {
            return $this->parameters->get($key);
        }

        protected function setParameter($key, $value)
        {
            $this->parameters->set($key, $value);
            return $this;
        }

        public function validate(...$names)
        {
            foreach ($names as $name) {
                if ($this->parameters->get($name) === null) {
                    throw new InvalidRequestException("The $name parameter is required");
                }
            }
        }
    }

    abstract class AbstractGateway
    {
        use Parameters {
            getParameter as public;
            setParameter as public;
        }

        protected $httpClient;
        protected $httpRequest;

        public function __construct(?ClientInterface $httpClient = null, ?Request $httpRequest = null)
        {
            $this->httpClient = $httpClient ?? $this->getDefaultHttpClient();
            $this->httpRequest = $httpRequest ?? Request::createFromGlobals();
            $this->initialize();
        }

        protected function defaults(): array
        {
            return $this->getDefaultParameters();
        }

        public function getDefaultParameters()
        {
            return [];
        }

        abstract protected function getDefaultHttpClient();

        abstract public function getName();

        public function getShortName()
        {
            return trim(strtr(substr(static::class, strlen('Omnipay\\'), -strlen('Gateway')), '\\', '_'), '_');
        }

        public function getTestMode()
        {
            return $this->getParameter('testMode');
        }

        public function setTestMode($value)
        {
            return $this->setParameter('testMode', $value);
        }

        public function getCurrency()
        {
            return strtoupper($this->getParameter('currency'));
        }

        public function setCurrency($value)
        {
            return $this->setParameter('currency', $value);
        }

        public function __call($name, $arguments)
        {
            if (!str_starts_with($name, 'supports')) {
                throw new \BadMethodCallException($name);
            }
            return method_exists($this, lcfirst(substr($name, strlen('supports'))));
        }

        protected function createRequest($class, array $parameters)
        {
            return (new $class($this->httpClient, $this->httpRequest))->initialize($parameters + $this->getParameters());
        }
    }

    final class CreditCard
    {
        public function __construct(private readonly array $details) {}

        public function getBillingName()
        {
            return trim(($this->details['firstName'] ?? '') . ' ' . ($this->details['lastName'] ?? ''));
        }

        public function getEmail()
        {
            return $this->details['email'] ?? null;
        }

        public function getBillingPhone()
        {
            return $this->details['phone'] ?? null;
        }
    }

    interface ItemInterface
    {
        public function getName();

        public function getDescription();

        public function getQuantity();

        public function getPrice();
    }

    final class Item implements ItemInterface
    {
        public function __construct(private readonly array $details) {}

        public function getName()
        {
            return $this->details['name'] ?? null;
        }

        public function getDescription()
        {
            return $this->details['description'] ?? null;
        }

        public function getQuantity()
        {
            return $this->details['quantity'] ?? null;
        }

        public function getPrice()
        {
            return $this->details['price'] ?? null;
        }
    }
}

namespace Omnipay\Common\Message {
    use Omnipay\Common\CreditCard;
    use Omnipay\Common\Exception\InvalidRequestException;
    use Omnipay\Common\Exception\RuntimeException;
    use Omnipay\Common\Http\ClientInterface;
    use Omnipay\Common\Item;
    use Omnipay\Common\Parameters;
    use Symfony\Component\HttpFoundation\RedirectResponse;
    use Symfony\Component\HttpFoundation\Request;

    interface MessageInterface
    {
        public function getData();
    }

    interface NotificationInterface extends MessageInterface
    {
        public const STATUS_COMPLETED = 'completed';
        public const STATUS_PENDING = 'pending';
        public const STATUS_FAILED = 'failed';

        public function getTransactionReference();

        public function getTransactionStatus();

        public function getMessage();
    }

    interface RequestInterface extends MessageInterface
    {
        public function initialize(array $parameters = []);

        public function getParameters();

        public function getResponse();

        public function send();

        public function sendData($data);
    }

    interface ResponseInterface extends MessageInterface
    {
        public function getRequest();

        public function isSuccessful();

        public function isRedirect();

        public function isCancelled();

        public function getMessage();

        public function getCode();

        public function getTransactionReference();
    }

    interface RedirectResponseInterface extends ResponseInterface
    {
        public function getRedirectUrl();

        public function getRedirectMethod();

        public function getRedirectData();

        public function redirect();
    }

    abstract class AbstractRequest implements RequestInterface
    {
        use Parameters {
            setParameter as private set;
        }

        protected $response;

        public function __construct(protected ClientInterface $httpClient, protected Request $httpRequest)
        {
            $this->initialize();
        }

        protected function setParameter($key, $value)
        {
            if ($this->response !== null) {
                throw new RuntimeException('a request does not change after it was sent');
            }
            return $this->set($key, $value);
        }

        public function send()
        {
            return $this->sendData($this->getData());
        }

        public function getResponse()
        {
            return $this->response ?? throw new RuntimeException('it was not sent');
        }

        /** In major units with the two decimals that ISO 4217 gives the rupiah. */
        public function getAmount()
        {
            $amount = $this->getParameter('amount');
            if ($amount === null) {
                return null;
            }
            if (is_int($amount)) {
                return intdiv($amount, 100) . sprintf('.%02d', $amount % 100);
            }
            if (!preg_match('/^([0-9]+)(?:\.([0-9]{1,2}))?$/D', $amount, $parts)) {
                throw new InvalidRequestException("the amount $amount is not one");
            }
            return $parts[1] . '.' . str_pad($parts[2] ?? '', 2, '0');
        }

        public function setAmount($value)
        {
            return $this->setParameter('amount', $value === null ? null : (string) $value);
        }

        /** In minor units. */
        public function setAmountInteger($value)
        {
            return $this->setParameter('amount', (int) $value);
        }

        public function getCurrency()
        {
            return $this->getParameter('currency');
        }

        public function setCurrency($value)
        {
            return $this->setParameter('currency', $value === null ? null : strtoupper($value));
        }

        public function setCard($value)
        {
            return $this->setParameter('card', is_array($value) ? new CreditCard($value) : $value);
        }

        public function getCard()
        {
            return $this->getParameter('card');
        }

        public function setItems($value)
        {
            return $this->setParameter('items', array_map(fn($item) => is_array($item) ? new Item($item) : $item, $value));
        }

        public function getItems()
        {
            return $this->getParameter('items');
        }

        public function getTestMode()
        {
            return $this->getParameter('testMode');
        }

        public function setTestMode($value)
        {
            return $this->setParameter('testMode', $value);
        }

        public function getDescription()
        {
            return $this->getParameter('description');
        }

        public function setDescription($value)
        {
            return $this->setParameter('description', $value);
        }

        public function getTransactionId()
        {
            return $this->getParameter('transactionId');
        }

        public function setTransactionId($value)
        {
            return $this->setParameter('transactionId', $value);
        }

        public function getTransactionReference()
        {
            return $this->getParameter('transactionReference');
        }

        public function setTransactionReference($value)
        {
            return $this->setParameter('transactionReference', $value);
        }

        public function getPaymentMethod()
        {
            return $this->getParameter('paymentMethod');
        }

        public function setPaymentMethod($value)
        {
            return $this->setParameter('paymentMethod', $value);
        }

        public function getReturnUrl()
        {
            return $this->getParameter('returnUrl');
        }

        public function setReturnUrl($value)
        {
            return $this->setParameter('returnUrl', $value);
        }

        public function getCancelUrl()
        {
            return $this->getParameter('cancelUrl');
        }

        public function setCancelUrl($value)
        {
            return $this->setParameter('cancelUrl', $value);
        }

        public function getNotifyUrl()
        {
            return $this->getParameter('notifyUrl');
        }

        public function setNotifyUrl($value)
        {
            return $this->setParameter('notifyUrl', $value);
        }
    }

    abstract class AbstractResponse implements ResponseInterface
    {
        public function __construct(protected RequestInterface $request, protected $data) {}

        public function getRequest()
        {
            return $this->request;
        }

        public function getData()
        {
            return $this->data;
        }

        public function getRedirectResponse()
        {
            return $this->isRedirect() ? new RedirectResponse($this->getRedirectUrl()) : throw new RuntimeException('it is no redirect');
        }

        public function redirect()
        {
            $this->getRedirectResponse()->send();
        }
    }
}

namespace Omnipay {
    final class Omnipay
    {
        public static function create(string $name, ...$arguments)
        {
            $class = "Omnipay\\$name\\Gateway";
            return new $class(...$arguments);
        }
    }
}
