"""Workers are killed while a provider is at work on their requests. Afterwards each order is what
recovery makes of it, and none was carried out twice."""

import os
import signal
import sys
import threading
import unittest

import fastcgi
from place import ROOT, Place
from shop import LIMIT, Shop, new_order, until

sys.path.insert(0, str(ROOT / "tests/faults"))

import operations  # noqa: E402
from recovered import RECOVERED  # noqa: E402

KINDS = [kind for kind in operations.ALL if kind.name in ("midtrans charge", "ipaymu direct", "biller purchase")]
#: Longer than any test: a provider that has the request and does not answer.
HANGS_MS = 120_000


class Caller(threading.Thread):
    """A shop's customer who waits for the answer; `broken` once the connection ended without one."""

    def __init__(self, shop, kind, order, executes):
        super().__init__(daemon=True)
        self.shop, self.kind, self.order, self.executes = shop, kind, order, executes
        self.answer, self.broken = None, False

    def run(self):
        try:
            self.answer = self.call()
        except fastcgi.Broken:
            self.broken = True

    def call(self):
        kind = self.kind
        return self.shop.do("call", account=kind.account, operation=kind.operation, params=kind.params(self.order), key=f"key-{self.order}")["answer"]


class Kills(unittest.TestCase):
    def setUp(self):
        # What may not be repeated is carried out again here, if it is sent again.
        self.place = place = Place(os.environ["BAYAR_TARGET"], "biller.repeated_trxid=execute")
        self.addCleanup(place.close)
        own = place.ffi(place.config(deadline_ms=3000))
        self.master = place.master("fpm", {"shop": {**own, "pm.max_children": 2 * len(KINDS)}})

    def test_each_order_once(self):
        callers = [self.in_flight(kind, when) for kind in KINDS for when in ("before", "after")]
        for pid in self.master.workers():
            os.kill(pid, signal.SIGKILL)
        for caller in callers:
            caller.join(LIMIT)
            self.assertTrue(caller.broken, f"{caller.kind}: {caller.answer}")
        # A second try at once: the dead worker's lease still holds, and nothing is sent.
        self.assertEqual({caller.call()["error"]["code"] for caller in callers}, {"in_progress"})
        self.recovered(callers)
        for caller in callers:
            with self.subTest(kind=caller.kind.name, executed=caller.executes):
                self.judge(caller)

    def in_flight(self, kind, when):
        """A call whose request the provider has; it has carried it out (`after`) or will not (`before`)."""
        status, fault = self.place.control.ask("POST", "faults", {"fault": "delay", "ms": HANGS_MS, "provider": kind.account, "when": when})
        self.assertEqual(status, 200, fault)
        caller = Caller(Shop(self.place, self.master, "shop"), kind, new_order(), when == "after")
        caller.start()
        until(lambda: self.arrived(caller) and kind.executed(self, caller.order) == caller.executes, f"{kind} arrives")
        return caller

    def arrived(self, caller):
        entries = self.place.control.get(f"requests?direction=in&provider={caller.kind.account}")
        return any(caller.order in entry["path"] + entry["query"] + entry["body"] for entry in entries)

    def executed(self, provider, operation, name):
        """How often the provider carried it out."""
        status, order = self.place.control.ask("GET", f"{provider}/{name}")
        return order["executed"].get(operation, 0) if status == 200 else 0

    def recovered(self, callers):
        """Has recovery look at all of them, as soon as the leases of the dead are over."""
        shop, left = Shop(self.place, self.master, "shop"), {caller.order for caller in callers}

        def none_left():
            left.difference_update(one["reference"] for one in shop.recover()["intents"])
            return not left

        until(none_left, f"recovery looks at {left}")

    def judge(self, caller):
        kind, shop = caller.kind, caller.shop
        state, review = RECOVERED[kind.settles, caller.executes]
        [intent] = shop.intents(order_id=caller.order)
        self.assertEqual((intent["state"], intent.get("review") is not None), (state.format(fine=kind.fine), review))
        self.assertEqual(kind.executed(self, caller.order), caller.executes)
        # The customer comes back, and is told what is known; nothing is sent again.
        again = caller.call()
        self.assertEqual(again.get("status") or again["error"]["code"], kind.fine if state == "{fine}" else "outcome_unknown")
        self.assertEqual(kind.executed(self, caller.order), caller.executes)


if __name__ == "__main__":
    unittest.main()
