"""The engine as Python sees it."""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, TypeVar, Union

from . import _native
from ._errors import error_of, refused

_T = TypeVar("_T")

Params = Optional[Mapping[str, Any]]
Headers = Union[Mapping[str, str], Iterable[Tuple[str, str]]]

_logger = logging.getLogger("bayar")
_LEVELS = {"ERROR": logging.ERROR, "WARN": logging.WARNING, "INFO": logging.INFO}


class Outcome(Dict[str, Any]):
    """What a call or a callback concluded: the document as a dict, its fields as attributes too.

    A field that the document does not have reads as ``None``. The repr leaves out what the
    provider answered (``raw``, ``data``) and what the payer was given.
    """

    account: str
    provider: str
    operation: str
    #: The engine's id of this call.
    intent: str
    #: The host's own id of the order.
    order_id: Optional[str]
    #: What the provider knows the order by.
    reference: Optional[str]
    provider_reference: Optional[str]
    tenant: Optional[str]
    #: pending authorized paid failed expired cancelled partially_refunded refunded disputed
    #: unknown; ``done`` for what is not a charge.
    status: str
    #: Whole rupiah.
    amount: Optional[int]
    #: What the payer was told to pay, in whole rupiah.
    payable_amount: Optional[int]
    #: A decimal as text.
    fee: Optional[str]
    #: What the payer needs, by its ``kind``.
    instruction: Optional[Dict[str, Any]]
    delivery: Optional[Dict[str, Any]]
    #: RFC 3339, Jakarta time.
    expires_at: Optional[str]
    evidence: str
    #: Why a person should look before money is credited. Credit nothing while it is there.
    review: Optional[str]
    data: Any
    raw: Any
    #: What to answer the provider, of a callback: ``{status, body, content_type}``.
    acknowledgement: Optional[Dict[str, Any]]

    def __getattr__(self, name: str) -> Any:
        if name in Outcome.__annotations__:
            return self.get(name)
        raise AttributeError(f"an outcome has no field {name!r}")

    def __repr__(self) -> str:
        shown = ("account", "operation", "order_id", "status", "amount", "evidence", "review")
        return "<Outcome " + " ".join(f"{name}={self[name]!r}" for name in shown if name in self) + ">"


class Claim(Dict[str, Any]):
    """A claim on an effect: the host's own action because something was paid, such as crediting an
    invoice. The document as a dict, its fields as attributes too."""

    intent: str
    effect: str
    #: claimed, released, or confirmed.
    state: str
    #: Whether this caller is to apply the effect now.
    granted: bool
    #: The same for every claim of this effect: what the host applies once.
    transaction_id: str
    #: Which claim of this effect it is.
    fence: int
    #: Until when it holds, in milliseconds since 1970-01-01 UTC; 0 where it is over.
    lease_ms: int

    def __getattr__(self, name: str) -> Any:
        if name in Claim.__annotations__:
            return self.get(name)
        raise AttributeError(f"a claim has no field {name!r}")

    def __repr__(self) -> str:
        shown = ("intent", "effect", "state", "granted", "transaction_id", "fence")
        return "<Claim " + " ".join(f"{name}={self[name]!r}" for name in shown if name in self) + ">"


class Request:
    """A request that the host is to send: without following redirects, and only once."""

    __slots__ = ("seq", "method", "url", "headers", "body", "moves", "fresh", "timeout", "body_cap")

    def __init__(self, document: Dict[str, Any], body: bytes) -> None:
        self.seq: int = document["seq"]
        self.method: str = document["method"]
        self.url: str = document["url"]
        self.headers: List[Tuple[str, str]] = [(name, value) for name, value in document["headers"]]
        self.body = body
        #: Whether it moves money or goods.
        self.moves: bool = document["moves"]
        #: Whether a kept connection that may be half closed must not be used.
        self.fresh: bool = document["fresh"]
        #: Seconds until the whole call is over.
        self.timeout: float = document["timeout_ms"] / 1000
        #: The largest body of an answer, in bytes.
        self.body_cap: int = document["body_cap"]

    def __repr__(self) -> str:  # the headers hold credentials
        return f"<Request {self.seq} {self.method} {self.url.split('?')[0]} {len(self.body)} bytes>"


