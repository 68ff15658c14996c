"""Callbacks of providers, and callbacks to applications."""

import hashlib
import json
import re
import sqlite3
import urllib.parse

from world import Case, Client, Receiver, bayar, new_app, new_order, until, verified


def charge(client, order=None, **more):
    order = order or new_order()
    answer = client.post("/v1/charges", {"order_id": order, "amount": 150000, "channel": "bca_va", **more}, key=order)
    assert answer.status == 201, answer
    return answer.json()


class Out(Case):
    """What an application is told."""

    def told(self, order, count=1):
        return until(lambda: (found := self.receiver.of(order)) and len(found) >= count and found, f"{count} of {order}")

    def pay(self, order):
        """Paid, and found out by asking: nobody has told the sandbox where to call."""
        self.world.control.act(order)
        self.ask(order)

    def ask(self, order):
        asked = self.client.post("/v1/accounts/midtrans/operations/status", {"order_id": order})
        self.assertEqual((asked.status, asked.json()["status"]), (200, "paid"), asked)

    def test_a_payment_is_told_once_and_signed(self):
        made = charge(self.client)
        self.pay(made["order_id"])
        (one, said), *more = self.told(made["order_id"])
        self.assertEqual(said["type"], "charge.paid")
        self.assertEqual((said["data"]["intent"], said["data"]["status"]), (made["id"], "paid"))
        self.assertEqual(said["data"]["tenant"], "biling")
        self.assertNotIn("raw", said["data"])
        self.assertEqual(one["headers"]["Content-Type"], "application/json")
        secret = bayar(self.config, "app", "secret", "biling").strip()
        self.assertTrue(verified(one, secret))
        self.assertFalse(verified({**one, "body": one["body"] + b" "}, secret))
        # Asked again, and nothing is new.
        self.ask(made["order_id"])
        events = self.client.get("/v1/events?limit=100").json()["data"]
        mine = [event for event in events if event["data"]["order_id"] == made["order_id"]]
        self.assertEqual([event["type"] for event in mine], ["charge.paid"])
        self.assertEqual(mine[0]["id"], one["headers"]["webhook-id"])
        self.assertEqual(mine[0]["data"], said["data"])
        self.assertEqual(len(self.receiver.of(made["order_id"])), 1)

    def test_what_failed_is_tried_again_under_the_same_id(self):
        made = charge(self.client)
        answers = {}

        def once_500(_, one):
            order = json.loads(one["body"])["data"]["order_id"]
            answers[order] = answers.get(order, 0) + 1
            return 500 if order == made["order_id"] and answers[order] == 1 else 204

        self.receiver.answer = once_500
        self.addCleanup(lambda: setattr(self.receiver, "answer", lambda *_: 204))
        self.pay(made["order_id"])
        first, second = self.told(made["order_id"], 2)
        self.assertEqual(first[0]["headers"]["webhook-id"], second[0]["headers"]["webhook-id"])
        self.assertEqual(first[0]["body"], second[0]["body"])

    def test_what_is_changed_elsewhere_is_told_too(self):
        made = charge(self.client)
        self.world.control.act(made["order_id"])
        # Another program over the same journal: what `bayar recover` of cron finds out.
        bayar(self.config, "recover", "--now", "--quiet")
        (_, said), *_ = self.told(made["order_id"])
        self.assertEqual(said["type"], "charge.paid")

    def test_each_change_is_told(self):
        made = charge(self.client, channel="gopay")
        self.pay(made["order_id"])
        back = self.client.post(f"/v1/charges/{made['id']}/refund", {"amount": 50000, "reason": "half"}, key="r" + made["id"])
        self.assertEqual(back.status, 200, back)
        self.assertEqual(back.json()["charge"]["status"], "partially_refunded")
        types = lambda: {said["type"] for _, said in self.receiver.of(made["order_id"])}
        expected = {"charge.paid", "charge.partially_refunded", "refund.done"}
        until(lambda: types() >= expected, f"{expected}")
        self.assertEqual(types(), expected)

    def test_two_secrets_sign_while_they_are_exchanged(self):
        old = bayar(self.config, "app", "secret", "biling").split()[0]
        new, before = bayar(self.config, "app", "secret", "biling", "--rotate").split()
        self.assertEqual(before, old)
        made = charge(self.client)
        self.pay(made["order_id"])
        (one, _), *_ = self.told(made["order_id"])
        self.assertTrue(verified(one, new) and verified(one, old))

    def test_an_address_that_wants_no_more_gets_no_more(self):
        gone = Receiver()
        self.addCleanup(gone.stop)
        gone.answer = lambda *_: 410
        client = Client(self.gateway.port, "gone", new_app(self.config, "gone", "--callback-url", gone.url))
        made = charge(client)
        self.world.control.act(made["order_id"])
        client.get(f"/v1/charges/{made['id']}?fresh=true")
        until(lambda: "it wants no more" in self.gateway.logged(), "parked")
        self.assertEqual(len(gone.all()), 1)

    def test_redirects_are_not_followed(self):
        moved = Receiver()
        self.addCleanup(moved.stop)
        moved.answer = lambda *_: 302
        client = Client(self.gateway.port, "moved", new_app(self.config, "moved", "--callback-url", moved.url))
        made = charge(client)
        self.world.control.act(made["order_id"])
        client.get(f"/v1/charges/{made['id']}?fresh=true")
        until(lambda: "redirects are not followed" in self.gateway.logged(), "the try is logged")
        self.assertEqual(len(moved.all()), 1)


