"""Bayar: a payment engine that a billing system embeds.

    import bayar

    engine = bayar.Engine({"file": "/etc/bayar/bayar.toml"})
    outcome = engine.charge("midtrans", {"order_id": "INV-17", "amount": 150000}, key="invoice-17-attempt-1")
    print(outcome.status, outcome.instruction)

Whatever is not an outcome is an exception, a subclass of :class:`bayar.Error` for every code:
``except bayar.OutcomeUnknown``. Its ``stage`` says whether the request may have reached the
provider, its ``advice`` what to do.
"""

from ._engine import Claim, Engine, Operation, Outcome, Request, Wait
from ._errors import *  # noqa: F403  (Error, and a class for every code)
from ._errors import __all__ as _error_names
from ._native import MAYBE_SENT, NOT_SENT

__all__ = ["Claim", "Engine", "MAYBE_SENT", "NOT_SENT", "Operation", "Outcome", "Request", "Wait", *_error_names]