class Wait:
    """Nothing to send now: call ``next`` again after ``seconds``."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"<Wait {self.seconds}s>"


class Engine:
    """An engine, opened from a configuration.

    ``config`` is a dict, TOML or JSON text, or the path of a file: an ``os.PathLike``, or a
    ``str`` that ends in ``.toml`` or ``.json``. May be used from many threads, and goes on
    working in a forked child. ``library`` is the absolute path of libbayar.so, where it is
    not to be looked for.

    Opening loads plugins and checks the settings; it connects to nothing. Raises
    :class:`bayar.InvalidConfig` and others, naming the setting.
    """

    def __init__(
        self, config: Union[str, "os.PathLike[str]", Mapping[str, Any]], *, library: Optional[str] = None
    ) -> None:
        self._held: Optional[_native.Held] = None
        self._library = _native.load(library)
        text = _config(config)
        handle = self._library.make("bayar_engine_open", _native.ABI, text, len(text))
        self._held = _native.Held(handle, self._library.c.bayar_engine_free)

    @classmethod
    def open(
        cls, config: Union[str, "os.PathLike[str]", Mapping[str, Any]], *, library: Optional[str] = None
    ) -> "Engine":
        """The same as ``Engine(config)``."""
        return cls(config, library=library)

    def call(
        self,
        account: str,
        operation: str,
        params: Params = None,
        *,
        key: Optional[str] = None,
        tenant: Optional[str] = None,
        reference: Optional[str] = None,
        deadline_ms: Optional[int] = None,
    ) -> Outcome:
        """Calls an operation of an account and waits for its end.

        ``key`` is the host's own key of this payment, the same for every attempt at it;
        operations that move money need one. ``reference`` is what the provider is to know the
        order by, ``tenant`` a scope of the host's keys.

        Raises :class:`bayar.Error`; its ``stage`` says whether the request may have been sent.
        """
        text = _params(params, key=key, tenant=tenant, reference=reference, deadline_ms=deadline_ms)
        return Outcome(
            self._run(
                "bayar_call", _native.name(account, "account"), _native.name(operation, "operation"), *text
            )
        )

    def charge(self, account: str, params: Params = None, **own: Any) -> Outcome:
        """Asks a payer for money. See :meth:`call` for ``own``."""
        return self.call(account, "charge", params, **own)

    def status(self, account: str, params: Params = None, **own: Any) -> Outcome:
        """Asks the provider what became of a payment."""
        return self.call(account, "status", params, **own)

    def cancel(self, account: str, params: Params = None, **own: Any) -> Outcome:
        """Withdraws a payment."""
        return self.call(account, "cancel", params, **own)

    def refund(self, account: str, params: Params = None, **own: Any) -> Outcome:
        """Gives money back."""
        return self.call(account, "refund", params, **own)

    def channels(self, account: str, params: Params = None, **own: Any) -> Outcome:
        """Lists the ways to pay, in ``data``."""
        return self.call(account, "channels", params, **own)

    def callback(
        self,
        account: str,
        *,
        headers: Headers = (),
        query: str = "",
        body: bytes = b"",
        remote_addr: Optional[str] = None,
        method: str = "POST",
        path: str = "",
    ) -> Outcome:
        """Receives a provider's callback, exactly as it came: raw query, raw body.

        Returns an outcome only if the callback is proven genuine. Answer the provider with
        ``outcome.acknowledgement``, or with that of the :class:`bayar.Error` that is raised
        otherwise, and credit nothing then.
        """
        envelope = _envelope(headers, query, body, remote_addr, method, path)
        return Outcome(self._run("bayar_callback", _native.name(account, "account"), *envelope))

    def claim(self, intent: str, effect: str, *, lease_seconds: Optional[int] = None) -> Claim:
        """Takes on an effect of what was paid, so that one caller applies it: ``claim(outcome.intent, "credit")``.

        Apply it where ``granted`` is true, under the ``transaction_id``, then :meth:`confirm`. Where
        it is false, it was applied before. A caller that dies loses the claim after
        ``lease_seconds`` (60), and the next one gets the same ``transaction_id``.

        Raises :class:`bayar.InProgress` where another caller holds it, :class:`bayar.NotPossible`
        where nothing was paid, or a person should look first.
        """
        return self._own(Claim, "claim", {"intent": intent, "effect": effect, "lease_seconds": lease_seconds})

    def confirm(self, claim: Mapping[str, Any]) -> Claim:
        """The effect was applied; it is never granted again.

        Raises :class:`bayar.NotPossible` where the claim ran out and another caller took it on.
        """
        return self._own(Claim, "confirm", _claimed(claim))

    def release(self, claim: Mapping[str, Any]) -> Claim:
        """The effect was not applied: another caller may claim it at once."""
        return self._own(Claim, "release", _claimed(claim))

    def recover(
        self, account: Optional[str] = None, *, now: bool = False, limit: Optional[int] = None
    ) -> Dict[str, Any]:
        """Looks at payments whose end nobody heard, and asks the providers. To be called every few minutes.

        ``now`` also looks at those whose time has not come yet, ``limit`` at so many at most (1000).
        Gives ``{looked, settled, waiting, review, failed, intents: […]}``.
        """
        return self._own(dict, "recover", {"account": account, "now": now, "limit": limit})

    def intents(
        self,
        *,
        state: Optional[str] = None,
        review: bool = False,
        unconfirmed: Optional[str] = None,
        account: Optional[str] = None,
        operation: Optional[str] = None,
        order_id: Optional[str] = None,
        tenant: Optional[str] = None,
        since_ms: Optional[int] = None,
        until_ms: Optional[int] = None,
        after: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> List[Dict[str, Any]]:
        """Payments and other calls in the journal, newest first, 100 unless ``limit`` says otherwise.

        ``review``: only those that wait for a person. ``unconfirmed``: only those that are paid and wait for no
        person, while their effect of this name (``"credit"``) is not confirmed. ``since_ms``, ``until_ms``: made from and before
        these moments, in milliseconds since 1970-01-01 UTC. ``after``: the ``id`` of the last one of
        the page before.
        """
        wanted = {
            "state": state,
            "review": review,
            "unconfirmed": unconfirmed,
            "account": account,
            "operation": operation,
            "order_id": order_id,
            "tenant": tenant,
            "since_ms": since_ms,
            "until_ms": until_ms,
            "after": after,
            "limit": limit,
        }
        return self._own(dict, "intents", wanted)["intents"]

    def intent(self, intent: str) -> Dict[str, Any]:
        """One of them with all that is known of it: ``{intent, params, attempts, events, effects, audit}``."""
        return self._own(dict, "intent", {"intent": intent})

    def describe(self, account: Optional[str] = None) -> Dict[str, Any]:
        """What an account is and can do; without one: the engine, every account and every plugin."""
        return self._run("bayar_describe", None if account is None else _native.name(account, "account"))

    def start(
        self,
        account: str,
        operation: str,
        params: Params = None,
        *,
        key: Optional[str] = None,
        tenant: Optional[str] = None,
        reference: Optional[str] = None,
        deadline_ms: Optional[int] = None,
    ) -> "Operation":
        """Starts a call whose HTTP the host sends itself. Parameters as for :meth:`call`."""
        text = _params(params, key=key, tenant=tenant, reference=reference, deadline_ms=deadline_ms)
        return self._start(
            "bayar_op_start", _native.name(account, "account"), _native.name(operation, "operation"), *text
        )

    def start_callback(
        self,
        account: str,
        *,
        headers: Headers = (),
        query: str = "",
        body: bytes = b"",
        remote_addr: Optional[str] = None,
        method: str = "POST",
        path: str = "",
    ) -> "Operation":
        """Starts receiving a callback whose confirming query the host sends itself."""
        return self._start(
            "bayar_op_callback",
            _native.name(account, "account"),
            *_envelope(headers, query, body, remote_addr, method, path),
        )

    def close(self) -> None:
        """Lets go of the handle; calls that other threads are in come to their end first."""
        self._held = None

    @property
    def version(self) -> str:
        """The version of the library."""
        return self._library.version

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bayar.Engine {self.version}{'' if self._held else ' closed'}>"

    def _own(self, kind: Callable[[Dict[str, Any]], _T], operation: str, params: Dict[str, Any]) -> _T:
        """An operation of the engine itself; what it gives."""
        given = {name: value for name, value in params.items() if value is not None}
        return kind(self.call("bayar", operation, given)["data"])

    def _run(self, function: str, *arguments: Any) -> Dict[str, Any]:
        held = self._living()
        try:
            return self._library.call(function, held.pointer, *arguments)
        finally:
            _drain(self._library, held)

    def _start(self, function: str, *arguments: Any) -> "Operation":
        held = self._living()
        try:
            return Operation(self._library, held, self._library.make(function, held.pointer, *arguments))
        finally:
            _drain(self._library, held)

    def _living(self) -> _native.Held:
        held = self._held
        if held is None:
            raise refused("invalid_argument", "the engine is closed", "Open another one.", "engine")
        return held


class Operation:
    """An operation whose HTTP the host sends: ask :meth:`next` what to do until it gives an outcome.

        while True:
            step = operation.next()
            if isinstance(step, bayar.Outcome):
                break
            if isinstance(step, bayar.Request):
                operation.response(step, *send(step))   # or operation.failure(step, bayar.MAYBE_SENT)

    From one thread at a time. Letting it go when a request was handed out and not answered
    records that the request may have been sent.
    """

    def __init__(self, library: _native.Library, engine: _native.Held, pointer: Any) -> None:
        self._library = library
        # Kept for its log; an operation does not need its engine.
        self._engine = engine
        self._held: Optional[_native.Held] = _native.Held(pointer, library.c.bayar_op_free)
        self._busy = threading.Lock()

    def next(self) -> Union[Request, Wait, Outcome]:
        """What to do next. Raises :class:`bayar.Error` where the operation ended in one."""
        status, document, body = self._step("bayar_op_next")
        if status == _native.NEED_HTTP:
            return Request(document, body)
        if status == _native.WAIT:
            return Wait(document["after_ms"] / 1000)
        return Outcome(document)

    def response(self, request: Request, status: int, headers: Headers = (), body: bytes = b"") -> None:
        """The whole response, its body after content decoding. Cut short it is a :meth:`failure`."""
        headers_text = _native.text(_pairs(headers), "headers")
        self._step("bayar_op_response", request.seq, status, *headers_text, *_bytes(body))

    def failure(self, request: Request, sent: int, message: str = "no reason given") -> None:
        """There is no whole response. ``sent`` is ``bayar.NOT_SENT`` if certainly no byte of the
        request was written, else ``bayar.MAYBE_SENT``."""
        self._step("bayar_op_failure", request.seq, sent, _native.name(message, "message"))

    def close(self) -> None:
        """Lets go of the operation."""
        self._held = None

    def __enter__(self) -> "Operation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self, function: str, *arguments: Any) -> Tuple[int, Dict[str, Any], bytes]:
        if not self._busy.acquire(blocking=False):
            raise refused(
                "invalid_argument",
                "another thread is using this operation",
                "Use an operation from one thread at a time.",
                "op",
            )
        try:
            held = self._held
            if held is None:
                raise refused("invalid_argument", "the operation is closed", "Start another one.", "op")
            return self._library.step(function, held.pointer, *arguments)
        finally:
            self._busy.release()
            _drain(self._library, self._engine)


def _claimed(claim: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: claim[name] for name in ("intent", "effect", "fence")}


def _config(config: Union[str, "os.PathLike[str]", Mapping[str, Any]]) -> bytes:
    if isinstance(config, os.PathLike):
        return json.dumps({"file": os.path.abspath(os.fspath(config))}).encode()
    if isinstance(config, str):
        is_path = config.endswith((".toml", ".json")) and "\n" not in config
        return json.dumps({"file": os.path.abspath(config)}).encode() if is_path else config.encode()
    if isinstance(config, Mapping):
        return json.dumps(dict(config)).encode()
    raise TypeError(f"a configuration is a dict, a text or a path, not {type(config).__name__}")


def _params(params: Params, **own: Any) -> Tuple[bytes, int]:
    """The host's parameters with the engine's own (``key`` and its like) put in."""
    document = dict(params or {})
    for name, value in own.items():
        if value is None:
            continue
        if name in document:
            raise refused(
                "invalid_params",
                f"{name} is given twice",
                f"Give {name} in the parameters or beside them.",
                name,
            )
        document[name] = value
    return _native.text(document, "params")


def _envelope(
    headers: Headers, query: str, body: bytes, remote_addr: Optional[str], method: str, path: str
) -> Tuple[Any, ...]:
    document = {
        "method": method,
        "path": path,
        "query": query,
        "headers": _pairs(headers),
        "remote_addr": remote_addr,
    }
    return (*_native.text(document, "envelope"), *_bytes(body))


def _pairs(headers: Any) -> List[Tuple[str, str]]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    return [(_latin(name), _latin(value)) for name, value in pairs]


def _latin(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> Tuple[bytes, int]:
    if isinstance(body, str):
        raise TypeError("a body is bytes, exactly as received: decoding it may have changed what was signed")
    body = bytes(memoryview(body))
    return body, len(body)


def _drain(library: _native.Library, held: _native.Held) -> None:
    """Passes the records of a handle on to the logger ``bayar``. Never by a C callback: that
    would run host code in the middle of a call."""
    if not _logger.isEnabledFor(logging.ERROR):
        return
    report = library.call("bayar_drain_log", held.pointer)
    for record in report["records"]:
        _logger.log(
            _LEVELS.get(record["level"], logging.DEBUG), "%s: %s", record["target"], record["message"]
        )
    if report["dropped"]:
        _logger.warning("bayar: %d records were dropped", report["dropped"])
