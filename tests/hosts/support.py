"""What the Python tests share. They are started by tests/hosts/run, which gives the environment."""

import hashlib
import itertools
import json
import os
import time
import unittest
from pathlib import Path

import bayar
from sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ["BAYAR_TARGET"])
CONFIG = Path(os.environ["BAYAR_CONFIG"])
CONTROL = Sandbox(os.environ["BAYAR_SANDBOX"])
SERVER_KEY = "SB-Mid-server-EXAMPLE0000000000000000"

_numbers = itertools.count(1)


def new_order(prefix="PY"):
    """An order id that no other test and no other process has."""
    # Hexadecimal: a long decimal number may look like a card's, which the engine hides in logs.
    return f"{prefix}-{os.getpid()}-{time.time_ns():x}-{next(_numbers)}"


def charge(engine, order=None, **params):
    """A charge of 150 000 rupiah by BCA virtual account."""
    order = order or new_order()
    return engine.charge(
        "midtrans", {"order_id": order, "amount": 150000, "channel": "bca_va", **params}, key=order
    )


def signed(document, key):
    """A notification with its signature made anew, under any key."""
    text = document["order_id"] + document["status_code"] + document["gross_amount"] + key
    return {**document, "signature_key": hashlib.sha512(text.encode()).hexdigest()}


def body(document):
    return json.dumps(document).encode()


class Case(unittest.TestCase):
    """A test with an engine."""

    def setUp(self):
        self.engine = bayar.Engine(CONFIG)
        self.addCleanup(self.engine.close)

    def refused(self, code, action, *arguments, **named):
        """Does it and gives the error, which must have that code and its class."""
        with self.assertRaises(bayar.Error) as caught:
            action(*arguments, **named)
        error = caught.exception
        self.assertEqual(error.code, code, error)
        self.assertEqual(type(error).__name__, "".join(word.capitalize() for word in code.split("_")))
        return error
