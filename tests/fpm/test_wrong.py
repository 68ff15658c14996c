"""What a shop is told where something is set up wrong: the error names what was found, and where."""

import html
import os
import re
import subprocess
import unittest

import fastcgi
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


class CheckPage(unittest.TestCase):
    """What `bayar check-page` makes, in PHP-FPM: it names the line to change, and the file."""

    def test_it_names_the_line_and_the_file(self):
        master = place.master(self._testMethodName, {"shop": NO_PROGRAMS}, ini="ffi.enable = preload\n")
        php_ini = master.directory / "php.ini"
        made = subprocess.run(["php", place.package / "bin/bayar", "check-page", place.site, "--config", place.config()], check=True, capture_output=True, text=True).stdout
        page, token = (re.search(rf"(?m)^{name} +(.*)$", made).group(1) for name in ("made", "token"))
        with fastcgi.Client(master.socket("shop")) as client:
            self.assertNotIn("php.ini", client.ask(page).body.decode())
            form = [("content-type", "application/x-www-form-urlencoded")]
            said = html.unescape(client.ask(page, "POST", headers=form, body=f"token={token}".encode()).body.decode())
        for line, file in (
            ("php_admin_value[ffi.enable] = 1", "the section [shop] of php-fpm's configuration"),
            (f"opcache.preload = {place.package}/bayar-preload.php", php_ini),
            ("disable_functions = (without proc_open)", php_ini),
        ):
            self.assertIn(f"<pre>{line}</pre>in <code>{file}", said)


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
