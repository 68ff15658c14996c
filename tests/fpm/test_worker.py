"""What one worker keeps from request to request, and what it must not pile up."""

import os
import re
import unittest
from pathlib import Path

import front
from place import Place
from shop import Shop, new_order

REQUESTS = 10_000
WARM = 1_000
CUSTOMER = {"name": "Budi Santoso", "phone": "081200000001", "email": "budi@example.com"}
FORGED = {"query": "", "headers": [("content-type", "application/json")], "body": '{"order_id":"INV-17","status_code":"200"}'}
#: How much more memory a worker may hold at the end than when it was warm, in KiB.
GROWTH = 2048


def setUpModule():
    global place
    place = Place(os.environ["BAYAR_TARGET"])
    unittest.addModuleCleanup(place.close)


class Connections(unittest.TestCase):
    """Counted where they arrive: at the provider's side, in front of which stands an nginx with TLS."""

    def charges(self, count, **params):
        """Has one worker make so many; gives the requests that arrived: connection, method, path."""
        here = place.path / self._testMethodName
        here.mkdir()
        authority = front.Authority(here / "authority")
        behind = place.sandbox.url.removeprefix("http://")
        nginx = place.nginx(here / "nginx", (front.TLS, {"behind": behind, "certificate": authority.certificate, "key": authority.key}))
        port = nginx.ports[0]
        config = place.config(url=f"https://127.0.0.1:{port}", ca_file=str(authority.file))
        master = place.master(here / "fpm", {"one": place.ffi(config)})
        with Shop(place, master, "one") as shop:
            made = [shop.charge(new_order(), **params) for _ in range(count)]
            self.assertEqual({one["answer"].get("status") for one in made}, {"pending"}, made[0])
            self.assertEqual({one["worker"] for one in made}, set(master.workers()))
            # One more, so that nginx has written of those before it.
            shop.charge(new_order(), **params)
        requests = nginx.requests(port)
        self.assertEqual(len({connection for connection, _, _ in requests}), 1, requests)
        return [path for _, _, path in requests]

    def test_a_hundred_charges_take_one_connection(self):
        paths = self.charges(100)
        self.assertEqual(paths[:100], ["/midtrans/v2/charge"] * 100)

    def test_a_session_outlives_its_request(self):
        paths = self.charges(100, account="klink", channel="va:014:BCAATM", customer=CUSTOMER)
        self.assertEqual(paths.count("/klink/auth/login"), 1)
        self.assertGreaterEqual(paths.count("/klink/api/pay_service"), 100)


class Memory(unittest.TestCase):
    def test_ten_thousand_requests(self):
        master = place.master("memory", {"one": place.ffi(place.config())})
        with Shop(place, master, "one", keep=True) as shop:
            [worker] = master.workers()
            self.requests(shop, WARM)
            before = held(worker), files(worker)
            self.requests(shop, REQUESTS - WARM)
            after = held(worker), files(worker)
        self.assertEqual(master.workers(), [worker], "it was one worker all the time")
        self.assertLessEqual(after[0], before[0] + GROWTH, "memory grew")
        self.assertEqual(after[1], before[1], "open files")

    def requests(self, shop, count):
        """One in four is a charge, one asks about it, and two are refused."""
        for _ in range(count // 4):
            order = new_order()
            self.assertEqual(shop.charge(order)["answer"]["status"], "pending")
            self.assertEqual(shop.status(order)["answer"]["status"], "pending")
            self.assertEqual(shop.charge(new_order(), amount=1.5)["answer"]["error"]["code"], "invalid_params")
            self.assertEqual(shop.callback(FORGED), 401)


def held(pid):
    """What it holds in memory, in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()).group(1))


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


if __name__ == "__main__":
    unittest.main()