class Private(Case):
    """Addresses of this house, where they are not allowed."""

    gateway_settings = {}

    def test_nothing_is_sent_to_them(self):
        # They were made while it was allowed; a name may lead here at any time, too.
        config = self.world.config(allow_private_callbacks=True)
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        urls = {"address": receiver.url, "name": by_name}
        keys = {code: new_app(config, code, "--callback-url", url) for code, url in urls.items()}
        config.write_text(config.read_text().replace("allow_private_callbacks = true", ""))
        gateway = self.started(config)
        for code, key in keys.items():
            client = Client(gateway.port, code, key)
            made = charge(client)
            self.world.control.act(made["order_id"])
            client.get(f"/v1/charges/{made['id']}?fresh=true")
        until(lambda: gateway.logged().count("no address on the public internet") >= 2, "both are refused")
        self.assertEqual(receiver.all(), [])


class In(Case):
    """What providers say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.stop()
        # Now that a port is known, the sandbox can be told by each charge where to call.
        text = cls.config.read_text()
        url = f"http://127.0.0.1:{cls.gateway.port}"
        text = text.replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{cls.gateway.port}"\npublic_url = "{url}"')
        cls.config.write_text(text)
        from world import Gateway

        cls.gateway = Gateway(cls.config)
        cls.addClassCleanup(cls.gateway.stop)
        printed = bayar(cls.config, "serve", "--print-callbacks")
        cls.addresses = dict(re.findall(r"(?m)^(\S+) +http://[^/]+(/\S+)$", printed))

    def test_a_provider_calls_and_the_application_is_told(self):
        for account, options in [
            ("midtrans", {"channel": "bca_va"}),
            ("duitku", {"channel": "VC", "customer": {"name": "Budi", "email": "budi@example.com"}}),
        ]:
            with self.subTest(account):
                order = new_order("CB")
                body = {"order_id": order, "amount": 150000, "account": account, "return_url": "https://shop.example.com/", "description": "Hosting", **options}
                made = self.client.post("/v1/charges", body, key=order)
                self.assertEqual(made.status, 201, made)
                acted = self.world.control.act(made.json()["reference"], provider=account)
                statuses = [attempt["status"] for delivery in acted["deliveries"] for attempt in delivery["attempts"]]
                self.assertEqual(statuses, [200], acted)
                until(lambda: [said["type"] for _, said in self.receiver.of(order)] == ["charge.paid"], "told")

    def test_it_is_heard_once_however_often_it_is_said(self):
        made = charge(self.client)
        order = made["order_id"]
        self.world.control.act(order)
        until(lambda: self.receiver.of(order), "told")
        said = self.world.control.callback(order)
        headers = dict(said["headers"])
        for _ in range(3):
            answer = Client(self.gateway.port).ask(said["method"], self.addresses["midtrans"], said["body"], headers)
            self.assertEqual(answer.status, 200, answer)
        self.assertEqual(len(self.receiver.of(order)), 1)

    def test_a_forged_one_credits_nothing(self):
        made = charge(self.client)
        order = made["order_id"]
        self.world.control.act(order, act="paid")
        until(lambda: self.receiver.of(order), "told")
        other = charge(self.client)["order_id"]
        said = self.world.control.callback(order)
        forged = said["body"].replace(order, other)
        answer = Client(self.gateway.port).ask("POST", self.addresses["midtrans"], forged, dict(said["headers"]))
        self.assertEqual(answer.status, 401, answer)
        self.assertEqual(self.client.get(f"/v1/charges?order_id={other}").json()["data"][0]["status"], "pending")
        self.assertEqual(self.receiver.of(other), [])

    def test_another_address_is_none(self):
        address = self.addresses["midtrans"]
        made = charge(self.client)
        self.world.control.act(made["order_id"])
        said = self.world.control.callback(made["order_id"])
        anybody = Client(self.gateway.port)
        for path in [address[:-1], address + "x", "/callbacks/midtrans/", "/callbacks/nobody/" + address.split("/")[-1], address.replace("midtrans", "duitku")]:
            answer = anybody.ask("POST", path, said["body"], dict(said["headers"]))
            self.assertEqual(answer.status, 404, path)
        secret = address.split("/")[-1]
        self.assertNotIn(secret, self.gateway.logged())

    def test_the_biller_adds_its_own_token(self):
        order = new_order("TRX")
        bought = self.client.post("/v1/accounts/biller/operations/purchase", {"order_id": order, "product": "s10", "destination": "081200000001"}, key=order)
        self.assertIn(bought.status, (200, 201), bought)
        self.world.control.act(order, provider="biller")
        said = self.world.control.callback(order, provider="biller")
        path = self.addresses["biller"] + "/biller-callback-token-EXAMPLE"
        query = said.get("query") or ""
        answer = Client(self.gateway.port).ask(said["method"], f"{path}?{query}" if query else path, said["body"], dict(said["headers"]))
        self.assertEqual(answer.status, 200, answer)
        until(lambda: [said["type"] for _, said in self.receiver.of(order)] == ["purchase.done"], "told")

    def test_of_an_order_that_nobody_knows(self):
        """Genuine by its digest, of an order that neither this journal nor the provider knows: listed at once, tried
        again while the provider's books may be behind, then taken. Nothing is credited."""
        orders = {"midtrans": new_order("GONE"), "duitku": new_order("GONE")}
        sent = {account: of_nobody(account, order) for account, order in orders.items()}
        config = self.world.config(allow_private_callbacks=True, public_url="http://127.0.0.1:1")
        first = self.started(config)
        addresses = dict(re.findall(r"(?m)^(\S+) +http://[^/]+(/\S+)$", bayar(config, "serve", "--print-callbacks")))
        say = lambda gateway, account: Client(gateway.port).ask("POST", addresses[account], *sent[account])  # noqa: E731
        for account in orders:
            for _ in range(2):
                self.assertEqual(say(first, account).status, 503, account)
        listed = json.loads(bayar(config, "journal", "unmatched", "--json"))
        self.assertEqual({(one["account"], one["reference"], one["evidence"]) for one in listed}, {(account, order, "E0") for account, order in orders.items()})
        self.assertEqual(len(listed), 2)
        for one in listed:
            self.assertIn("did not know the order either", one.get("review", ""))
        self.assertIn("did not know the order either", bayar(config, "journal", "unmatched"))
        first.stop()
        earlier(config, 16 * 60_000)
        second = self.started(config)
        for account in orders:
            for _ in range(2):
                self.assertEqual(say(second, account).status, 200, account)
        self.assertEqual(len(json.loads(bayar(config, "journal", "unmatched", "--json"))), 2)
        self.assertEqual(bayar(config, "journal", "list"), "none\n")

    def test_of_an_order_of_ours_that_the_provider_does_not_know_yet(self):
        """The payer has a page and has chosen nothing: whatever a callback says, it is asked for again, and stands
        in the payment's story."""
        order = new_order("PAGE")
        made = self.client.post("/v1/charges", {"order_id": order, "amount": 150000}, key=order).json()
        answer = Client(self.gateway.port).ask("POST", self.addresses["midtrans"], *of_nobody("midtrans", made["reference"]))
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual(self.client.get(f"/v1/charges/{made['id']}").json()["status"], "pending")
        shown = bayar(self.config, "journal", "show", made["id"])
        self.assertRegex(shown, r"callback.*paid.*E0|E0.*callback.*paid|callback.*E0.*paid")
        unmatched = json.loads(bayar(self.config, "journal", "unmatched", "--json"))
        self.assertEqual([one for one in unmatched if one["reference"] == made["reference"]], [])


