"""docs/php.md takes a newcomer from nothing to a paid order, by each of its ways."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

import masters
from page import Reader, blocks
from place import Place
from shop import until

COMMON = ["build", "sandbox", "config", "shop"]
SERVED = ["nginx", "restart", "pay"]


@unittest.skipUnless(masters.ROOT_RUNS and masters.pool_user().pw_name == "www-data", "the page is for root on Debian")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """What was built, without what only debuggers read: it is copied often."""
        target, cls.built = Path(os.environ["BAYAR_TARGET"]), Path(tempfile.mkdtemp(prefix="bayar-fpm-built-"))
        cls.addClassCleanup(shutil.rmtree, cls.built)
        cls.built.chmod(0o755)
        for path in (target / "bayar", *target.glob("libbayar*.so")):
            subprocess.run(["strip", "-o", cls.built / path.name, path], check=True)

    def reader(self, without=()):
        place = Place(self.built)
        self.addCleanup(place.close)
        return Reader(place, without)

    def paid(self, said, mode):
        """What the last step prints: the mode, an address to pay at, one line in the books."""
        self.assertRegex(said, rf"(?i)x-bayar-mode: {mode}\s")
        self.assertRegex(said, r"(?i)location: http://127\.0\.0\.1:\d+/midtrans/\S+")
        self.assertEqual(re.findall(r"(?m)^INV-17 150000 X\w+$", said), said.strip().splitlines()[-1:], said)

    def test_preloaded(self):
        reader = self.reader()
        self.paid(reader.follow(*COMMON, "preload", *SERVED), "native")

        # What the page says beside it.
        made = reader.follow("doctor")
        page, token = (re.search(rf"(?m)^{name} +(.*)$", made).group(1) for name in ("made", "token"))
        said = urllib.request.urlopen(f"http://{reader.address}/{Path(page).name}", f"token={token}".encode()).read().decode()
        self.assertIn('<tr class="ok"><td>ok</td><th>preload</th>', said)
        self.assertNotIn('class="error"', said)
        self.assertEqual(reader.follow("fake"), "https://pay.example.com/1 1\n")
        reader.follow("recover")
        recover = "sudo -u www-data php /srv/shop/recover.php"
        self.assertEqual(reader.run(recover), "")
        self.recovered(reader, recover)

    def recovered(self, reader, recover):
        """A payment whose callback was lost is credited, once."""
        lost = """curl -s 'http://127.0.0.1:8080/pay.php?invoice=18' >/dev/null
            curl -s http://127.0.0.1:8400/_sandbox/faults -d '{"fault": "reset", "on": "callback"}' >/dev/null
            curl -s -X POST http://127.0.0.1:8400/_sandbox/midtrans/INV-18/paid >/dev/null
            grep -c INV-18 /var/lib/shop/credits || true"""
        self.assertEqual(reader.run(lost).strip(), "0")
        # Its time has not come, unless somebody says so.
        reader.run("sudo -u www-data bayar --config /etc/bayar/bayar.toml recover --now")
        for _ in range(2):
            self.assertEqual(reader.run(recover), "")
        self.assertRegex(reader.run("grep INV-18 /var/lib/shop/credits"), r"\AINV-18 150000 X\w+\n\Z")

    def test_in_the_pool(self):
        reader = self.reader()
        self.paid(reader.follow(*COMMON, "pool", *SERVED), "native")

    def test_a_daemon(self):
        reader = self.reader(without=("ffi",))
        self.paid(reader.follow(*COMMON, "daemon", *SERVED), "socket")

    def test_shared_hosting(self):
        reader = self.reader(without=("ffi",))
        reader.follow(*COMMON)
        # There, everything belongs to the user of the site.
        user = masters.pool_user()
        reader.run(f"chown -R {user.pw_name} /srv/shop\n")
        reader.follow("process", user=user)
        self.paid(reader.follow(*SERVED), "process")

    def test_a_gateway(self):
        reader = self.reader(without=("ffi",))
        reader.follow(*COMMON, "gateway", "serve")
        pay = reader.root / "srv/shop/public/pay.php"
        pay.write_text(re.sub(r"(?m)^ *'callback_url' => .*\n", "", pay.read_text()))
        reader.follow(*SERVED[:-1])
        [(_, text)] = blocks()["pay"]
        *pay, look = text.splitlines(keepends=True)
        said = reader.run("".join(pay))
        # A gateway tells its applications after it has answered the provider.
        credits = reader.root / "var/lib/shop/credits"
        until(credits.exists, "the shop is told")
        self.paid(said + reader.run(look), "gateway")

    def test_every_block_has_a_test(self):
        self.assertEqual(set(blocks()), {*COMMON, *SERVED, "preload", "pool", "daemon", "process", "gateway", "serve", "doctor", "recover", "fake"})


if __name__ == "__main__":
    unittest.main()
