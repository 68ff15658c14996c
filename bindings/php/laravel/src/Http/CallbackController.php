<?php

declare(strict_types=1);

namespace Bayar\Laravel\Http;

use Bayar\Acknowledgement;
use Bayar\Callback;
use Bayar\CallbackIgnored;
use Bayar\CallbackRefused;
use Bayar\CallbackUnconfirmed;
use Bayar\Client;
use Bayar\Error;
use Bayar\InProgress;
use Bayar\Laravel\Payments;
use Bayar\UnknownAccount;
use Illuminate\Contracts\Container\Container;
use Illuminate\Foundation\Http\Middleware\VerifyCsrfToken;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Routing\Route;
use Illuminate\Routing\Router;

/** Receives providers' callbacks: Route::bayarCallback('callbacks/midtrans', 'midtrans'). */
final class CallbackController
{
    public function __construct(private readonly Container $container) {}

    /**
     * Registers the address of an account's callbacks.
     *
     * @param string $uri parameters are allowed; without $account one must be {account}
     */
    public static function route(Router $router, string $uri, ?string $account): Route
    {
        if ($account === null && !str_contains($uri, '{account}')) {
            throw new \InvalidArgumentException("Route::bayarCallback('$uri'): name the account, or put {account} into the address");
        }
        // The engine refuses the method that a provider does not use.
        $route = $router->match(['GET', 'POST'], $uri, [self::class, 'receive']);
        if ($account !== null) {
            $route->defaults('account', $account);
        }
        // A provider has no token; its signature is what counts.
        return $route->withoutMiddleware(VerifyCsrfToken::class);
    }

    public function receive(Request $request): Response
    {
        try {
            // Made here: a client that cannot be opened is trouble that may pass, too.
            $callback = $this->verify($this->container->make(Client::class), $request);
            $this->container->make(Payments::class)->tell($callback->outcome);
            return self::answer($callback->acknowledgement);
        } catch (CallbackRefused | CallbackIgnored | CallbackUnconfirmed | InProgress $expected) {
            return self::answer($expected->acknowledgement ?? self::tryAgain());
        } catch (UnknownAccount) {
            return self::answer(new Acknowledgement(404, '{"status":"unknown account"}'));
        } catch (\Throwable $failure) {
            report($failure);
            return self::answer(($failure instanceof Error ? $failure->acknowledgement : null) ?? self::tryAgain());
        }
    }

    private function verify(Client $client, Request $request): Callback
    {
        return $client->callback(
            (string) $request->route('account'),
            $request->getContent(),
            $request->headers->all(),
            // As it was sent: getQueryString() sorts it and writes it anew.
            (string) $request->server('QUERY_STRING'),
            $request->ip(),
            $request->getRealMethod(),
            $request->getPathInfo(),
        );
    }

    private static function tryAgain(): Acknowledgement
    {
        return new Acknowledgement(503, '{"status":"try again"}');
    }

    private static function answer(Acknowledgement $acknowledgement): Response
    {
        return new Response($acknowledgement->body, $acknowledgement->status, ['Content-Type' => $acknowledgement->contentType]);
    }
}