def of_nobody(account, order):
    """A callback that is signed as the provider signs, with its headers: this order was paid."""
    if account == "midtrans":
        fields = {"order_id": order, "transaction_id": "9aed5972-5b6a-401e-894b-a32c91ed1a3a", "status_code": "200", "gross_amount": "150000.00", "transaction_status": "settlement"}
        text = fields["order_id"] + fields["status_code"] + fields["gross_amount"] + "SB-Mid-server-EXAMPLE0000000000000000"
        return json.dumps({**fields, "signature_key": hashlib.sha512(text.encode()).hexdigest()}), {"Content-Type": "application/json"}
    fields = {"merchantCode": "DS00001", "amount": "150000", "merchantOrderId": order, "resultCode": "00", "reference": "DS00001GONE"}
    text = fields["merchantCode"] + fields["amount"] + fields["merchantOrderId"] + "0000000000000000000000000EXAMPLE"
    body = urllib.parse.urlencode({**fields, "signature": hashlib.md5(text.encode()).hexdigest()})
    return body, {"Content-Type": "application/x-www-form-urlencoded"}


def earlier(config, ms):
    """What has happened in this journal happened so much earlier. Nothing may have it open."""
    journal = sqlite3.connect(config.with_name("journal.db"))
    with journal:
        journal.execute("UPDATE event SET at_ms = at_ms - ?", (ms,))
    journal.close()
