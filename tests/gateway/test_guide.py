"""docs/gateway.md: its commands are run, its configurations are used, its samples verify what was really sent."""

import base64
import contextlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import world
from world import PATIENCE, ROOT, TARGET, Client, bayar, new_app, new_order, until

GUIDE = (ROOT / "docs/gateway.md").read_text()


def blocks(marker):
    """The fenced blocks behind this marker: (language, text)."""
    found = re.findall(rf"(?ms)^<!-- {marker} -->\n```(\w+)\n(.*?)^```$", GUIDE)
    assert found, f"docs/gateway.md has no block marked {marker}"
    return found


def block(marker):
    ((_, text),) = blocks(marker)
    return text


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Walk(unittest.TestCase):
    def test_from_nothing_to_a_paid_order(self):
        gateway, sandbox = free_port(), free_port()
        script = "".join(text for _, text in blocks("walk"))
        for printed, here in (
            ("bayar sandbox", f"bayar sandbox --listen 127.0.0.1:{sandbox}"),
            ("[gateway]\\n", f'[gateway]\\nlisten = "127.0.0.1:{gateway}"\\n'),
            ("127.0.0.1:5000", f"127.0.0.1:{gateway}"),
            ("127.0.0.1:8400", f"127.0.0.1:{sandbox}"),
        ):
            self.assertIn(printed, script)
            script = script.replace(printed, here)
        work = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bayar-guide-")))
        # What it leaves in the background is in its group, and ends with the test.
        with (work / "said").open("w") as said:
            process = subprocess.Popen(
                ["bash", "-euc", script],
                cwd=work,
                env={**os.environ, "PATH": f"{TARGET}:{os.environ['PATH']}"},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            code = process.wait(timeout=PATIENCE)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        printed = (work / "said").read_text()
        self.assertEqual(code, 0, printed)
        for expected in ("X-Api-Key: ", "ready", '"redirect_url":', '"transaction_status":"settlement"'):
            self.assertIn(expected, printed)


class Configurations(world.Case):
    def written(self, name, text):
        directory = self.world.path(self.id().rsplit(".", 1)[-1])
        directory.mkdir()
        path = directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def certificate(self):
        """A certificate for localhost and its key."""
        crt, key = self.world.path("localhost.pem"), self.world.path("localhost.key")
        if not crt.exists():
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", crt]
            subprocess.run(command, check=True, capture_output=True)
        return crt, key

    def sections(self):
        """Everything of the sandbox's configuration but [engine]."""
        return "[providers." + self.config.read_text().split("[providers.", 1)[1].split("\n[gateway]")[0] + "\n"

    def charged(self, client):
        answer = client.post("/charge", {"order_id": new_order(), "amount": 150000})
        self.assertEqual(answer.status, 201, answer)

    def test_the_settings_are_those_that_there_are(self):
        code = (ROOT / "bindings/gateway/src/config.rs").read_text()
        struct = re.search(r"(?ms)^pub struct Settings \{\n(.*?)^\}", code).group(1)
        rows = re.search(r"(?ms)^\| in `\[gateway\]` .*?\n\n", GUIDE).group(0)
        named = [name for row in rows.strip().splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
        self.assertEqual(sorted(named), sorted(re.findall(r"(?m)^    pub (\w+):", struct)))

    def test_the_toml(self):
        text = block("toml").replace("/var/lib/bayar/", f"{self.world.path('')}/toml-").replace("[engine]", f'[engine]\nplugins = "{TARGET}"')
        config = self.written("bayar.toml", text)
        command = [TARGET / "bayar", "--config", config, "serve", "--print-callbacks"]
        environment = {**os.environ, "MIDTRANS_SERVER_KEY": "Mid-server-x", "BAYAR_SECRET_KEY": "0123456789abcdef0123456789abcdef"}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout, r"(?m)^midtrans +https://pay\.example\.com/callbacks/midtrans/\S+$")

    def test_the_env(self):
        text = block("env").replace("Mid-server-EXAMPLE", "SB-Mid-server-EXAMPLE")
        more = f"BAYAR_GATEWAY_LISTEN=127.0.0.1:0\nBAYAR_ENGINE_PLUGINS={TARGET}\nMIDTRANS_BASE_URL={self.world.process.url}/midtrans\n"
        config = self.written(".env", text + more)
        self.charged(Client(self.started(config).port, "biling", new_app(config, "biling")))

    def test_tls(self):
        crt, key = self.certificate()
        text = block("tls").replace("0.0.0.0:5443", "127.0.0.1:0")
        for printed, here in (("/etc/bayar/pay.example.com.pem", crt), ("/etc/bayar/pay.example.com.key", key)):
            self.assertIn(printed, text)
            text = text.replace(printed, str(here))
        config = self.written("bayar.toml", f'[engine]\nplugins = "{TARGET}"\n\n{self.sections()}{text}')
        gateway = self.started(config)
        self.charged(Client(gateway.port, "biling", new_app(config, "biling"), tls=ssl.create_default_context(cafile=crt)))

    def test_behind_nginx(self):
        config = self.world.config(trusted_proxies=["127.0.0.1/32"])
        gateway = self.started(config)
        crt, key = self.certificate()
        port, work = free_port(), self.world.path("nginx")
        work.mkdir()
        server = block("nginx")
        for printed, here in (
            ("443", f"127.0.0.1:{port}"),
            ("/etc/ssl/pay.example.com.pem", crt),
            ("/etc/ssl/pay.example.com.key", key),
            ("127.0.0.1:5000", f"127.0.0.1:{gateway.port}"),
        ):
            self.assertIn(printed, server)
            server = server.replace(printed, str(here))
        paths = "".join(f"{name}_temp_path {work}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = f"daemon off; pid {work}/pid; error_log {work}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{server}}}\n"
        (work / "nginx.conf").write_text(main)
        nginx = subprocess.Popen(["nginx", "-c", work / "nginx.conf", "-p", work, "-e", work / "log"])
        self.addCleanup(nginx.wait)
        self.addCleanup(nginx.terminate)
        tls = ssl.create_default_context(cafile=crt)
        application = {"X-App-Code": "biling", "X-Api-Key": new_app(config, "biling"), "Content-Type": "application/json"}

        def asked(method, path, headers, body=None):
            # Another address of this machine than nginx has.
            connection = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=tls, source_address=("127.0.0.2", 0))
            with contextlib.closing(connection):
                connection.request(method, path, body, headers)
                return connection.getresponse().status

        def answers():
            with contextlib.suppress(ConnectionRefusedError):
                return asked("GET", "/healthz", {}) == 200

        until(answers, "nginx answers")
        body = json.dumps({"order_id": new_order(), "amount": 150000})
        self.assertEqual(asked("POST", "/charge", application, body), 201)
        self.assertRegex(gateway.logged(), r"client=127\.0\.0\.2.*POST /charge")
        # Behind it nobody is this machine.
        self.assertEqual(asked("GET", "/metrics", {"X-Forwarded-For": "127.0.0.1"}), 403)

    def test_print_callbacks(self):
        config = self.world.config(public_url="https://pay.example.com")
        text = block("print-callbacks").replace("bayar.toml", str(config)).replace("bayar ", f"{TARGET}/bayar ", 1)
        said = subprocess.run(["sh", "-euc", text], check=True, capture_output=True, text=True).stdout
        self.assertRegex(said, r"(?m)^duitku +https://pay\.example\.com/callbacks/duitku/\S+$")


