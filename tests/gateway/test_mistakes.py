"""What people get wrong, and what they are told then: no half-working gateway, no answer that leads nowhere."""

import os
import re
import signal
import sqlite3
import subprocess
import urllib.parse

from postgres import Cluster
from world import PATIENCE, TARGET, Case, Client, Receiver, bayar, new_app, new_order, until

CUSTOMER = {"first_name": "Budi", "email": "budi@example.com", "phone": "08123456789"}


def told(config, *arguments):
    """What a command that is refused says."""
    ran = subprocess.run([TARGET / "bayar", "--config", config, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    if ran.returncode == 0:
        raise AssertionError(f"bayar {' '.join(arguments)} was not refused: {ran.stdout}")
    return ran.stderr


class Keys(Case):
    """The key that seals what the database keeps."""

    def test_another_secret_key_than_the_one_that_sealed(self):
        config = self.world.config(public_url="https://pay.example.com")
        new_app(config, "biling")
        secret = bayar(config, "app", "secret", "biling")
        right = config.read_text()
        config.write_text(right.replace("of the tests", "of somebody else"))
        for command in (("serve",), ("serve", "--print-callbacks"), ("app", "secret", "biling", "--rotate")):
            said = told(config, *command)
            self.assertIn("put it back", said, command)
            self.assertIn("previous_secret_key", said, command)
        config.write_text(right)
        self.assertEqual(bayar(config, "app", "secret", "biling"), secret, "nothing was made under the wrong one")

    def test_a_secret_key_is_exchanged(self):
        """From the document's change-me, say, to one that nobody knows."""
        config = self.world.config(public_url="https://pay.example.com", secret_key="change-me")
        key = new_app(config, "biling")
        kept = [bayar(config, "app", "secret", "biling"), bayar(config, "serve", "--print-callbacks")]
        text = config.read_text().replace('"change-me"', '"another, long and random"')
        config.write_text(text + 'previous_secret_key = "change-me"\n')
        gateway = self.started(config)
        self.assertEqual(Client(gateway.port, "biling", key).get("/v1/charges").status, 200)
        self.assertIn("previous_secret_key", gateway.logged(), "it says that it may go")
        gateway.stop()
        config.write_text(text)
        self.started(config)
        self.assertEqual([bayar(config, "app", "secret", "biling"), bayar(config, "serve", "--print-callbacks")], kept)

    def test_a_provider_never_hears_500(self):
        config = self.world.config(public_url="https://pay.example.com")
        address = re.search(r"(?m)^midtrans +https://[^/]+(/\S+)$", bayar(config, "serve", "--print-callbacks")).group(1)
        gateway = self.started(config)
        database = sqlite3.connect(config.with_name("gateway.db"))
        database.execute("UPDATE gateway_inbound SET sealed = 'damaged'")
        database.commit()
        database.close()
        answer = Client(gateway.port).post(address, {})
        self.assertEqual(answer.status, 503, "503 is sent again, and 500 may not be")


class Document(Case):
    """The document's API."""

    gateway_settings = {"body_limit": 2000, "rate_per_address": 5}

    def test_a_provider_that_charges_nobody(self):
        answer = self.client.post("/charge", {"order_id": new_order(), "amount": 1, "provider": "biller"})
        document = self.refused(answer, 400, "unsupported")
        self.assertEqual((document["error"], document["field"]), ("Bad Request", "provider"))

    def test_fields_are_called_what_the_document_calls_them(self):
        order = {"order_id": new_order(), "amount": 2}
        items = {"item_details": [{"id": "a", "price": 1, "quantity": 1, "name": "b"}]}
        customer = {"provider": "duitku", "customer_details": {"first_name": "Budi"}, "return_url": "https://shop.example.com/"}
        for more, field in ((items, "item_details"), (customer, "customer_details.email")):
            document = self.refused(self.client.post("/charge", {**order, **more}), 400, "invalid_params")
            self.assertEqual(document["field"], field)
            self.assertTrue(document["message"].startswith(field), document)

    def test_what_stops_it_at_the_door_has_the_documents_form(self):
        large = self.client.post("/charge", {"order_id": "x" * 3000, "amount": 1})
        self.assertEqual(self.refused(large, 413, "body_too_large")["error"], "Payload Too Large")
        often = until(lambda: next((one for one in (self.client.get("/status/a") for _ in range(20)) if one.status == 429), None), "too often")
        self.assertEqual(self.refused(often, 429, "rate_limited")["error"], "Too Many Requests")
        self.assertEqual(often.headers["Content-Type"], "application/json")
        self.assertEqual(often.headers["Retry-After"], "1")
        often = until(lambda: next((one for one in (self.client.get("/v1/charges") for _ in range(20)) if one.status == 429), None), "too often")
        self.assertEqual(often.headers["Content-Type"], "application/problem+json")


class V1(Case):
    def test_every_refusal_is_a_problem(self):
        for method, path, status in (("POST", "/v1/openapi.json", 405), ("GET", "/v1", 404), ("GET", "/v1/charges/", 404), ("TRACE", "/v1/charges", 405)):
            answer = self.client.ask(method, path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (status, "application/problem+json"), path)

    def test_what_may_be_answered_stands_in_the_document(self):
        document = self.client.get("/v1/openapi.json").json()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                for status in ("405", "408", "504"):
                    self.assertIn(status, operation["responses"], (method, path))
        self.world.control.ask("POST", "faults", {"fault": "delay", "provider": "midtrans", "ms": 2000})
        order = new_order()
        self.assertEqual(self.client.post("/v1/charges", {"order_id": order, "amount": 1, "channel": "bca_va"}, key=order).status, 201)
        self.world.control.ask("POST", "faults", {"fault": "delay", "provider": "midtrans", "ms": 2000})
        slow = self.client.post("/v1/accounts/midtrans/operations/status", {"order_id": order, "deadline_ms": 200})
        self.assertEqual(slow.json()["status"], 504, slow)

    def test_a_page_on_which_nobody_has_chosen(self):
        """Midtrans knows a payment only once its payer has chosen how to pay: until then nothing can be cancelled."""
        order = new_order()
        made = self.client.post("/v1/charges", {"order_id": order, "amount": 150000}, key=order).json()
        path = f"/v1/charges/{made['id']}"
        for answer in (self.client.post(path + "/cancel"), self.client.post(path + "/refund", key="refund " + order)):
            document = self.refused(answer, 409, "not_possible")
            self.assertIn("has not chosen a way to pay", document["message"])
        page = urllib.parse.urlsplit(made["instruction"]["url"])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(Client(page.port).ask("POST", page.path, "method=bca_va", headers=form).status, 303)
        # What was refused is asked again, and what was done is not.
        for _ in range(2):
            cancelled = self.client.post(path + "/cancel")
            self.assertEqual((cancelled.status, cancelled.json()["status"]), (200, "cancelled"), cancelled)
        self.assertEqual(self.world.control.get(f"midtrans/{order}")["executed"]["cancel"], 1)


class Outside(Case):
    """What strangers send must not fill anything, nor be written down where it is secret."""

    gateway_settings = {"public_url": "https://pay.example.com"}

    def test_methods_that_there_are_not_are_counted_as_one(self):
        for number in range(5):
            self.client.ask(f"BREW{number}", "/x")
        counted = self.client.get("/metrics").body.decode()
        self.assertNotIn("BREW", counted)
        self.assertIn('bayar_requests_total{route="none",method="other",status="404"} 5', counted)

    def test_an_address_with_something_behind_it(self):
        address = re.search(r"(?m)^midtrans +https://[^/]+(/\S+)$", bayar(self.config, "serve", "--print-callbacks")).group(1)
        for path in (address + "/", "/" + address, address.replace("/callbacks/", "/callbacks//")):
            self.assertEqual(Client(self.gateway.port).post(path, {}).status, 404)
        until(lambda: self.gateway.logged().count("status=404") >= 3, "they are logged")
        self.assertNotIn(address.split("/")[-1], self.gateway.logged())


class Dashboard(Case):
    def test_an_address_at_which_nobody_can_sign_in(self):
        """Browsers keep a session over https only, and on their own machine."""
        plain = Client(self.gateway.port)
        behind = Client(self.started(self.world.config(public_url="https://pay.example.com")).port)
        for client, host, works in (
            (plain, "192.0.2.2:5000", False),
            (plain, "pay.example.com", False),
            (plain, "localhost:5000", True),
            (plain, "127.0.0.1:5000", True),
            (behind, "pay.example.com", True),
        ):
            page = client.get("/dashboard/sign-in", headers={"Host": host})
            self.assertEqual("over https only" in page.body.decode(), not works, host)
        tried = plain.post("/dashboard/sign-in", "email=a", headers={"Host": "192.0.2.2:5000", "Origin": "http://192.0.2.2:5000", "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(tried.status, 403)
        self.assertIn("https://", tried.body.decode())
        self.assertNotIn("set public_url to http://", tried.body.decode())


class Applications(Case):
    """`bayar app`."""

    def test_names_that_there_are_not(self):
        config = self.world.config()
        for option, value, says in (
            ("--account", "midtran", "midtrans"),
            ("--accounts", "midtrans,dokuu", "duitku"),
            ("--operations", "transfers", "transfer"),
            ("--callback-url", "http://shop.example.com/paid", "https"),
            ("--callback-url", "https://127.0.0.1/paid", "allow_private_callbacks"),
            ("--callback-url", "https://[::1]/paid", "allow_private_callbacks"),
        ):
            with self.subTest(option, value=value):
                said = told(config, "app", "create", "biling", option, value)
                self.assertIn(value.split(",")[-1], said)
                self.assertIn(says, said)
        self.assertNotIn("biling", bayar(config, "app", "list"), "nothing of it was made")
        new_app(config, "biling", "--account", "midtrans", "--accounts", "midtrans,duitku", "--operations", "transfer,balance")
        self.assertIn("no application", told(config, "app", "change", "bilink", "--name", "x"))
        self.assertIn("another code", told(config, "app", "create", "biling"))

    def test_a_callback_by_http_says_which_setting(self):
        # Made while it was allowed.
        config = self.world.config(allow_private_callbacks=True)
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        key = new_app(config, "biling", "--callback-url", receiver.url)
        config.write_text(config.read_text().replace("allow_private_callbacks = true", ""))
        gateway = self.started(config)
        client = Client(gateway.port, "biling", key)
        made = client.post("/v1/charges", {"order_id": new_order(), "amount": 1000, "channel": "gopay"}, key="a").json()
        self.world.control.act(made["reference"])
        client.get(f"/v1/charges/{made['id']}?fresh=true")
        until(lambda: "was not delivered" in gateway.logged(), "it is tried")
        self.assertIn("allow_private_callbacks", gateway.logged())
        self.assertEqual(receiver.all(), [])


class Characters(Case):
    """What no database takes, or only one of both."""

    def refuse(self, gateway, key):
        client = Client(gateway.port, "biling", key)
        long = os.urandom(6000).hex()
        make = lambda **more: client.post("/v1/charges", {"order_id": new_order(), "amount": 1000, **more}, key=new_order())
        purchase = {"order_id": new_order(), "product": "s10", "destination": "081200000001"}
        buy = lambda **more: client.post("/v1/accounts/biller/operations/purchase", {**purchase, **more})
        ask = lambda operation, **params: client.post(f"/v1/accounts/{operation}", params)
        for name, answer in {
            "an order": client.post("/charge", {"order_id": "a\0b", "amount": 1000}),
            "an order of v1": make(order_id="a\0b"),
            "a long one": make(order_id=long),
            "another's": buy(order_id="a\0b", key="a"),
            "another's, long": buy(order_id=long, key="b"),
            "a key": buy(key="a\0b"),
            "a payer": make(customer={"name": "a\0b"}),
            "an intent": ask("bayar/operations/intent", intent="\0"),
            "a reference": ask("midtrans/operations/status", reference="\0"),
            **{path: client.get(path) for path in ("/status/a%00b", "/v1/charges/%00", "/v1/charges?order_id=%00", "/dashboard/join/%00", "/status/%ff", "/v1/charges/%ff")},
        }.items():
            self.assertEqual(answer.status, 400, (name, answer))
            self.assertIn(answer.json()["code"], ("invalid_params", "invalid_json"), name)
        self.assertNotIn("ERROR", gateway.logged())
        self.assertEqual(client.get("/v1/charges").json(), {"data": []})

    def test_in_sqlite(self):
        config = self.world.config()
        key = new_app(config, "biling", "--operations", "*")
        self.refuse(self.started(config), key)

    def test_in_postgresql(self):
        cluster = Cluster()
        self.addCleanup(cluster.stop)
        config = self.world.config(journal=cluster.database("characters"))
        key = new_app(config, "biling", "--operations", "*")
        self.refuse(self.started(config), key)


class Settings(Case):
    """bayar.toml and .env."""

    def test_values_that_are_almost_right(self):
        for settings, says in (
            ({"listen": "localhost:5000"}, "127.0.0.1:5000"),
            ({"listen": "5000"}, "127.0.0.1:5000"),
            ({"trusted_proxies": ["10.0.0.0/33"]}, "10.0.0.0/8"),
            ({"trusted_proxies": ["proxy"]}, "10.0.0.0/8"),
        ):
            with self.subTest(settings):
                said = told(self.world.config(**settings), "serve")
                self.assertIn(next(iter(settings)), said)
                self.assertIn(says, said)
        gateway = self.started(self.world.config(trusted_proxies=["127.0.0.1", "::1"]))
        Client(gateway.port).get("/healthz", headers={"X-Forwarded-For": "192.0.2.7"})
        until(lambda: "client=192.0.2.7" in gateway.logged(), "one address is a network, too")

    def env(self, text):
        directory = self.world.path(new_order("env"))
        directory.mkdir()
        config = directory / ".env"
        config.write_bytes(text.encode() + f"\nBAYAR_GATEWAY_LISTEN=127.0.0.1:0\nBAYAR_ENGINE_PLUGINS={TARGET}\n".encode())
        config.chmod(0o600)
        return config

    def test_an_env_as_others_write_it(self):
        config = self.env(
            "\ufeff# Of an editor of Windows\r\nexport\tSECRET_KEY=\"a \\\"b\\\" # c\"\r\nexport   MIDTRANS_SERVER_KEY='SB-Mid-server-EXAMPLE0000000000000000'\t# ours\r\n"
            'BARE\r\nMAIL.HOST=x\r\nMY-NAME=y\r\nPRIVATE_KEY="-----BEGIN\nEND-----"\r\nMIDTRANS_IS_PRODUCTION = False\t# not yet\r\n'
            f"MIDTRANS_BASE_URL={self.world.process.url}/midtrans\nBAYAR_GATEWAY_METRICS_TOKEN=12345\nBAYAR_GATEWAY_TRUSTED_PROXIES=10.0.0.0/8, 127.0.0.1\n"
        )
        key = new_app(config, "biling")
        gateway = self.started(config)
        order = new_order()
        made = Client(gateway.port, "biling", key).post("/charge", {"order_id": order, "amount": 1, "customer_details": CUSTOMER})
        self.assertEqual(made.status, 201, made)
        # Every other command reads it, too.
        self.assertIn(order, bayar(config, "journal", "list"))
        self.assertIn("midtrans", bayar(config, "doctor"))
        metrics = Client(gateway.port).get("/metrics", headers={"Authorization": "Bearer 12345"})
        self.assertEqual(metrics.status, 200, metrics)

    def test_an_env_without_an_account(self):
        said = told(self.env("SECRET_KEY=abc"), "serve")
        self.assertIn("MIDTRANS_SERVER_KEY", said)


class Terminal(Case):
    def test_completions_that_nobody_reads_to_the_end(self):
        ran = subprocess.Popen([TARGET / "bayar", "completions", "bash"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ran.stdout.read(10)
        ran.stdout.close()
        said = ran.stderr.read().decode()
        ran.stderr.close()
        self.assertNotIn("panicked", said)
        self.assertIn(ran.wait(timeout=PATIENCE), (0, 1, -signal.SIGPIPE))
