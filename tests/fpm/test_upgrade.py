"""A new version of the library under running pools: no worker dies, no request is lost."""

import os
import subprocess
import threading
import unittest
from pathlib import Path

from place import Place
from shop import Shop, new_order

CALLERS = 3
#: How many orders the callers make before the upgrade, and again after it.
ORDERS = 60


class Load:
    """Callers that charge without a pause, until they are told to end."""

    def __init__(self, place, master):
        self._place, self._master = place, master
        self.made, self.failed = {}, []
        self._changed, self._ends = threading.Condition(), False
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _call(self):
        while not self._ends:
            order = new_order()
            try:
                answer = Shop(self._place, self._master, "shop").charge(order)
            except Exception as error:  # noqa: BLE001 whatever it is, a request was lost
                answer = {"worker": None, "answer": {"error": repr(error)}}
            with self._changed:
                self.made[order] = answer
                if answer["answer"].get("status") != "pending":
                    self.failed.append(answer)
                self._changed.notify_all()

    def more(self, workers=None):
        """Waits for more orders: so many, made by these workers."""

        def count():
            return sum(workers is None or one["worker"] in workers for one in self.made.values())

        with self._changed:
            wanted = count() + ORDERS
            return self._changed.wait_for(lambda: self.failed or count() >= wanted, timeout=60)

    def end(self):
        self._ends = True
        for thread in self._threads:
            thread.join()


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.place = Place(os.environ["BAYAR_TARGET"])
        self.addCleanup(self.place.close)

    def test_a_new_release_of_the_package(self):
        """The new one lies beside the old one, `current` names it, and PHP-FPM is reloaded."""
        place, current = self.place, self.place.path / "current"
        for number in (1, 2):
            place.pack(place.checkout(f"release{number}"), f"0.1.{number}")
        current.symlink_to("release1/bindings/php")
        pool = {"env[BAYAR_CONFIG]": place.config(), "env[BAYAR_PHP]": current, "pm.max_children": 2}
        master = place.master("fpm", {"shop": pool}, ini=place.preload(current / "bayar-preload.php"))

        def upgrade():
            (place.path / "next").symlink_to("release2/bindings/php")
            (place.path / "next").rename(current)

        self.upgraded(master, upgrade, "libbayar-0.1.1.so", "libbayar-0.1.2.so")

    def test_installed_over_the_old_one(self):
        """As `make install` does it: what running workers have mapped is not touched."""
        place, installed = self.place, self.place.path / "installed.so"
        subprocess.run(["cp", place.library, installed], check=True)
        pool = place.ffi(place.config()) | {"env[BAYAR_LIB]": installed, "pm.max_children": 2}
        master = place.master("fpm", {"shop": pool})
        before = str(installed.stat().st_ino)

        def upgrade():
            subprocess.run(["cp", "-a", "--remove-destination", place.library, installed], check=True)

        self.upgraded(master, upgrade, before, lambda: str(installed.stat().st_ino))

    def upgraded(self, master, upgrade, before, after):
        """`before` and `after` name the library in the workers' maps."""
        load = Load(self.place, master)
        try:
            load.more()
            old = set(master.workers())
            self.assertEqual({before in maps(pid) for pid in old}, {True})
            upgrade()
            # Until the reload the old workers go on with what they have.
            load.more(old)
            self.assertEqual(set(master.workers()), old, "a worker died")
            master.reload()
            new = set(master.workers()) - old
            load.more(new)
        finally:
            load.end()
        self.assertEqual(load.failed, [])
        after = after() if callable(after) else after
        for pid in new:
            self.assertIn(after, maps(pid))
            self.assertNotIn(before, maps(pid))
        executed = {order["order_id"]: order["executed"] for order in self.place.control.get("orders?provider=midtrans")}
        self.assertEqual(executed, {order: {"charge": 1} for order in load.made})
        self.assertNotIn("exited on signal", master.said())


def maps(pid):
    return Path(f"/proc/{pid}/maps").read_text()


if __name__ == "__main__":
    unittest.main()
