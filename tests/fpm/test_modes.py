"""Each way of running PHP, the same shop: charge, status, a callback that the provider sends, and one
line in the books, asked over FastCGI and through nginx."""

import os
import unittest

import front
from place import Place, give
from shop import Shop, ThroughNginx, new_order


#: By the pool's name: the mode that a client finds there by itself.
MODES = {"preload": "native", "ffi": "native", "socket": "socket", "process": "process"}


def setUpModule():
    global place, masters, nginx
    place = Place(os.environ["BAYAR_TARGET"])
    unittest.addModuleCleanup(place.close)
    # As composer installs it: the package brings library and command, and finds them.
    place.pack(place.package)
    config = {name: {"env[BAYAR_CONFIG]": place.config()} for name in ("preload", "ffi", "process")}
    masters = {
        # FFI for what is preloaded, and for nothing else.
        "preload": place.master("preload", {"preload": config["preload"] | books("preload")}, ini=place.preload(place.package / "bayar-preload.php")),
        # FFI switched on in the one pool that has the shop, and nowhere else.
        "ffi": place.master("ffi", {"ffi": config["ffi"] | {"php_admin_value[ffi.enable]": 1} | books("ffi")}, ini="ffi.enable = preload\n"),
        # PHP without the extension. A daemon has the configuration; the command is handed it.
        "socket": place.master("socket", {"socket": {"env[BAYAR_SOCKET]": place.daemon()} | books("socket")}, without=("ffi",)),
        "process": place.master("process", {"process": config["process"] | books("process")}, without=("ffi",)),
    }
    sockets = place.path / "sockets"
    sockets.mkdir()
    for name, master in masters.items():
        (sockets / f"{name}.sock").symlink_to(master.socket(name))
    nginx = place.nginx("nginx", (front.SITE, {"root": place.site, "sockets": sockets}))


def books(name):
    """Where the shop writes its credits, and two workers."""
    path = place.path / f"{name}.books"
    path.touch()
    give(path)
    return {"env[BOOKS]": path, "pm.max_children": 2}


class Modes(unittest.TestCase):
    def shop(self, name):
        with Shop(place, masters[name], name) as direct:
            for shop in (direct, ThroughNginx(nginx, name)):
                with self.subTest(asked=type(shop).__name__):
                    self.one_order(name, MODES[name], shop)

    def one_order(self, name, mode, shop):
        order = new_order()
        made = shop.charge(order, callback_url=f"http://127.0.0.1:{nginx.ports[0]}/{name}/callback.php")
        self.assertEqual((made["mode"], made["answer"].get("status")), (mode, "pending"), made)
        self.assertEqual(shop.status(order)["answer"]["status"], "pending")
        # Paid: the sandbox sends its callback to the shop; the same comes again, and forged.
        [delivery] = place.control.act(order)["deliveries"]
        self.assertEqual([one["status"] for one in delivery["attempts"]], [200], delivery)
        sent = place.control.callback(order)
        self.assertEqual(shop.callback(sent), 200)
        self.assertEqual(shop.callback({**sent, "body": sent["body"].replace("150000", "150001")}), 401)
        self.assertEqual(shop.status(order)["answer"]["status"], "paid")
        self.assertEqual([intent["state"] for intent in shop.intents(order_id=order)], ["paid"])
        lines = (place.path / f"{name}.books").read_text().splitlines()
        self.assertEqual([line.split()[1] for line in lines if line.startswith(f"{order} ")], ["150000"])
        self.assertEqual(place.control.get(f"midtrans/{order}")["executed"]["charge"], 1)

    def test_preload(self):
        self.shop("preload")

    def test_ffi_in_the_pool(self):
        self.shop("ffi")

    def test_without_ffi_by_a_daemon(self):
        self.shop("socket")

    def test_without_ffi_by_the_command(self):
        self.shop("process")


if __name__ == "__main__":
    unittest.main()
