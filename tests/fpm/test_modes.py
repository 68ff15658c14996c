"""Each way of running PHP, the same shop: charge, status, a callback that the provider sends, and one
line in the books, asked over FastCGI and through nginx."""

import json
import os
import unittest

import front
from place import Place, give
from shop import Shop, ThroughNginx, new_order, until

#: By the pool's name: the mode that a client finds there by itself.
MODES = {"preload": "native", "ffi": "native", "socket": "socket", "process": "process", "gateway": "gateway"}


def setUpModule():
    global place, masters, nginx
    place = Place(os.environ["BAYAR_TARGET"])
    unittest.addModuleCleanup(place.close)
    # As composer installs it: the package brings library and command, and finds them.
    place.pack(place.package)
    sockets = place.path / "sockets"
    sockets.mkdir()
    nginx = place.nginx("nginx", (front.SITE, {"root": place.site, "sockets": sockets}))
    masters = {
        # FFI for what is preloaded, and for nothing else.
        "preload": pool("preload", configured(), ini=place.preload(place.package / "bayar-preload.php")),
        # FFI switched on in the one pool that has the shop, and nowhere else.
        "ffi": pool("ffi", {**configured(), "php_admin_value[ffi.enable]": 1}, ini="ffi.enable = preload\n"),
        # PHP without the extension. The command is handed the configuration; a daemon and a gateway have it.
        "process": pool("process", configured(), without=("ffi",)),
        "socket": pool("socket", {"env[BAYAR_SOCKET]": place.daemon()}, without=("ffi",)),
        "gateway": pool("gateway", place.gateway(place.config(), callback_url("gateway")), without=("ffi",)),
    }
    for name, master in masters.items():
        (sockets / f"{name}.sock").symlink_to(master.socket(name))


def configured():
    return {"env[BAYAR_CONFIG]": place.config()}


def pool(name, lines, **options):
    """Two workers, books for their credits, and a list of the callbacks that came."""
    lines = {**lines, "pm.max_children": 2, "php_admin_value[auto_prepend_file]": place.site / "hear.php"}
    for variable, path in [("BOOKS", books(name)), ("HEARD", heard(name))]:
        path.touch()
        give(path)
        lines[f"env[{variable}]"] = path
    return place.master(name, {name: lines}, **options)


def books(name):
    return place.path / f"{name}.books"


def heard(name):
    return place.path / f"{name}.heard"


def callback_url(name):
    return f"http://127.0.0.1:{nginx.ports[0]}/{name}/callback.php"


class Modes(unittest.TestCase):
    def shop(self, name):
        with Shop(place, masters[name], name) as direct:
            for shop in (direct, ThroughNginx(nginx, name)):
                with self.subTest(asked=type(shop).__name__):
                    self.one_order(name, shop)

    def one_order(self, name, shop):
        order = new_order()
        # A gateway is called back itself, and tells its applications.
        where = {} if name == "gateway" else {"callback_url": callback_url(name)}
        made = shop.charge(order, **where)
        self.assertEqual((made["mode"], made["answer"].get("status")), (MODES[name], "pending"), made)
        self.assertEqual(shop.status(order)["answer"]["status"], "pending")
        # Paid: the callback comes; then the same again, and forged.
        [delivery] = place.control.act(order)["deliveries"]
        self.assertEqual([one["status"] for one in delivery["attempts"]], [200], delivery)
        until(lambda: self.lines(books(name), order), "the shop credits it")
        sent = json.loads(self.lines(heard(name), order)[0])
        self.assertEqual(shop.callback(sent), 200)
        self.assertEqual(shop.callback({**sent, "body": sent["body"].replace("150000", "150001")}), 401)
        self.assertEqual(shop.status(order)["answer"]["status"], "paid")
        self.assertEqual([intent["state"] for intent in shop.intents(order_id=order)], ["paid"])
        self.assertEqual([line.split()[1] for line in self.lines(books(name), order)], ["150000"])
        self.assertEqual(place.control.get(f"midtrans/{order}")["executed"]["charge"], 1)

    @staticmethod
    def lines(path, order):
        return [line for line in path.read_text().splitlines() if order in line]

    def test_preload(self):
        self.shop("preload")

    def test_ffi_in_the_pool(self):
        self.shop("ffi")

    def test_without_ffi_by_a_daemon(self):
        self.shop("socket")

    def test_without_ffi_by_the_command(self):
        self.shop("process")

    def test_without_an_engine_by_a_gateway(self):
        self.shop("gateway")


if __name__ == "__main__":
    unittest.main()