class Samples(world.Case):
    """What verifies a callback in the guide, given one that was really sent."""

    def callback(self):
        order = new_order()
        made = self.client.post("/v1/charges", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=order)
        self.assertEqual(made.status, 201, made)
        self.world.control.act(made.json()["reference"])
        self.client.get(f"/v1/charges/{made.json()['id']}?fresh=true")
        (one, _), *_ = until(lambda: self.receiver.of(order), "told")
        headers = {name.lower(): value for name, value in one["headers"].items()}
        return headers, one["body"]

    def signed(self, secret, headers, body, later):
        """The same, signed as if it had been sent so many seconds later."""
        timestamp = str(int(headers["webhook-timestamp"]) + later)
        content = f"{headers['webhook-id']}.{timestamp}.".encode() + body
        signature = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
        return {**headers, "webhook-timestamp": timestamp, "webhook-signature": "v1," + base64.b64encode(signature).decode()}

    def judged(self, language, text, secret, headers, body):
        given = [secret, json.dumps(headers), body.decode()]
        if language == "python":
            command = [sys.executable, "-c", f"import sys, json\n{text}\nprint(int(genuine(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode())))"]
        else:
            command = ["php", "-r", f"{text}\necho (int) genuine($argv[1], json_decode($argv[2], true), $argv[3]);", "--"]
        ran = subprocess.run([*command, *given], capture_output=True, text=True)
        self.assertEqual(ran.stderr, "")
        return {"1": True, "0": False}[ran.stdout.strip()]

    def test_they_tell_what_is_genuine(self):
        headers, body = self.callback()
        secret = bayar(self.config, "app", "secret", "biling").strip()
        other = bayar(self.config, "app", "secret", "biling", "--rotate").split()[0]
        samples = blocks("verify")
        self.assertEqual([language for language, _ in samples], ["python", "php"])
        for language, text in samples:
            with self.subTest(language):
                judged = lambda secret, headers, body: self.judged(language, text, secret, headers, body)
                self.assertTrue(judged(secret, headers, body))
                self.assertFalse(judged(other, headers, body))
                self.assertFalse(judged(secret, headers, body.replace(b"150000", b"150001")))
                self.assertFalse(judged(secret, {**headers, "webhook-id": "another"}, body))
                self.assertTrue(judged(secret, self.signed(secret, headers, body, 0), body))
                self.assertFalse(judged(secret, self.signed(secret, headers, body, -3600), body), "heard an hour ago")
                # Both sign while they are exchanged.
                both = {**headers, "webhook-signature": "v1,AAAA " + headers["webhook-signature"]}
                self.assertTrue(judged(secret, both, body))


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not here")
    def test_the_unit_is_one(self):
        unit = ROOT / "bindings/gateway/bayar-gateway.service"
        # It names the installed command, which need not be here.
        with tempfile.TemporaryDirectory(prefix="bayar-guide-") as directory:
            copy = Path(directory) / unit.name
            copy.write_text(unit.read_text().replace("/usr/local/bin/bayar", str(TARGET / "bayar")))
            ran = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
