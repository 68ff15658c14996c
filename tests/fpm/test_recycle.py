"""Workers that end after so many requests, under load: nothing is lost and nothing done twice."""

import os
import unittest
from concurrent.futures import ThreadPoolExecutor

from place import Place
from shop import Shop, new_order

WORKERS = 4
ORDERS = 120


class Recycle(unittest.TestCase):
    def test_every_order_once_whenever_workers_end(self):
        place = Place(os.environ["BAYAR_TARGET"])
        self.addCleanup(place.close)
        for requests in (1, 2, 7, 20):
            with self.subTest(max_requests=requests):
                self.load(place, requests)

    def load(self, place, requests):
        own = place.ffi(place.config())
        master = place.master(f"after{requests}", {"shop": {**own, "pm.max_children": WORKERS, "pm.max_requests": requests}})
        orders = [new_order() for _ in range(ORDERS)]
        with ThreadPoolExecutor(WORKERS + 2) as callers:
            made = list(callers.map(lambda order: Shop(place, master, "shop").charge(order), orders))
        self.assertEqual({one["answer"].get("status") for one in made}, {"pending"}, made)
        # The load must have met the ends of workers.
        self.assertGreaterEqual(len({one["worker"] for one in made}), ORDERS // requests)
        executed = {order["order_id"]: order["executed"] for order in place.control.get("orders?provider=midtrans")}
        self.assertEqual([executed[order] for order in orders], [{"charge": 1}] * ORDERS)
        kept = Shop(place, master, "shop").intents()
        self.assertEqual(sorted((one["order_id"], one["state"]) for one in kept), sorted((order, "pending") for order in orders))


if __name__ == "__main__":
    unittest.main()
