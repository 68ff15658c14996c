"""How it serves: limits, TLS, logs, metrics, its start and its end, copies."""

import http.client
import json
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
from pathlib import Path

from world import PATIENCE, TARGET, Case, Client, bayar, new_app, new_order, until


def charge(client, order=None):
    order = order or new_order()
    return client.post("/v1/charges", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=order)


class Serving(Case):
    def with_app(self, **settings):
        """A gateway with these settings, and a client of it."""
        config = self.world.config(**settings)
        key = new_app(config, "biling")
        gateway = self.started(config)
        return config, gateway, Client(gateway.port, "biling", key)

    def slow(self, ms, times=1):
        self.world.control.ask("POST", "faults", {"fault": "delay", "provider": "midtrans", "ms": ms, "times": times})
        self.addCleanup(self.world.control.ask, "DELETE", "faults")

    def does_not_start(self, config, *says):
        ran = subprocess.run([TARGET / "bayar", "--config", config, "serve"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        for text in says:
            self.assertIn(text, ran.stderr)

    def test_what_is_under_way_is_finished(self):
        _, gateway, client = self.with_app()
        self.slow(1500)
        order, answers = new_order(), []
        asking = threading.Thread(target=lambda: answers.append(charge(client, order)))
        asking.start()
        idle = socket.create_connection(("127.0.0.1", gateway.port))
        self.addCleanup(idle.close)
        until(lambda: self.world.control.get(f"requests?direction=in")[-1]["path"].startswith("/midtrans/v2/charge") and "bayar_calls_under_way 1" in Client(gateway.port).get("/metrics").body.decode(), "it is under way")
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in gateway.logged(), "it stops")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", gateway.port), timeout=1)
        self.assertEqual(gateway._ended(), 0)
        asking.join()
        self.assertEqual((answers[0].status, answers[0].json()["status"]), (201, "pending"), answers)
        self.assertIn("stopped", gateway.logged())

    def test_more_than_it_takes_on_is_turned_away(self):
        _, gateway, client = self.with_app(calls=1)
        self.slow(1500)
        order = new_order()
        asking = threading.Thread(target=charge, args=(client, order))
        asking.start()
        until(lambda: "bayar_calls_under_way 1" in Client(gateway.port).get("/metrics").body.decode(), "it is under way")
        answer = charge(client)
        document = self.refused(answer, 503, "busy")
        self.assertEqual((document["stage"], document["retry"], answer.headers["Retry-After"]), ("not_sent", True, "1"))
        # What asks no provider goes on.
        self.assertEqual(client.get("/v1/charges").status, 200)
        asking.join()
        self.assertEqual(charge(client).status, 201)

    def test_limits_of_applications_and_addresses(self):
        _, gateway, client = self.with_app(rate_per_key=2)
        statuses = [client.get("/v1/version").status for _ in range(12)]
        self.assertEqual(statuses[:4], [200] * 4)
        self.assertIn(429, statuses)
        answer = until(lambda: (found := client.get("/v1/version")).status == 429 and found, "turned away")
        self.assertEqual((self.refused(answer, 429, "rate_limited")["stage"], answer.headers["Retry-After"]), ("not_sent", "1"))
        _, gateway, client = self.with_app(rate_per_address=2)
        statuses = [Client(gateway.port).get("/v1/openapi.json").status for _ in range(12)]
        self.assertIn(429, statuses)
        other = [Client(gateway.port).ask("GET", "/v1/openapi.json", source=("127.0.0.2", 0)).status for _ in range(2)]
        self.assertEqual(other, [200, 200], "another address's own")

    def test_whom_it_believes(self):
        _, gateway, client = self.with_app(trusted_proxies=["127.0.0.9/32"])
        ask = lambda source, **headers: client.ask("GET", "/metrics", source=(source, 0), headers={name.replace("_", "-"): value for name, value in headers.items()}).status
        self.assertEqual(ask("127.0.0.1"), 200)
        self.assertEqual(ask("127.0.0.1", X_Forwarded_For="127.0.0.1"), 403, "a proxy that is not trusted")
        self.assertEqual(ask("127.0.0.9", X_Forwarded_For="192.0.2.7"), 403)
        self.assertEqual(ask("127.0.0.9", X_Forwarded_For="127.0.0.1, 192.0.2.7"), 403, "the payer wrote the first")
        self.assertIn("client=192.0.2.7", gateway.logged())

    def test_metrics_by_token(self):
        _, gateway, client = self.with_app(metrics_token="of the tests")
        self.assertEqual(client.get("/metrics").status, 403)
        self.assertEqual(client.get("/metrics", headers={"Authorization": "Bearer of the test"}).status, 403)
        answer = client.get("/metrics", headers={"Authorization": "Bearer of the tests", "X-Forwarded-For": "192.0.2.1"})
        self.assertEqual(answer.status, 200)
        charge(client)
        text = client.get("/metrics", headers={"Authorization": "Bearer of the tests"}).body.decode()
        self.assertIn('bayar_calls_total{account="midtrans",operation="charge",result="pending"} 1', text)
        self.assertIn('bayar_requests_total{route="/v1/charges",method="POST",status="201"} 1', text)
        self.assertTrue(text.endswith("# EOF\n"))

    def test_health(self):
        config, gateway, client = self.with_app()
        self.assertEqual((client.get("/healthz").status, client.get("/readyz").status), (200, 200))
        journal = config.with_name("journal.db")
        journal.rename(journal.with_name("away.db"))
        self.assertEqual(client.get("/readyz").status, 503)
        self.assertEqual(client.get("/healthz").status, 200)
        document = self.refused(charge(client), 503, "journal_unavailable")
        self.assertEqual(document["stage"], "not_sent")
        self.assertNotIn(str(journal), str(document), "where things lie is nobody's business")
        self.assertIn(str(journal), gateway.logged())

    def test_bodies_have_an_end(self):
        _, _, client = self.with_app(body_limit=1000)
        self.refused(client.post("/v1/charges", {"description": "x" * 1000}, key="a"), 413, "body_too_large")
        self.assertEqual(client.post("/charge", {"order_id": "x" * 900, "amount": 1}).status, 400)
        chunks = iter([b"1\r\n{\r\n", b"7d0\r\n" + b" " * 2000 + b"\r\n", b"0\r\n\r\n"])
        answer = client.ask("POST", "/charge", chunks, headers={"Transfer-Encoding": "chunked"})
        self.refused(answer, 413, "body_too_large")

    def test_in_the_clear_only_at_home(self):
        self.does_not_start(self.world.config(listen="0.0.0.0:0"), "gateway.listen", "allow_plaintext")
        gateway = self.started(self.world.config(listen="0.0.0.0:0", allow_plaintext=True))
        self.assertEqual(Client(gateway.port).get("/healthz").status, 200)

    def test_what_keeps_it_from_starting(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        self.does_not_start(self.world.config(listen=f"127.0.0.1:{port}"), f"127.0.0.1:{port}", "in use")
        self.does_not_start(self.world.config(lisen="127.0.0.1:1"), "[gateway]: lisen", "did you mean listen?")
        self.does_not_start(self.world.config(journal="none"), "without a journal")
        self.does_not_start(self.world.config(database="sqlite:gateway.db"), "gateway.database", "absolute")
        other = self.world.path("other.db")
        connection = sqlite3.connect(other)
        connection.execute("CREATE TABLE t (a)")
        connection.close()
        self.does_not_start(self.world.config(database=f"sqlite:{other}"), "gateway's database", "another program")

    def test_tls_and_its_renewal(self):
        directory = self.world.path("tls")
        directory.mkdir(exist_ok=True)

        def certificate(name):
            subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"]
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *subject, "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
                check=True,
                capture_output=True,
            )
            return ssl.create_default_context(cafile=directory / "cert.pem")

        first = certificate("first")
        config = self.world.config(listen="0.0.0.0:0", tls_cert=str(directory / "cert.pem"), tls_key=str(directory / "key.pem"))
        key = new_app(config, "biling")
        gateway = self.started(config)
        client = Client(gateway.port, "biling", key, tls=first)
        self.assertEqual(charge(client).status, 201)
        kept = http.client.HTTPSConnection("localhost", gateway.port, timeout=PATIENCE, context=first)
        self.addCleanup(kept.close)
        ask = lambda: kept.request("GET", "/healthz") or kept.getresponse().read()
        self.assertEqual(ask(), b"ok\n")

        (directory / "cert.pem").write_text("broken")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: "stays in use" in gateway.logged(), "it is said")
        self.assertEqual(client.get("/healthz").status, 200)
        second = certificate("second")
        # Without a signal, too: whoever renews need not know of it.
        until(lambda: "the certificate was read again" in gateway.logged(), "it is read again")
        self.assertEqual(Client(gateway.port, tls=second).get("/healthz").status, 200)
        with self.assertRaises(ssl.SSLError):
            client.get("/healthz")
        self.assertEqual(ask(), b"ok\n", "what is open goes on")
        with self.assertRaises((OSError, http.client.HTTPException)):
            Client(gateway.port).get("/healthz")

    def test_the_log_says_whose_and_no_secrets(self):
        log = self.world.path("app.log")
        config, gateway, client = self.with_app(log="json", log_level="debug", log_file=str(log))
        secret = bayar(config, "app", "secret", "biling").strip()
        answer = client.get("/status/nobody", headers={"X-Request-Id": "from-the-shop-1"})
        self.assertEqual(answer.headers["X-Request-Id"], "from-the-shop-1")
        made = charge(client)
        ident = made.headers["X-Request-Id"]
        self.world.control.ask("POST", "faults", {"fault": "reset", "provider": "midtrans"})
        charge(client)
        records = lambda: [json.loads(line) for line in log.read_text().splitlines()]
        mine = until(lambda: [one for one in records() if one.get("span", {}).get("id") == ident] or None, "it is logged")
        # What the engine says of it belongs to the same request.
        self.assertTrue({one["target"].split("::")[0] for one in mine} >= {"bayar", "bayar_gateway"}, mine)
        self.assertEqual(mine[-1]["span"]["app"], "biling")
        self.assertTrue(any(one.get("span", {}).get("id") == "from-the-shop-1" for one in records()))

        log.rename(log.with_suffix(".1"))
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: client.get("/healthz") and log.exists() and log.read_text(), "it writes a new file")
        written = log.read_text() + log.with_suffix(".1").read_text() + gateway.logged()
        files = [path.read_bytes() for path in config.parent.iterdir() if path.suffix in (".db", ".db-wal")]
        for planted in (client.key, "SB-Mid-server-EXAMPLE0000000000000000", secret.removeprefix("whsec_"), "of the tests"):
            self.assertNotIn(planted, written)
            for content in files:
                self.assertNotIn(planted.encode(), content)

    def test_a_copy_can_be_gone_on_with(self):
        config, gateway, client = self.with_app()
        made = charge(client).json()
        copies = self.world.path("copies")
        stop = threading.Event()

        def traffic():
            while not stop.is_set():
                charge(client)

        busy = threading.Thread(target=traffic)
        busy.start()
        try:
            printed = bayar(config, "backup", str(copies)).split()
        finally:
            stop.set()
            busy.join()
        gateway.kill()
        for path in config.parent.iterdir():
            if path.name.startswith(("journal.db", "gateway.db")):
                path.unlink()
        for copy in printed:
            name = Path(copy).name.split("-")[0] + ".db"
            Path(copy).rename(config.with_name(name))
        gateway = self.started(config)
        client = Client(gateway.port, "biling", client.key)
        self.assertEqual(client.get(f"/v1/charges/{made['id']}").json(), made)
        self.assertEqual(charge(client, made["order_id"]).json(), made, "its key is known")

    def test_a_thousand_that_say_nothing(self):
        _, gateway, client = self.with_app()
        held = []
        self.addCleanup(lambda: [one.close() for one in held])
        for _ in range(1000):
            one = socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE)
            held.append(one)
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(one.recv(4096).startswith(b"HTTP/1.1 200"))
        self.assertEqual(charge(client).status, 201)
        held[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(held[0].recv(4096).startswith(b"HTTP/1.1 200"), "it is still there")


