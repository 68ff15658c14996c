"""A shop: the stand-in for WHMCS with the module in it, its database, and the sandbox behind it."""

import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from functools import cached_property
from html import unescape
from pathlib import Path

STANDIN = Path(__file__).resolve().parent / "standin"

# What is typed into WHMCS: the sandbox's credentials.
CREDENTIALS = {
    "midtrans_server_key": "SB-Mid-server-EXAMPLE0000000000000000",
    "midtrans_client_key": "SB-Mid-client-EXAMPLE00000000",
    "klink_email": "toko@example.com",
    "klink_password": "klink-password-EXAMPLE",
    "klink_pid_key": "00000000-0000-4000-8000-00000000001d",
    "ipaymu_va": "0000005500000001",
    "ipaymu_api_key": "SANDBOXEXAMPLE00-0000-4000-8000-000000000000",
    "duitku_merchant_code": "DS00001",
    "duitku_merchant_key": "0000000000000000000000000EXAMPLE",
    "biller_user": "usertesting",
    "biller_password": "biller-password-EXAMPLE",
    "biller_callback_token": "biller-callback-token-EXAMPLE",
    "biller_callback_addresses": "127.0.0.1",
}
SECRETS = [value for name, value in CREDENTIALS.items() if name != "midtrans_client_key" and name.rsplit("_", 1)[1] in ("key", "password", "token")]

CHANNELS = """midtrans
midtrans/qris
midtrans/bca_va
midtrans/indomaret
midtrans/gopay
klink/va:014:BCAATM
klink/va:008:MANDIRIMANUAL = Mandiri (transfer manual)
ipaymu/cstore_indomaret
duitku/BC
"""


