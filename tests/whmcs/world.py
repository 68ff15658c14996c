"""What `run` has started, for the tests."""

import json
import time
import unittest

SHOP = None
DATABASE = None
TARGET = None


class Case(unittest.TestCase):
    """A test in the shop."""

    def setUp(self):
        self.shop = SHOP
        self.sandbox = SHOP.sandbox
        self.addCleanup(SHOP.sql, "DELETE FROM faults")
        self.addCleanup(self.no_complaints)

    def no_complaints(self):
        """PHP had nothing to say: no warning, no deprecation."""
        lines = [line for line in SHOP.errors().splitlines() if "] bayar: a callback is to be sent again" not in line]
        self.assertEqual(lines, [])

    def change(self, gateway="bayar", **settings):
        """Changes settings for this test."""
        before = {row["setting"]: row["value"] for row in SHOP.sql(f"SELECT setting, value FROM tblpaymentgateways WHERE gateway = '{gateway}'")}
        self.addCleanup(SHOP.set, gateway, **{name: before.get(name) for name in settings})
        SHOP.set(gateway, **settings)

    def paid(self, way="midtrans/bca_va", **invoice):
        """An invoice whose payment the payer has made, while the callback about it was lost; gives the
        invoice, its attempt and the callback."""
        number = SHOP.invoice(**invoice)
        with SHOP.unreachable():
            attempt = SHOP.pay(number, way)
            self.sandbox.act(attempt["order_id"], provider=attempt["account"])
        return number, attempt, self.sandbox.callback(attempt["order_id"], provider=attempt["account"])

    @staticmethod
    def instruction(attempt):
        return json.loads(attempt["instruction"])

    def credited(self, invoice, times=1, amount="150000.00"):
        """The invoice was credited so often, each time with that amount."""
        payments = SHOP.payments(invoice)
        self.assertEqual([payment["amountin"] for payment in payments], [amount] * times)
        self.assertEqual(SHOP.status(invoice), "Paid" if times else "Unpaid")
        return payments


def until(holds):
    """Waits until another program has done its part."""
    end = time.monotonic() + 30
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("not within 30 s")
        time.sleep(0.05)
