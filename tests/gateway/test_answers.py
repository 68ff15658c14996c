"""What else the document's two addresses answer, beside what test_document.py asks: who is told what, what a
repeat finds, what trouble with Midtrans looks like, and how the gateway is started."""

import json
import re
import socket
import subprocess
import urllib.parse

import bayar
import world
from world import PATIENCE, TARGET, Client, new_app, new_order


CUSTOMER = {"first_name": "Budi", "last_name": "Santoso", "email": "budi@example.com", "phone": "08123456789"}
ITEMS = [{"id": "VPS-01", "price": 150000, "quantity": 1, "name": "Cloud VPS Basic"}]

#: The key that the samples name.
PRINTED_KEY = "00000000000000000000000000000000"


def invoice(order=None, **more):
    return {"order_id": order or new_order(), "amount": 150000, **more}


class Document(world.Case):
    """A test that asks what the document prints."""

    # The document's programs charge through Midtrans' page unless they say otherwise.
    gateway_settings = {"public_url": "https://pay.example.com"}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.gateway.port}"

    @property
    def control(self):
        return self.world.control

    def app(self, code, *options):
        return Client(self.gateway.port, code, new_app(self.config, code, *options))

    def answered(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def charged(self, order=None, client=None, **more):
        return self.answered((client or self.client).post("/charge", invoice(order, **more)), 201)

    def status(self, order, client=None):
        return self.answered((client or self.client).get(f"/status/{order}"), 200)

    def refused(self, answer, status, words, code):
        body = super().refused(answer, status, code)
        self.assertEqual(body["error"], words, answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        return body

    def known(self, order, client=None):
        """What API v1 knows of an order."""
        path = "/v1/charges?" + urllib.parse.urlencode({"order_id": order})
        return self.answered((client or self.client).get(path), 200)["data"][0]

    def reference(self, order, client=None):
        """What Midtrans knows an order by."""
        return self.known(order, client)["reference"]

    def arrived(self, reference):
        """How many operations about an order came to Midtrans."""
        return self.control.get(f"midtrans/{reference}")["arrived"]


class Charge(Document):
    def test_the_same_request_gives_the_stored_token(self):
        order = new_order()
        first = self.charged(order, customer_details=CUSTOMER)
        reference = self.reference(order)
        arrived = self.arrived(reference)
        self.assertEqual(self.charged(order, customer_details=CUSTOMER), first)
        # Written otherwise, it says the same.
        body = f'{{"customer_details": {{"phone":"08123456789","email":"budi@example.com","last_name":"Santoso","first_name":"Budi"}},  "amount":150000, "order_id":"{order}"}}'
        self.assertEqual(self.answered(self.client.ask("POST", "/charge", body=body), 201), first)
        self.assertEqual(self.arrived(reference), arrived, "Midtrans was not asked again")

    def test_another_request_under_the_same_order_id(self):
        order = new_order()
        made = self.charged(order)
        for changed in ({"amount": 150001}, {"customer_details": CUSTOMER}, {"item_details": ITEMS}):
            answer = self.client.post("/charge", {**invoice(order), **changed})
            body = self.refused(answer, 400, "Bad Request", "conflict")
            self.assertEqual(body["field"], "order_id")
        self.assertEqual(self.charged(order), made, "what was made stays")

    def test_what_is_missing_or_misspelt(self):
        for body, field in (
            ({"amount": 1}, "order_id"),
            ({"order_id": 17, "amount": 1}, "order_id"),
            ({"order_id": "a"}, "amount"),
            ({}, "order_id"),
            (invoice(item_detail=ITEMS), "item_detail"),
            (invoice(item_details=[{"id": "a", "price": "x", "quantity": 1, "name": "b"}]), "item_details[0].price"),
            (invoice(customer_details={"firstname": "Budi"}), "customer_details.firstname"),
        ):
            with self.subTest(body=body):
                answer = self.refused(self.client.post("/charge", body), 400, "Bad Request", "invalid_params")
                self.assertEqual(answer["field"], field)

    def test_what_is_no_json(self):
        for body in ('{"order_id": "a", "amount": 1', "order_id=a&amount=1", "[1]", '"a"', b"\xff\xfe", '{"amount":1,"amount":2}'):
            with self.subTest(body=body):
                self.refused(self.client.ask("POST", "/charge", body=body), 400, "Bad Request", "invalid_json")

    def test_after_a_refusal_the_order_id_is_free(self):
        order = new_order()
        self.assertEqual(self.client.post("/charge", {"order_id": order, "amount": "x"}).status, 400)
        self.charged(order)


    def test_an_application_set_to_another_provider(self):
        """A program written for the document goes on as it is where no more is needed of it."""
        for account, channel, more in (
            ("ipaymu", "va_bca", {}),
            ("duitku", "BC", {}),
            ("klink", "va:014:BCAATM", {}),
            ("template", None, {}),
        ):
            with self.subTest(account, channel=channel):
                chosen = ["--channel", channel] if channel else []
                client = self.app(new_order("app").lower(), "--account", account, *chosen)
                order = new_order()
                made = self.charged(order, client, customer_details=CUSTOMER, **more)
                self.assertTrue(made["redirect_url"].startswith("http"), made)
                self.assertEqual(self.charged(order, client, customer_details=CUSTOMER, **more), made)

    def test_a_field_that_a_provider_wants_is_named(self):
        body = self.refused(self.client.post("/charge", invoice(provider="duitku", channel="BC")), 400, "Bad Request", "invalid_params")
        self.assertEqual(body["field"], "customer_details.email")


class Who(Document):
    def test_wrong_or_missing_credentials(self):
        code, key = "biling", self.key
        for headers in (
            {},
            {"X-App-Code": code},
            {"X-Api-Key": key},
            {"X-App-Code": code, "X-Api-Key": PRINTED_KEY},
            {"X-App-Code": "other", "X-Api-Key": key},
            {"X-App-Code": code, "X-Api-Key": key + "0"},
            {"X-App-Code": code, "X-Api-Key": ""},
            {"X-App-Code": code.upper(), "X-Api-Key": key},
        ):
            for method, path in (("POST", "/charge"), ("GET", "/status/INV-1")):
                with self.subTest(headers=headers, path=path):
                    answer = Client(self.gateway.port).ask(method, path, invoice() if method == "POST" else None, headers)
                    self.refused(answer, 401, "Unauthorized", "unauthorized")

    def test_it_is_said_before_anything_else(self):
        """Without a key nobody learns which orders there are, or what a body lacks."""
        self.refused(Client(self.gateway.port).ask("POST", "/charge", "nonsense"), 401, "Unauthorized", "unauthorized")

    def test_a_revoked_key(self):
        client = self.app("revoked")
        self.charged(client=client)
        listed = world.bayar(self.config, "app", "list")
        key = next(line.split()[1] for line in listed.splitlines() if line.startswith("revoked"))
        world.bayar(self.config, "app", "revoke", key)
        self.refused(client.post("/charge", invoice()), 401, "Unauthorized", "unauthorized")

    def test_the_log_has_no_secrets(self):
        order = new_order()
        self.charged(order, customer_details=CUSTOMER)
        log = self.gateway.logged()
        self.assertIn("POST /charge", log)
        for secret in (self.key, CUSTOMER["email"], CUSTOMER["phone"], "SB-Mid-server"):
            self.assertNotIn(secret, log)


class Status(Document):
    def looked_at(self, order):
        """Asks Midtrans now, so that nothing of a moment ago is shown."""
        self.answered(self.client.get(f"/v1/charges/{self.known(order)['id']}?fresh=true"), 200)
        return self.status(order)

    def begun(self, **more):
        order = new_order()
        self.charged(order, **more)
        return order, self.reference(order)

    def test_cancelled(self):
        order = new_order()
        self.charged(order, channel="bca_va")
        self.answered(self.client.post(f"/v1/charges/{self.known(order)['id']}/cancel"), 200)
        self.assertEqual(self.status(order)["transaction_status"], "cancel")

    def test_a_challenged_payment_is_not_success(self):
        order, reference = self.begun()
        self.control.act(reference, "challenge")
        shown = self.looked_at(order)
        self.assertNotIn(shown["transaction_status"], ("settlement", "capture"))
        self.assertEqual(shown["fraud_status"], "challenge")

    def test_two_applications_with_the_same_order_id(self):
        other = self.app("toko")
        order = new_order("INV")
        mine, theirs = self.charged(order), self.charged(order, client=other)
        self.assertNotEqual(mine["token"], theirs["token"])
        self.assertNotEqual(self.reference(order), self.reference(order, other))
        self.control.act(self.reference(order), "paid")
        self.assertEqual(self.looked_at(order)["transaction_status"], "settlement")
        self.assertEqual(self.status(order, other)["transaction_status"], "pending")

    def test_another_applications_order_is_as_unknown_as_none(self):
        other = self.app("donasi")
        order = new_order()
        self.charged(order)
        refused = self.refused(other.get(f"/status/{order}"), 404, "Not Found", "order_not_found")
        none = self.refused(other.get("/status/INV-NEVER"), 404, "Not Found", "order_not_found")
        self.assertEqual(set(refused), set(none))
        listed = self.known(order)
        for path in (listed["reference"], listed["id"]):
            self.refused(other.get(f"/status/{path}"), 404, "Not Found", "order_not_found")
        self.assertEqual(other.get(f"/v1/charges/{listed['id']}").status, 404)


class Trouble(Document):
    """500, "Masalah koneksi ke Midtrans": with a reason that a program can read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Bound and never listening: whoever connects is refused.
        cls.closed = socket.socket()
        cls.addClassCleanup(cls.closed.close)
        cls.closed.bind(("127.0.0.1", 0))

    def with_midtrans(self, **settings):
        """A client of a gateway whose account midtrans is set otherwise."""
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in {"server_key": "x", **settings}.items())
        config = self.world.config()
        text = re.sub(r"(?ms)^\[providers\.midtrans\].*?(?=^\[)", f"[providers.midtrans]\n{lines}\n", config.read_text())
        config.write_text(text)
        return Client(self.started(config).port, "biling", new_app(config, "biling"))

    def test_midtrans_cannot_be_reached(self):
        client = self.with_midtrans(base_url=f"http://127.0.0.1:{self.closed.getsockname()[1]}")
        body = self.refused(client.post("/charge", invoice()), 500, "Internal Server Error", "network")
        self.assertEqual((body["stage"], body["retry"]), ("not_sent", True))

    def test_the_server_key_is_wrong(self):
        client = self.with_midtrans(base_url=f"{self.control.url}/midtrans", server_key="SB-Mid-server-WRONG")
        body = self.refused(client.post("/charge", invoice()), 500, "Internal Server Error", "unauthorized")
        self.assertIn("server key", body["message"])

    def test_midtrans_breaks_off(self):
        """Nobody knows whether it was made: the same request again finds out, and never makes a second."""
        order = new_order()
        self.control.ask("POST", "faults", {"fault": "reset", "provider": "midtrans", "when": "after", "path_contains": "/snap/", "times": 1})
        body = self.refused(self.client.post("/charge", invoice(order)), 500, "Internal Server Error", "outcome_unknown")
        self.assertEqual(body["stage"], "maybe_sent")

    def test_midtrans_fails_at_a_status(self):
        order = new_order()
        self.charged(order, channel="bca_va")
        self.control.ask("POST", "faults", {"fault": "500", "provider": "midtrans", "path_contains": "/status", "times": 1})
        answer = self.client.get(f"/status/{order}")
        self.assertEqual((answer.status, answer.json()["error"]), (500, "Internal Server Error"), answer)


class Configuration(Document):
    """The document's `.env`, by its printed names."""

    PRINTED = (
        "# Security App\nSECRET_KEY={secret}\n\n"
        "# Midtrans Credentials (Dapat dari Dashboard Midtrans)\n"
        "MIDTRANS_SERVER_KEY=SB-Mid-server-EXAMPLE0000000000000000\nMIDTRANS_CLIENT_KEY=SB-Mid-client-EXAMPLE00000000\n"
        "MIDTRANS_MERCHANT_ID=G000000001\n\n# Mode Environment\nMIDTRANS_IS_PRODUCTION={production}\n"
    )

    def env(self, name, secret="change-me", production="false", more=""):
        """The printed file in a directory of its own; beside the printed lines what the tests need."""
        directory = self.world.path(name)
        directory.mkdir()
        ours = f"BAYAR_GATEWAY_LISTEN=127.0.0.1:0\nBAYAR_ENGINE_PLUGINS={TARGET}\nMIDTRANS_BASE_URL={self.control.url}/midtrans\n"
        config = directory / ".env"
        config.write_text(self.PRINTED.format(secret=secret, production=production) + ours + more)
        config.chmod(0o600)
        return config

    def serving(self, config):
        gateway = self.started(config)
        return gateway, Client(gateway.port, "biling", new_app(config, "biling"))

    def refuses(self, config):
        """What `bayar serve` says of a configuration that it does not start with."""
        ran = subprocess.run([TARGET / "bayar", "--config", config, "serve"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotEqual(ran.returncode, 0)
        self.assertEqual(ran.stdout, "")
        return ran.stderr

    def test_it_serves_until_it_is_told_to_end(self):
        config = self.env("serves")
        gateway, client = self.serving(config)
        order = new_order()
        made = self.charged(order, client, customer_details=CUSTOMER)
        self.assertEqual(set(made), {"redirect_url", "token"})
        self.assertEqual(self.status(order, client)["transaction_status"], "pending")
        self.assertEqual(gateway.stop(), 0)
        kept = {path.name for path in config.parent.iterdir()}
        self.assertLessEqual({".env", "journal.db", "gateway.db"}, kept)
        # Started again, as systemctl restart does, it knows what it made.
        again = Client(self.started(config).port, client.code, client.key)
        self.assertEqual(self.charged(order, again, customer_details=CUSTOMER), made)

    def test_its_log_in_a_file(self):
        log = self.world.path("app.log")
        _, client = self.serving(self.env("logs", more=f"BAYAR_GATEWAY_LOG_FILE={log}\n"))
        self.charged(client=client)
        self.assertIn("POST /charge", log.read_text())

    def test_production_keys_that_everybody_can_read(self):
        config = self.env("open", "0123456789abcdef0123456789abcdef", "true")
        config.chmod(0o644)
        said = self.refuses(config)
        self.assertIn("chmod 640", said)
        self.assertNotIn("EXAMPLE0000000000000000", said)

    def test_no_plain_http_beyond_this_machine(self):
        said = self.refuses(self.world.config(listen="0.0.0.0:0"))
        for way in ("tls_cert", "allow_plaintext"):
            self.assertIn(way, said)


class Host(Document):
    """A program that embeds the engine, and pays through this gateway: the plugin's `gateway_url`."""

    def setUp(self):
        config = {
            "engine": {"plugins": str(TARGET), "journal": "none"},
            "providers": {"midtrans": {"gateway_url": self.url, "app_code": "biling", "api_key": self.key}},
        }
        self.engine = bayar.Engine(config)
        self.addCleanup(self.engine.close)

    def test_from_charge_to_paid(self):
        order = new_order()
        made = self.engine.charge("midtrans", {"order_id": order, "amount": 150000, "customer": {"name": "Budi Santoso"}}, key=order)
        self.assertEqual((made["status"], made["instruction"]["kind"]), ("pending", "redirect"))
        # The host's reference is the gateway's order id.
        self.control.act(self.reference(made["reference"]), "paid")
        paid = self.engine.status("midtrans", {"reference": made["reference"]})
        self.assertEqual(paid["status"], "paid")

    def test_a_wrong_key(self):
        config = {
            "engine": {"plugins": str(TARGET), "journal": "none"},
            "providers": {"midtrans": {"gateway_url": self.url, "app_code": "biling", "api_key": PRINTED_KEY}},
        }
        with bayar.Engine(config) as engine, self.assertRaises(bayar.Error) as caught:
            engine.charge("midtrans", {"order_id": "a", "amount": 1}, key="a")
        self.assertEqual(caught.exception.code, "unauthorized")
