"""opcache.preload: what of the engine is in the master, and that no worker uses what crossed the fork."""

import os
import unittest
from pathlib import Path

import fastcgi
import front
from place import Place
from shop import Shop, new_order

#: A preload file as nobody should write one: it charges in the master.
OPENS = """<?php
require '{package}/bayar.php';
putenv('BAYAR_LIB={library}');
$order = 'MASTER';
Bayar\\Client::open('{config}')->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], "key-$order");
"""


def setUpModule():
    global place
    place = Place(os.environ["BAYAR_TARGET"])
    unittest.addModuleCleanup(place.close)


class Preload(unittest.TestCase):
    def test_the_master_holds_nothing_of_the_engine(self):
        preload = place.package / "bayar-preload.php"
        pool = {"env[BAYAR_CONFIG]": place.config(), "env[BAYAR_LIB]": place.library}
        master = place.master("documented", {"shop": pool}, ini=place.preload(preload))
        with Shop(place, master, "shop") as shop:
            made = shop.charge(new_order())
        self.assertEqual((made["mode"], made["answer"].get("status")), ("native", "pending"), made)
        self.assertEqual(holds(made["worker"]), {"library", "journal"})
        self.assertEqual(holds(master.pid), set())

    def test_what_was_opened_in_the_master_is_not_used_in_its_workers(self):
        authority = front.Authority(place.path / "authority")
        behind = place.sandbox.url.removeprefix("http://")
        nginx = place.nginx("nginx", (front.TLS, {"behind": behind, "certificate": authority.certificate, "key": authority.key}))
        config = place.config(url=f"https://127.0.0.1:{nginx.ports[0]}", ca_file=str(authority.file))
        preload = place.path / "opens.php"
        preload.write_text(OPENS.format(package=place.package, library=place.library, config=config))
        # Not as root: PHP would preload in a process of its own, and there would be nothing to inherit.
        ini = f"ffi.enable = preload\nopcache.preload = {preload}\n"
        pool = {"env[BAYAR_CONFIG]": config, "env[BAYAR_LIB]": place.library, "pm.max_children": 3}
        master = place.master("opened", {"shop": pool}, ini=ini, root=False)
        self.assertIn("library", holds(master.pid))
        orders = [new_order() for _ in range(30)]
        with Shop(place, master, "shop") as shop:
            made = [shop.charge(order) for order in orders]
            self.assertEqual({one["answer"].get("status") for one in made}, {"pending"}, made)
            kept = shop.intents()
        self.assertEqual(sorted(one["order_id"] for one in kept), sorted([*orders, "MASTER"]))
        # Nobody spoke over the master's connection: it has carried one request.
        came = [connection for connection, _, _ in nginx.requests(nginx.ports[0])]
        self.assertEqual(came.count(came[0]), 1, came)
        self.assertEqual(len(set(came)), 1 + len({one["worker"] for one in made}))

    def test_a_package_that_lost_its_files_stops_no_site(self):
        package = place.checkout("damaged")
        for lost in ("Client.php", "Transport.php", "errors.php"):
            (package / "src" / lost).unlink()
        page = place.path / "page.php"
        page.write_text("<?php echo 'open';")
        master = place.master("damaged-fpm", {"site": {}}, ini=place.preload(package / "bayar-preload.php"))
        with fastcgi.Client(master.socket("site")) as client:
            self.assertEqual(client.ask(page).body, b"open")


def holds(pid):
    """What of the engine a process has: the library mapped, the journal open."""
    mapped = Path(f"/proc/{pid}/maps").read_text()
    opened = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
    return {name for name, there in [("library", "libbayar" in mapped), ("journal", any("journal.db" in one for one in opened))] if there}


if __name__ == "__main__":
    unittest.main()
