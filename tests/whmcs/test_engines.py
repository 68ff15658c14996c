"""Each place where the engine can be: the same payment in all of them."""

import re
import subprocess
import tempfile
import threading
from pathlib import Path

import world
from shop import CREDENTIALS
from world import Case, until


class Engines(Case):
    def setUp(self):
        super().setUp()
        home = tempfile.TemporaryDirectory(prefix="bayar-engine-")
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)

    def paid_by_callback(self, order=None):
        """From the box to the invoice that the provider's callback has paid; gives the invoice."""
        invoice = self.shop.invoice()
        attempt = self.shop.pay(invoice, "midtrans/qris")
        self.assertEqual(attempt["status"], "pending", self.shop.reminders(""))
        self.sandbox.act(order(attempt) if order else attempt["order_id"])
        return invoice

    def mode(self):
        self.addCleanup(self.shop.browser.get, f"{self.shop.server.url}/sign_in.php")
        self.shop.browser.get(f"{self.shop.server.url}/sign_in.php?admin=1")
        page = self.shop.browser.get(f"{self.shop.server.url}/modules/gateways/bayar/check.php").text
        return re.search(r"reached by (\w+)", page).group(1)

    def file(self, **gateway):
        file = self.home / "bayar.toml"
        lines = "".join(f"{name} = {value}\n" for name, value in gateway.items())
        file.write_text(
            f'[engine]\njournal = "sqlite:{self.home}/journal.db"\nplugins = "{self.shop.plugins}"\n'
            f'[providers.midtrans]\nserver_key = "{CREDENTIALS["midtrans_server_key"]}"\nbase_url = "{self.sandbox.url}/midtrans"\n'
            + (f"[gateway]\n{lines}" if gateway else "")
        )
        return file

    def start(self, *command, ready):
        """A program that is ended after the test; gives what the line says that it is ready with."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        for line in process.stdout:
            found = re.search(ready, line)
            if found:
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return found
        raise RuntimeError(f"{command} ended with {process.wait()}")

    def test_a_configuration_file(self):
        self.change(engine="file", config_file=str(self.file()), **{name: None for name in CREDENTIALS})
        self.assertEqual(self.mode(), "native")
        self.credited(self.paid_by_callback())

    def test_without_ffi_a_program_of_its_own(self):
        server = self.shop.serve(8, ffi=False)
        self.addCleanup(server.stop)
        before, self.shop.server = self.shop.server, server
        self.addCleanup(setattr, self.shop, "server", before)
        self.addCleanup(self.shop.be_at, before.url)
        self.shop.be_at(server.url)
        self.assertEqual(self.mode(), "process")
        self.credited(self.paid_by_callback())

    def test_a_daemon(self):
        socket = self.home / "bayar.sock"
        self.start(world.TARGET / "bayar", "--config", self.file(), "daemon", "--socket", socket, ready="listening|serving|bayar.sock")
        self.change(engine="daemon", socket=str(socket), **{name: None for name in CREDENTIALS})
        self.assertEqual(self.mode(), "socket")
        self.credited(self.paid_by_callback())

    def test_a_gateway(self):
        config = self.file(listen='"127.0.0.1:0"', secret_key='"of the tests"', allow_private_callbacks="true")
        hook = f"{self.shop.server.url}/modules/gateways/callback/bayar.php"
        command = [world.TARGET / "bayar", "--config", config, "app"]
        made = subprocess.run([*command, "create", "shop", "--callback-url", hook, "--operations", "*"], capture_output=True, text=True, check=True).stdout
        secret = subprocess.run([*command, "secret", "shop"], capture_output=True, text=True, check=True).stdout.strip()
        url = self.start(world.TARGET / "bayar", "--config", config, "serve", ready=r"listening on (http://\S+)").group(1)
        key = re.search(r"X-Api-Key: (\S+)", made).group(1)
        self.change(engine="gateway", gateway_url=url, app_code="shop", api_key=key, webhook_secret=secret, **{name: None for name in CREDENTIALS})
        self.assertEqual(self.mode(), "gateway")
        invoice = self.paid_by_callback(lambda attempt: self.sandbox.get("orders?provider=midtrans")[0]["order_id"])
        # The sandbox was not told where the gateway is: recovery beside it finds the payment, and it tells the shop.
        subprocess.run([world.TARGET / "bayar", "--config", config, "recover", "--now", "--quiet"], check=True)
        until(lambda: self.shop.status(invoice) == "Paid")
        self.credited(invoice)
        # A payer who asks is answered by its journal.
        invoice = self.paid_by_callback(lambda attempt: self.sandbox.get("orders?provider=midtrans")[0]["order_id"])
        self.shop.press(invoice, "check")
        self.credited(invoice)
        self.shop.cron()
        logged = self.shop.sql("SELECT data FROM tblgatewaylog") + self.shop.sql("SELECT request, response FROM tblmodulelog")
        self.assertFalse([row for row in logged if key in str(row) or secret in str(row)])