class Standin:
    """A WHMCS of its own, without the module: files, database, servers. Ended by :meth:`stop`."""

    def __init__(self, database, name):
        self._home = tempfile.TemporaryDirectory(prefix="bayar-shop-")
        self.home = Path(self._home.name)
        self.root = self.home / "public_html"
        self._database, self.name, self._servers = database, name, []
        shutil.copytree(STANDIN, self.root)
        (self.root / "configuration.php").write_text(f"<?php $db_socket = '{database.socket}'; $db_name = '{name}';")
        (self.home / "sessions").mkdir()
        self.browser = Browser()
        try:
            database.create(name)
            self.server = self.serve(8)
            self.url = self.server.url
            self.sql(f"INSERT INTO tblconfiguration VALUES ('SystemURL', '{self.url}'), ('CompanyName', 'Toko Contoh'), ('Language', 'english')")
        except BaseException:
            self.stop()
            raise

    def php(self, *arguments, ffi=True):
        """The command that runs PHP as a shop's server is set up."""
        settings = {"ffi.enable": str(int(ffi)), "session.save_path": self.home / "sessions", "display_errors": "0", "error_reporting": "-1", "log_errors": "1", "error_log": self.home / "errors.log"}
        flags = [part for name, value in settings.items() for part in ("-d", f"{name}={value}")]
        return ["php", *flags, *map(str, arguments)]

    def serve(self, workers=0, later=0, ffi=True):
        """A server, to whose journal so many seconds have passed."""
        command = self.php("-S", f"127.0.0.1:{free_port()}", "-t", self.root, ffi=ffi)
        server = Server(command, workers, self.ahead(later))
        self._servers.append(server)
        return server

    @cached_property
    def crowd(self):
        """Eight servers of one process each: what is sent to all of them is at work at the same time. Workers of
        one server accept connections that they do not serve yet."""
        return [self.serve() for _ in range(8)]

    def activate(self, gateway, **settings):
        """Activates a gateway module with settings."""
        values = {"type": "Invoices", "name": gateway, "visible": "on", **settings}
        self.sql(f"DELETE FROM tblpaymentgateways WHERE gateway = '{gateway}'")
        rows = ", ".join(f"('{gateway}', '{name}', {quoted(value)})" for name, value in values.items())
        self.sql(f"INSERT INTO tblpaymentgateways (gateway, setting, value) VALUES {rows}")

    def set(self, gateway="bayar", **settings):
        """Changes settings; None takes one away."""
        for name, value in settings.items():
            self.sql(f"DELETE FROM tblpaymentgateways WHERE gateway = '{gateway}' AND setting = '{name}'")
            if value is not None:
                self.sql(f"INSERT INTO tblpaymentgateways (gateway, setting, value) VALUES ('{gateway}', '{name}', {quoted(value)})")

    def sql(self, text):
        return self._database.run(text, self.name)

    def one(self, text):
        rows = self.sql(text)
        return rows[0] if rows else None

    def invoice(self, amount=150000, client=1, gateway="bayar", status="Unpaid"):
        """A new invoice; gives its id."""
        self.sql(
            f"INSERT INTO tblinvoices (userid, date, duedate, subtotal, total, status, paymentmethod) VALUES ({client}, NOW(), NOW(), {amount}, {amount}, '{status}', '{gateway}'); "
            f"INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount) VALUES (LAST_INSERT_ID(), {client}, 'Hosting', 1, 'Hosting Nusantara, 1 bulan', {amount})"
        )
        return int(self.one("SELECT MAX(id) AS id FROM tblinvoices")["id"])

    def drive(self, function, *arguments):
        """Calls what WHMCS would call, in a program of its own."""
        return json.loads(self._php(self.root / "drive.php", function, json.dumps(arguments)))

    def cron(self, later=0):
        """Runs WHMCS's cron, when so many seconds have passed to the journal."""
        self._php(self.root / "crons/cron.php", later=later)

    def _php(self, script, *arguments, later=0):
        ran = subprocess.run(self.php(script, *arguments), env=self.ahead(later), capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{script.name} {' '.join(arguments)} ended with {ran.returncode}: {self.errors()}{ran.stderr}{ran.stdout}")
        return ran.stdout

    def run(self, *arguments):
        """Runs PHP in the shop's directory, as its owner would."""
        ran = subprocess.run(self.php(*arguments), cwd=self.root, capture_output=True, text=True, check=True)
        return ran.stdout

    def errors(self):
        """What PHP has complained of since the last time."""
        log = self.home / "errors.log"
        said = log.read_text() if log.exists() else ""
        log.unlink(missing_ok=True)
        return said

    def ahead(self, seconds):
        """The environment of a program to whose journal so many seconds have passed: here none have."""
        return dict(os.environ)

    def stop(self):
        for server in self._servers:
            server.stop()
        self._home.cleanup()


class Shop(Standin):
    """With the module in it, and the sandbox behind it. Made once for all tests."""

    def __init__(self, package, faulty, database, sandbox):
        super().__init__(database, "whmcs")
        self.package, self.sandbox = package, sandbox
        self.choices = [line.partition(" =")[0] for line in CHANNELS.split("\n") if line]
        try:
            subprocess.run(["cp", "-al", f"{package}/.", self.root], check=True)
            # The library whose journal can be told that time has passed, beside the plugins.
            self.faulty = self.home / "faulty" / "libbayar.so"
            subprocess.run(["cp", "-al", self.plugins, self.faulty.parent], check=True)
            shutil.copy(faulty, self.faulty)
            self.activate("bayar", engine="here", sandbox="on", simulator=sandbox.url, channels=CHANNELS, **CREDENTIALS)
            self.be_at(self.server.url)
        except BaseException:
            self.stop()
            raise

    def be_at(self, url):
        """Says where the shop is: in WHMCS, and to those providers who have it written down."""
        self.url = url
        self.sql(f"UPDATE tblconfiguration SET value = '{url}' WHERE setting = 'SystemURL'")
        for provider, more in [("klink", ""), ("biller", "&token=biller-callback-token-EXAMPLE")]:
            self.sandbox.ask("POST", "settings", {f"{provider}.callback_url": f"{url}/modules/gateways/callback/bayar.php?account={provider}{more}"})

    @contextmanager
    def unreachable(self):
        """Callbacks of payments that are begun or paid meanwhile are lost: the sandbox calls this machine only."""
        here = self.url
        self.be_at("https://shop.example.com")
        try:
            yield
        finally:
            self.be_at(here)

    def box(self, invoice):
        """The payment box as a page holds it."""
        return self.drive("standin_link", invoice)

    def press(self, invoice, do, box=None):
        """Presses a button of the box, not signed in, as from an e-mail; gives (status, headers)."""
        action, fields = form(box or self.box(invoice), do)
        return self.browser.post(self.server.url + urllib.parse.urlsplit(action).path, fields)

    def pay(self, invoice, way):
        """Begins a payment and gives its attempt."""
        self.press(invoice, f"pay {way}")
        return self.attempt(invoice)

    def attempt(self, invoice):
        return self.one(f"SELECT * FROM mod_bayar_attempts WHERE invoiceid = {invoice} ORDER BY number DESC LIMIT 1")

    def status(self, invoice):
        return self.one(f"SELECT status FROM tblinvoices WHERE id = {invoice}")["status"]

    def payments(self, invoice):
        return self.sql(f"SELECT transid, amountin, fees, gateway FROM tblaccounts WHERE invoiceid = {invoice} AND amountin > 0 ORDER BY id")

    def reminders(self, words):
        return self.sql(f"SELECT title, description FROM tbltodolist WHERE title LIKE {quoted(f'%{words}%')}")

    @property
    def plugins(self):
        return next(self.root.glob("modules/gateways/bayar/lib/php/lib/*/plugins-*"))

    def ahead(self, seconds):
        """The environment of a program to whose journal so many seconds have passed."""
        if not seconds:
            return dict(os.environ)
        return {**os.environ, "BAYAR_LIB": str(self.faulty), "BAYAR_AHEAD_MS": str(seconds * 1000)}

    def deliver(self, callback, server=None, change=None):
        """Sends a callback, as the sandbox describes it, to a server; gives the HTTP status, or None
        where the connection broke."""
        query = "&".join(part for part in [urllib.parse.urlsplit(callback["urls"][0]).query, callback.get("query") or ""] if part)
        body = (callback["body"] or "").encode()
        url = f"{(server or self.server).url}/modules/gateways/callback/bayar.php?{query}"
        request = urllib.request.Request(url, method=callback["method"], data=change(body) if change else body or None)
        for name, value in dict(callback["headers"]).items():
            request.add_header(name, value)
        try:
            with direct.open(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
        except (urllib.error.URLError, ConnectionError):
            return None


class Server:
    """PHP's own web server, with workers; a process group of its own, so that all of it ends."""

    def __init__(self, command, workers, environment):
        environment = {**environment, **({"PHP_CLI_SERVER_WORKERS": str(workers)} if workers else {})}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True)
        try:
            line = self.process.stderr.readline()
            found = re.search(r"http://\S+?(?=\))", line)
            if not found:
                raise RuntimeError(f"PHP's server did not start: {line}")
        except BaseException:
            self.stop()
            raise
        self.url = found.group(0)
        # It has a line for every request, which must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        if self.process.returncode is None:
            for number in (signal.SIGCONT, signal.SIGTERM):
                os.killpg(self.process.pid, number)
            self.process.wait()


class Browser:
    """Follows no redirect by itself, so that each can be looked at."""

    def __init__(self):
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), _Stay())

    def get(self, url):
        return self._ask(urllib.request.Request(url))

    def post(self, url, fields):
        return self._ask(urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode()))

    def _ask(self, request):
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Page(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as other:
            with other:
                return Page(other.code, other.headers, other.read().decode())


class Page:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.location = headers.get("Location")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def form(box, do):
    """The action and the fields of a box's form, as if the button with that value was pressed."""
    action = unescape(re.search(r'<form method="post" action="([^"]+)"', box).group(1))
    quote = re.search(r'name="quote" value="([^"]+)"', box).group(1)
    return action, {"quote": quote, **({"do": do} if do else {})}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quoted(text):
    return "'" + str(text).replace("\\", "\\\\").replace("'", "''") + "'"
