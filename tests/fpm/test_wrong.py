"""What a shop is told where something is set up wrong: the error names what was found, and where."""

import os
import unittest

import masters
from place import Place
from shop import Shop

NO_PROGRAMS = {"php_admin_value[disable_functions]": "proc_open"}


def setUpModule():
    global place
    place = Place(os.environ["BAYAR_TARGET"])
    unittest.addModuleCleanup(place.close)


class Told(unittest.TestCase):
    def told(self, *words, pool, without=(), ini=""):
        """What a shop hears in such a pool holds these words, and nothing was sent."""
        master = place.master(self._testMethodName, {"shop": pool}, without=without, ini=ini)
        with Shop(place, master, "shop") as shop:
            error = shop.charge("WRONG")["answer"]["error"]
        self.assertEqual(error["stage"], "not_sent")
        for word in words:
            self.assertIn(str(word), error["message"])


class Wrong(Told):
    def test_nothing_is_allowed(self):
        pool = {"env[BAYAR_CONFIG]": place.config(), **NO_PROGRAMS}
        self.told("ffi.enable is 'preload'", "proc_open is in disable_functions", "bayar doctor", pool=pool, ini="ffi.enable = preload\n")

    def test_the_extension_is_not_there(self):
        pool = {"env[BAYAR_CONFIG]": place.config(), **NO_PROGRAMS}
        self.told("extension FFI is not loaded", "no socket is named", pool=pool, without=("ffi",))

    def test_no_daemon(self):
        socket = place.path / "nobody/bayar.sock"
        self.told(socket, "No such file or directory", "`bayar daemon` runs", pool={"env[BAYAR_SOCKET]": socket})

    def test_the_command_is_not_there(self):
        pool = {"env[BAYAR_CONFIG]": place.config(), "env[BAYAR_BINARY]": "/nowhere/bayar"}
        self.told("binary is '/nowhere/bayar'", "expected the absolute path", pool=pool, without=("ffi",))

    def test_a_library_that_is_not_there(self):
        pool = {**place.ffi(place.config()), "env[BAYAR_LIB]": "/nowhere/libbayar.so"}
        self.told("BAYAR_LIB names /nowhere/libbayar.so, which is not there", pool=pool)


@unittest.skipUnless(masters.ROOT_RUNS, "only root can be somebody else")
class Others(Told):
    """What belongs to somebody else."""

    def test_a_daemon_that_lets_others_in(self):
        socket = place.daemon()
        os.chown(socket.parent, 0, 0)
        self.told(socket, "Permission denied", "--group", pool={"env[BAYAR_SOCKET]": socket})

    def test_a_configuration(self):
        config = place.config()
        os.chown(config, 0, 0)
        self.told(config, "Permission denied", pool=place.ffi(config))

    def test_a_journal_where_the_pool_may_not_write(self):
        config = place.config()
        os.chown(config.parent, 0, 0)
        config.parent.chmod(0o755)
        self.told(config.with_name("journal.db"), "no permission", "change its owner or mode", pool=place.ffi(config))


if __name__ == "__main__":
    unittest.main()
