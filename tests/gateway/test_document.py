"""The API of the gateway's document, as programs written for it use it."""

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

from world import TARGET, Case, Client, bayar, new_app, new_order, until

SAMPLES = Path(__file__).parent / "samples"
PRINTED = ["fraud_status", "id", "status_code", "status_message", "transaction_id", "transaction_status"]


class Document(Case):
    def charge(self, order=None, client=None, **more):
        return (client or self.client).post("/charge", {"order_id": order or new_order(), "amount": 150000, **more})

    def sample(self, name, command):
        """A sample, unchanged but for host and key; gives what it printed."""
        text = (SAMPLES / name).read_text()
        for printed, ours in [("localhost:5000", f"localhost:{self.gateway.port}"), ("0" * 32, self.key)]:
            self.assertEqual(text.count(printed), 1)
            text = text.replace(printed, ours)
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / name
            path.write_text(text)
            ran = subprocess.run([*command, path], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return ran.stdout

    def test_the_sample_in_python(self):
        printed = self.sample("charge.py", [sys.executable])
        self.assertRegex(printed, r"^Link Bayar: http://\S+/snap/\S+\n$")

    def test_the_sample_in_php(self):
        printed = self.sample("charge.php", ["php"])
        self.assertRegex(printed, r"^Silakan bayar di sini: http://\S+/snap/\S+\n?$")

    def test_the_request_that_it_prints(self):
        order = new_order("INV-2025")
        body = {
            "order_id": order,
            "amount": 150000,
            "customer_details": {"first_name": "Budi", "last_name": "Santoso", "email": "budi@example.com", "phone": "08123456789"},
            "item_details": [{"id": "VPS-01", "price": 150000, "quantity": 1, "name": "Cloud VPS Basic"}],
        }
        made = self.client.post("/charge", body)
        self.assertEqual(made.status, 201, made)
        self.assertEqual(sorted(made.json()), ["redirect_url", "token"])
        self.assertTrue(made.json()["redirect_url"].endswith(made.json()["token"]))

        pending = self.client.get(f"/status/{order}")
        self.assertEqual((pending.status, pending.json()["transaction_status"]), (200, "pending"), pending)
        self.assertEqual(sorted(pending.json()), PRINTED)
        self.world.control.act(order)
        paid = {}
        # An answer may be a second old.
        until(lambda: paid.update(self.client.get(f"/status/{order}").json()) or paid["transaction_status"] == "settlement", "paid")
        self.assertEqual(sorted(paid), PRINTED)
        self.assertEqual((paid["fraud_status"], paid["status_code"]), ("accept", "200"))
        self.assertEqual(paid["status_message"], "Success, transaction is found")
        self.assertEqual(paid["id"], paid["transaction_id"])
        self.assertTrue(paid["id"])

    def test_the_statuses_that_it_names(self):
        for act, word, code in [("failed", "deny", "202"), ("expired", "expire", "407"), ("paid", "settlement", "200")]:
            with self.subTest(act):
                order = new_order()
                self.charge(order, channel="gopay")
                self.world.control.act(order, act=act)
                answer = self.client.get(f"/status/{order}").json()
                self.assertEqual((answer["transaction_status"], answer["status_code"]), (word, code), answer)

    def test_the_same_request_gives_the_same_token(self):
        order = new_order()
        first, second = self.charge(order), self.charge(order)
        self.assertEqual((first.status, second.status), (201, 201))
        self.assertEqual(first.json(), second.json())
        self.refused(self.charge(order, customer_details={"first_name": "Budi"}), 400, "conflict")
        self.assertEqual(self.world.control.get(f"midtrans/{order}")["arrived"], {"charge": 1})

    def test_pressed_ten_times_at_once(self):
        order, answers = new_order(), []
        press = lambda: answers.append(self.charge(order))
        threads = [threading.Thread(target=press) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([answer.status for answer in answers], [201] * 10, answers)
        self.assertEqual(len({answer.json()["token"] for answer in answers}), 1)
        self.assertEqual(self.world.control.get(f"midtrans/{order}")["arrived"], {"charge": 1})

    def test_400(self):
        for body, field in [
            ('{"order_id": "a"', None),
            ("[]x", None),
            ('"text"', None),
            ('{"amount": 1}', "order_id"),
            ('{"order_id": "a"}', "amount"),
            ('{"order_id": "a", "amount": "150000"}', "amount"),
            ('{"order_id": "a", "amount": 150000.5}', "amount"),
            ('{"order_id": "a", "amount": 0}', "amount"),
            ('{"order_id": "a", "amount": -1}', "amount"),
            ('{"order_id": "a", "amount": true}', "amount"),
            ('{"order_id": 7, "amount": 1}', "order_id"),
            ('{"order_id": "a", "amount": 1, "amount": 2}', None),
            ('{"order_id": "a", "amount": 1, "item_details": [{"id": "x", "price": 2, "quantity": 1, "name": "y"}]}', "item_details"),
            ('{"order_id": "a", "amount": 1, "orderid": "b"}', "orderid"),
            ('{"order_id": "a", "amount": 1, "provider": "paypal"}', "provider"),
            ('{"order_id": "a", "amount": 1, "channel": "cash"}', "channel"),
        ]:
            with self.subTest(body):
                answer = self.client.ask("POST", "/charge", body)
                self.assertEqual(answer.status, 400, answer)
                self.assertEqual(answer.json()["error"], "Bad Request")
                self.assertEqual(answer.json().get("field"), field)
                self.assertEqual(answer.json()["stage"], "not_sent")

    def test_401(self):
        anybody = {"order_id": "a", "amount": 1}
        for code, key in [("biling", "0" * 32), ("other", self.key), ("", ""), ("biling", self.key + "x"), (None, None)]:
            with self.subTest(code):
                client = Client(self.gateway.port, code, key)
                for answer in (client.post("/charge", anybody), client.get("/status/a")):
                    document = self.refused(answer, 401, "unauthorized")
                    self.assertEqual(document["error"], "Unauthorized")

    def test_404(self):
        for method, path in [("GET", "/charge"), ("POST", "/status/a"), ("GET", "/status"), ("GET", "/status/"), ("POST", "/charges"), ("DELETE", "/charge"), ("GET", "/else")]:
            with self.subTest(path):
                document = self.refused(self.client.ask(method, path), 404, "endpoint_not_found")
                self.assertEqual(document["error"], "Endpoint not found")
        document = self.refused(self.client.get("/status/nobody"), 404, "order_not_found")
        self.assertEqual(document["error"], "Not Found")

    def test_500(self):
        for fault in ("reset", "500", "html"):
            with self.subTest(fault):
                order = new_order()
                self.world.control.ask("POST", "faults", {"fault": fault, "provider": "midtrans", "when": "before"})
                answer = self.charge(order)
                self.assertEqual(answer.status, 500, answer)
                document = self.refused(answer, 500, "outcome_unknown")
                self.assertEqual((document["error"], document["stage"]), ("Internal Server Error", "maybe_sent"))

    def test_what_was_refused_can_be_asked_for_again_under_the_same_order(self):
        order = new_order()
        key = "SB-Mid-server-EXAMPLE0000000000000000"
        settings = lambda key: self.world.control.ask("POST", "settings", {"midtrans.server_key": key})
        self.assertEqual(settings("SB-Mid-server-ANOTHER000000000000000")[0], 200)
        self.addCleanup(settings, key)
        # The document: "Cek ... Server Key Midtrans di .env".
        self.refused(self.charge(order), 500, "unauthorized")
        self.refused(self.charge(order), 500, "unauthorized")
        self.refused(self.client.get(f"/status/{order}"), 404, "order_not_found")
        settings(key)
        self.assertEqual(self.charge(order, customer_details={"first_name": "Budi"}).status, 201)

    def test_order_ids_that_midtrans_would_not_take(self):
        for order in [f"INV/2025/{new_order()}", f"Tagihan bulan {new_order()}", f"Ünïcode {new_order()}"]:
            with self.subTest(order):
                self.assertEqual(self.charge(order).status, 201)
                for path in (f"/status/{quote(order)}", f"/status/{quote(order, safe='')}"):
                    answer = self.client.get(path)
                    self.assertEqual((answer.status, answer.json()["transaction_status"]), (200, "pending"), answer)

    def test_each_application_has_its_own_orders(self):
        other = Client(self.gateway.port, "shop", new_app(self.config, "shop"))
        order = new_order()
        mine, theirs = self.charge(order), self.charge(order, client=other)
        self.assertEqual((mine.status, theirs.status), (201, 201))
        self.assertNotEqual(mine.json()["token"], theirs.json()["token"])
        only_mine = new_order()
        self.charge(only_mine)
        self.refused(other.get(f"/status/{only_mine}"), 404, "order_not_found")

    def test_provider_and_channel(self):
        by_channel = self.charge(channel="bca_va")
        self.assertEqual(by_channel.status, 201, by_channel)
        document = by_channel.json()
        self.assertEqual((document["token"], document["instruction"]["kind"]), (None, "virtual_account"))
        order = new_order()
        channels = self.client.get("/v1/channels?account=klink&amount=150000").json()["data"]
        virtual = next(channel["id"] for channel in channels if channel["kind"] == "virtual_account")
        at_klink = self.charge(order, provider="klink", channel=virtual, customer_details={"first_name": "Budi", "email": "budi@example.com", "phone": "081200000001"})
        self.assertEqual(at_klink.status, 201, at_klink)
        self.assertEqual(at_klink.json()["instruction"]["kind"], "virtual_account")
        status = self.client.get(f"/status/{order}")
        self.assertEqual((status.status, status.json()["transaction_status"]), (200, "pending"), status)

    def test_an_application_may_be_set_to_another_provider(self):
        key = new_app(self.config, "static", "--account", "midtrans", "--channel", "qris")
        made = self.charge(client=Client(self.gateway.port, "static", key))
        self.assertEqual((made.status, made.json()["instruction"]["kind"]), (201, "qr"), made)

    def test_the_plugin_speaks_to_it(self):
        """A host moves between Midtrans itself and this gateway without code."""
        providers = (
            '\n[providers.behind]\nplugin = "midtrans"\nenvironment = "sandbox"\n'
            f'gateway_url = "http://127.0.0.1:{self.gateway.port}"\napp_code = "biling"\napi_key = "{self.key}"\n'
        )
        config = self.world.config(providers=providers)
        order = new_order()
        call = lambda *arguments, **more: bayar(config, "call", "behind", *arguments, **more)
        made = call("charge", f'{{"order_id": "{order}", "amount": 150000}}', "--key", order)
        self.assertIn('"pending"', made)
        self.world.control.act(order)
        paid = json.loads(call("status", f'{{"order_id": "{order}"}}'))
        self.assertEqual((paid["status"], paid.get("review")), ("paid", None), paid)
        missing = call("status", '{"order_id": "nobody"}', status=1)
        self.assertEqual(json.loads(missing)["code"], "order_not_found")


class Env(Case):
    """The document's own configuration."""

    def test_the_documents_env(self):
        directory = self.world.path("opt")
        directory.mkdir()
        env = directory / ".env"
        env.write_text(
            "# Security App\nSECRET_KEY=change-me\n\n"
            "# Midtrans Credentials (Dapat dari Dashboard Midtrans)\n"
            "MIDTRANS_SERVER_KEY=SB-Mid-server-EXAMPLE0000000000000000\n"
            "MIDTRANS_CLIENT_KEY=Mid-client-EXAMPLE00000000\nMIDTRANS_MERCHANT_ID=G000000001\n\n"
            "# Mode Environment\nMIDTRANS_IS_PRODUCTION=false\n\n"
            f"# Of this test\nMIDTRANS_BASE_URL={self.world.process.url}/midtrans\n"
            f"BAYAR_ENGINE_PLUGINS={TARGET}\nBAYAR_GATEWAY_LISTEN=127.0.0.1:0\nFLASK_DEBUG=1\n"
        )
        key = new_app(env, "biling")
        gateway = self.started(env)
        made = Client(gateway.port, "biling", key).post("/charge", {"order_id": new_order(), "amount": 150000})
        self.assertEqual(made.status, 201, made)
        self.assertTrue((directory / "journal.db").exists() and (directory / "gateway.db").exists())

    def test_real_money_wants_a_real_secret(self):
        env = self.world.path("production.env")
        env.write_text("SECRET_KEY=change-me\nMIDTRANS_SERVER_KEY=Mid-server-x\nMIDTRANS_IS_PRODUCTION=true\n" f"BAYAR_ENGINE_PLUGINS={TARGET}\n")
        env.chmod(0o600)
        ran = subprocess.run([TARGET / "bayar", "--config", env, "serve"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("SECRET_KEY", ran.stderr)
        self.assertIn("openssl rand", ran.stderr)
        env.chmod(0o644)
        ran = subprocess.run([TARGET / "bayar", "--config", env, "serve"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("chmod 640", ran.stderr)
