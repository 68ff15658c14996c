"""What the gateway's tests stand on: a sandbox of all providers, gateways in front of it, a receiver of
callbacks, and an HTTP client. All of it is on this machine, and ends with the test that started it."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import sandbox

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ["BAYAR_TARGET"])
#: Longer than anything takes here; what is waited for is asked for again and again until then.
PATIENCE = 30


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Client:
    """Asks a gateway, as one application or as nobody."""

    def __init__(self, port, code=None, key=None, tls=None):
        self.port, self.code, self.key, self.tls = port, code, key, tls

    def ask(self, method, path, body=None, headers=(), source=None):
        given = dict(headers)
        if self.code is not None:
            given.setdefault("X-App-Code", self.code)
            given.setdefault("X-Api-Key", self.key)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            given.setdefault("Content-Type", "application/json")
        if self.tls:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE, source_address=source)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, key=None, **more):
        headers = {**dict(more.pop("headers", {})), **({"Idempotency-Key": key} if key else {})}
        return self.ask("POST", path, {} if body is None else body, headers=headers, **more)


class Gateway:
    """A running `bayar serve`."""

    def __init__(self, config, environment=None):
        self.config = Path(config)
        self.log = self.config.with_name(f"log-{time.monotonic_ns()}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [TARGET / "bayar", "--config", self.config, "serve"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **(environment or {})},
            )
        line = self.process.stdout.readline()
        match = re.search(r"listening on (https?)://\S*:(\d+)", line)
        if not match:
            self.stop()
            raise RuntimeError(f"the gateway did not start: {line!r} {self.logged()}")
        self.port = int(match.group(2))

    def logged(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        """In an orderly way; gives its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self):
        self.process.kill()
        return self._ended()

    def _ended(self):
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status


def bayar(config, *arguments, status=0):
    """A command; gives what it printed."""
    ran = subprocess.run([TARGET / "bayar", "--config", config, *arguments], capture_output=True, text=True)
    if ran.returncode != status:
        raise RuntimeError(f"bayar {' '.join(arguments)} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def new_app(config, code, *options):
    """Makes an application, and gives its key."""
    return re.search(r"X-Api-Key: (\S+)", bayar(config, "app", "create", code, *options)).group(1)


def until(holds, what):
    """Waits until something is true, and gives it."""
    end = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.02)


class Receiver:
    """An application's own address: keeps what it is told, and answers as it is told to."""

    def __init__(self):
        self.heard, self.lock = [], threading.Lock()
        self.answer = lambda number, heard: 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                one = {"path": self.path, "headers": self.headers, "body": body}
                with receiver.lock:
                    receiver.heard.append(one)
                    number = len(receiver.heard)
                status = receiver.answer(number, one)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a gateway that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def all(self):
        with self.lock:
            return list(self.heard)

    def of(self, order):
        """What was said of an order, in the order in which it came."""
        told = [(one, json.loads(one["body"])) for one in self.all()]
        return [(one, said) for one, said in told if said["data"].get("order_id") == order]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def verified(one, secret):
    """Whether a callback is signed under this secret, as Standard Webhooks has it."""
    headers = one["headers"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + one["body"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split(" ")


class World:
    """A sandbox, and a directory for what stands in front of it."""

    def __init__(self, *settings):
        self.process = sandbox.Process(TARGET, *settings)
        self.control = sandbox.Sandbox(self.process.url)
        self._work = tempfile.TemporaryDirectory(prefix="bayar-gateway-")
        self._number = 0

    def config(self, journal=None, providers=None, **gateway):
        """A new bayar.toml in a directory of its own."""
        self._number += 1
        directory = Path(self._work.name) / str(self._number)
        directory.mkdir()
        text = self.process.config(plugins=str(TARGET), journal=journal or f"sqlite:{directory / 'journal.db'}")
        gateway = {"listen": "127.0.0.1:0", "secret_key": "of the tests", "rate_per_key": 0, "rate_per_address": 0, **gateway}
        lines = [f"{name} = {json.dumps(value)}" for name, value in gateway.items()]
        path = directory / "bayar.toml"
        path.write_text(text + (providers or "") + "\n[gateway]\n" + "\n".join(lines) + "\n")
        return path

    def path(self, name):
        return Path(self._work.name) / name

    def stop(self):
        self.process.stop()
        self._work.cleanup()


class Case(unittest.TestCase):
    """Tests over one gateway with one application, and whatever each starts besides."""

    settings = ()
    gateway_settings = {}
    app_options = ("--operations", "*")

    @classmethod
    def setUpClass(cls):
        cls.world = World(*cls.settings)
        cls.addClassCleanup(cls.world.stop)
        cls.config = cls.world.config(allow_private_callbacks=True, **cls.gateway_settings)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.key = new_app(cls.config, "biling", "--callback-url", cls.receiver.url, *cls.app_options)
        cls.gateway = Gateway(cls.config)
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = Client(cls.gateway.port, "biling", cls.key)

    def started(self, config, **more):
        gateway = Gateway(config, **more)
        self.addCleanup(gateway.stop)
        return gateway

    def refused(self, answer, status, code):
        """Checks a problem and gives its document."""
        self.assertEqual(answer.status, status, answer)
        document = answer.json()
        self.assertEqual(document["code"], code, answer)
        for member in ("message", "stage", "retry", "advice"):
            self.assertIn(member, document)
        return document


_numbers = iter(range(1, 1 << 62))


def new_order(prefix="INV"):
    """An order id that no other test has."""
    return f"{prefix}-{os.getpid():x}-{next(_numbers)}"


for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, lambda number, _: (_ for _ in ()).throw(SystemExit(128 + number)))
