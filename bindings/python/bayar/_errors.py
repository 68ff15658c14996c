"""Errors: one class for every code of the C ABI, made from one table."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Type

#: Every code below 0 of ``bayar_code``, by the name that documents use.
CODES: Dict[str, int] = {
    "invalid_argument": -1,
    "abi_mismatch": -2,
    "invalid_config": -3,
    "config_exposed": -4,
    "unknown_account": -5,
    "unsupported": -6,
    "invalid_params": -7,
    "conflict": -8,
    "in_progress": -9,
    "internal": -10,
    "not_found": -20,
    "untrusted": -21,
    "hash": -22,
    "truncated": -23,
    "wrong_machine": -24,
    "dlopen": -25,
    "not_a_provider": -26,
    "incompatible": -27,
    "plugin_failed": -28,
    "network": -40,
    "tls": -41,
    "timeout": -42,
    "protocol": -43,
    "forbidden_origin": -44,
    "too_many_exchanges": -45,
    "rejected": -60,
    "unauthorized": -61,
    "order_not_found": -62,
    "not_possible": -63,
    "outcome_unknown": -64,
    "callback_refused": -80,
    "callback_ignored": -81,
    "callback_unconfirmed": -82,
    "journal_unavailable": -100,
    "journal_forked": -101,
    "journal_open_elsewhere": -102,
}


class Error(Exception):
    """Why there is no outcome.

    ``document`` is the whole of it; the attributes below are its parts, ``None`` where it
    has none. Credentials are removed from it by the engine.
    """

    #: The reason, for programs: ``invalid_params``.
    code: str
    #: The reason, for people: what was found, what is allowed.
    message: str
    #: ``not_sent``, ``maybe_sent`` or ``answered``: how far the request got.
    stage: str
    #: Whether the same call, with the same key, may safely be made again now.
    retry: bool
    #: What to do, in a sentence.
    advice: str
    #: The parameter or setting concerned: ``items[0].price``.
    field: Optional[str]
    #: The engine's id of the call.
    intent: Optional[str]
    #: What the provider knows, or may know, the order by.
    reference: Optional[str]
    #: What to answer the provider, where a callback failed: ``{status, body, content_type}``.
    acknowledgement: Optional[Dict[str, Any]]
    #: The outcome, where the provider answered and only the journal failed.
    outcome: Optional[Dict[str, Any]]
    #: What the provider said: ``{code, message, http_status}``.
    provider: Optional[Dict[str, Any]]

    def __init__(self, document: Dict[str, Any]) -> None:
        super().__init__(document)
        self.document = document
        self.code = document["code"]
        self.message = document["message"]
        self.stage = document.get("stage", "not_sent")
        self.retry = bool(document.get("retry", False))
        self.advice = document.get("advice", "")
        for name in ("field", "intent", "reference", "acknowledgement", "outcome", "provider"):
            setattr(self, name, document.get(name))

    def __str__(self) -> str:
        end = "" if self.message.endswith((".", "?", "!")) else "."
        return f"{self.code}: {self.message}{end} {self.advice}".rstrip()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stage} {str(self)!r}>"


def class_name(code: str) -> str:
    """``outcome_unknown`` → ``OutcomeUnknown``; ``timeout`` keeps clear of Python's own names."""
    return "".join(word.capitalize() for word in code.split("_"))


def _class(code: str) -> Type[Error]:
    return type(class_name(code), (Error,), {"__doc__": f"The code ``{code}``.", "__module__": "bayar"})


#: The class of every code.
CLASSES: Dict[str, Type[Error]] = {code: _class(code) for code in CODES}
globals().update({cls.__name__: cls for cls in CLASSES.values()})


class LibraryNotFound(Error):
    """No usable libbayar.so was found; the message names what was tried."""


def error_of(document: Dict[str, Any]) -> Error:
    """The exception of an error document. A code of a newer library is a plain ``Error``."""
    return CLASSES.get(document.get("code", ""), Error)(document)


def refused(code: str, message: str, advice: str, field: Optional[str] = None) -> Error:
    """An error of the binding itself, before the library was called."""
    document: Dict[str, Any] = {"code": code, "message": message, "stage": "not_sent", "retry": False}
    document["advice"] = advice
    if field is not None:
        document["field"] = field
    return CLASSES.get(code, LibraryNotFound)(document)


__all__: List[str] = ["Error", "LibraryNotFound", *(cls.__name__ for cls in CLASSES.values())]
