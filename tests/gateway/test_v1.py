"""API v1: charges, isolation, idempotency, paging, native operations."""

import base64
import threading

from world import Case, Client, bayar, new_app, new_order, until


class V1(Case):
    def make(self, client=None, order=None, key=None, **more):
        order = order or new_order()
        body = {"order_id": order, "amount": 150000, "channel": "bca_va", **more}
        return (client or self.client).post("/v1/charges", body, key=key or order)

    def other(self, code, *options):
        return Client(self.gateway.port, code, new_app(self.config, code, *options))

    def test_a_charge_from_its_making_to_its_refund(self):
        made = self.make(channel="gopay", description="Hosting")
        self.assertEqual(made.status, 201, made)
        charge = made.json()
        self.assertEqual((charge["status"], charge["amount"], charge["channel"]), ("pending", 150000, "gopay"))
        self.assertEqual(charge["instruction"]["kind"], "deeplink")
        path = f"/v1/charges/{charge['id']}"
        self.assertEqual(self.client.get(path).json(), charge)
        self.world.control.act(charge["reference"])
        self.assertEqual(self.client.get(path).json()["status"], "pending", "it is known here")
        self.assertEqual(self.client.get(path + "?fresh=true").json()["status"], "paid")
        self.refused(self.client.post(path + "/cancel"), 409, "not_possible")
        half = self.client.post(path + "/refund", {"amount": 50000}, key="half " + charge["id"])
        self.assertEqual((half.status, half.json()["charge"]["status"]), (200, "partially_refunded"), half)
        again = self.client.post(path + "/refund", {"amount": 50000}, key="half " + charge["id"])
        self.assertEqual(again.json()["id"], half.json()["id"])
        rest = self.client.post(path + "/refund", {"amount": 100000}, key="rest " + charge["id"])
        self.assertEqual(rest.json()["charge"]["status"], "refunded", rest)

    def test_a_charge_is_cancelled_once(self):
        charge = self.make().json()
        path = f"/v1/charges/{charge['id']}/cancel"
        for _ in range(2):
            answer = self.client.post(path)
            self.assertEqual((answer.status, answer.json()["status"]), (200, "cancelled"), answer)
        self.assertEqual(self.world.control.get(f"midtrans/{charge['reference']}")["executed"]["cancel"], 1)

    def test_the_same_key(self):
        order = new_order()
        first, again = self.make(order=order), self.make(order=order)
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(first.json(), again.json())
        document = self.refused(self.make(order=order, amount=150001), 409, "conflict")
        self.assertEqual((document["type"], document["status"], document["field"]), ("urn:bayar:problem:conflict", 409, "key"))
        self.assertEqual(document["detail"], document["message"])
        # Another attempt at the same order is another charge.
        second = self.make(order=order, key=order + " 2")
        self.assertEqual(second.status, 201)
        self.assertNotEqual(second.json()["reference"], first.json()["reference"])
        self.refused(self.client.post("/v1/charges", {"amount": 1}), 400, "invalid_params")

    def test_one_key_from_ten_at_once(self):
        order, answers = new_order(), []
        threads = [threading.Thread(target=lambda: answers.append(self.make(order=order))) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(all(answer.status == 201 or answer.json()["code"] == "in_progress" for answer in answers), answers)
        self.assertEqual(self.world.control.get(f"midtrans/{order}")["arrived"]["charge"], 1)

    def test_an_application_sees_its_own_only(self):
        stranger = self.other("stranger", "--operations", "*")
        order = new_order()
        charge = self.make(order=order).json()
        theirs = self.make(stranger, order=order, key=order)
        self.assertEqual(theirs.status, 201, "the same order and the same key are another's")
        only_mine = self.make().json()
        ident, reference = only_mine["id"], only_mine["reference"]
        self.world.control.act(reference)
        paid = self.client.get(f"/v1/charges/{ident}?fresh=true").json()
        for answer in (
            stranger.get(f"/v1/charges/{ident}"),
            stranger.get(f"/v1/charges/{ident}?fresh=true"),
            stranger.post(f"/v1/charges/{ident}/cancel"),
            stranger.post(f"/v1/charges/{ident}/refund", {}, key="theft"),
        ):
            self.refused(answer, 404, "order_not_found")
        operations = "/v1/accounts/midtrans/operations"
        for named in ({"order_id": only_mine["order_id"]}, {"reference": reference}, {"provider_reference": paid["provider_reference"]}):
            for operation, key in (("status", None), ("cancel", "c"), ("refund", "r"), ("expire", None)):
                answer = stranger.post(f"{operations}/{operation}", named, key=key and key + str(named))
                self.refused(answer, 404, "order_not_found")
                self.assertIn(self.client.post(f"{operations}/status", named).status, (200,))
        for operation, params in (
            ("intent", {"intent": ident}),
            ("claim", {"intent": ident, "effect": "credit"}),
            ("confirm", {"intent": ident, "effect": "credit", "fence": 1}),
            ("release", {"intent": ident, "effect": "credit", "fence": 1}),
        ):
            answer = stranger.post(f"/v1/accounts/bayar/operations/{operation}", params)
            self.refused(answer, 400, "invalid_params")
        listed = [one["id"] for one in stranger.get("/v1/charges?limit=100").json()["data"]]
        self.assertEqual(listed, [theirs.json()["id"]])
        intents = stranger.post("/v1/accounts/bayar/operations/intents").json()["data"]["intents"]
        self.assertEqual({one["tenant"] for one in intents}, {"stranger"})
        self.refused(stranger.post("/v1/accounts/bayar/operations/intents", {"tenant": "biling"}), 400, "invalid_params")
        self.refused(stranger.post(f"{operations}/status", {"order_id": order, "tenant": "biling"}), 400, "invalid_params")
        asked = stranger.post(f"{operations}/status", {"order_id": order}).json()
        self.assertEqual(asked["reference"], theirs.json()["reference"])
        self.assertEqual(stranger.get("/v1/events").json()["data"], [])
        self.assertEqual(charge["status"], "pending")

    def test_what_an_application_was_not_given(self):
        plain = self.other("plain", "--accounts", "midtrans,ipaymu")
        operations = "/v1/accounts/midtrans/operations"
        order = new_order()
        self.make(plain, order=order)
        document = self.refused(plain.post(f"{operations}/expire", {"order_id": order}), 403, "forbidden")
        self.assertEqual(document["field"], "operation")
        self.refused(plain.get("/v1/balance?account=ipaymu"), 403, "forbidden")
        self.refused(plain.post("/v1/accounts/klink/operations/charge", {"amount": 1}, key="k"), 404, "unknown_account")
        self.refused(plain.get("/v1/accounts/klink/describe"), 404, "unknown_account")
        self.refused(plain.post("/v1/charges", {"amount": 1, "account": "klink"}, key="k"), 404, "unknown_account")
        described = plain.get("/v1/describe").json()
        self.assertEqual([one["account"] for one in described["accounts"]], ["ipaymu", "midtrans"])
        names = {one["name"] for one in described["accounts"][1]["operations"]}
        self.assertEqual(names, {"charge", "status", "cancel", "refund", "channels"})
        for operation in ("recover", "resolve", "forget", "unmatched", "tidy", "reconcile", "doctor", "nothing"):
            self.refused(plain.post(f"/v1/accounts/bayar/operations/{operation}"), 404, "unsupported")

    def test_what_the_gateway_decides(self):
        operation = "/v1/accounts/midtrans/operations/charge"
        for params, field in (
            ({"callback_url": "https://shop.example.com/"}, "callback_url"),
            ({"reference": "MINE-1"}, "reference"),
            ({"deadline_ms": 600000}, "deadline_ms"),
            ({"tenant": "other"}, "tenant"),
            ({"key": "another"}, "key"),
            ({"amount": "x"}, "amount"),
        ):
            answer = self.client.post(operation, {"order_id": new_order(), "amount": 150000, **params}, key="decides")
            self.assertEqual(self.refused(answer, 400, "invalid_params")["field"], field)

    def test_native_operations(self):
        order = new_order()
        call = lambda name, params, **more: self.client.post(f"/v1/accounts/midtrans/operations/{name}", params, **more)
        made = call("charge", {"order_id": order, "amount": 150000}, key=order)
        self.assertEqual(made.status, 201, made)
        outcome = made.json()
        self.assertEqual((outcome["operation"], outcome["tenant"], outcome["status"]), ("charge", "biling", "pending"))
        self.assertEqual(outcome["instruction"]["kind"], "redirect")
        by_parameter = call("charge", {"order_id": order, "amount": 150000, "key": order})
        self.assertEqual(by_parameter.json()["intent"], outcome["intent"])
        self.refused(call("charge", {"amount": 150000}), 400, "invalid_params")
        self.refused(call("chargee", {}), 404, "unsupported")
        balance = self.client.get("/v1/balance?account=ipaymu")
        self.assertEqual((balance.status, balance.json()["account"]), (200, "ipaymu"), balance)
        moved = self.client.post("/v1/accounts/klink/operations/transfer", {"amount": 1000, "id_member_send": "IDSPAAA66420", "id_member_receipt": "IDSPAAA66421", "description": "x", "order_id": new_order()}, key=new_order())
        self.assertIn(moved.status, (200, 422), moved)

    def test_effects(self):
        charge = self.make().json()
        own = lambda name, **params: self.client.post(f"/v1/accounts/bayar/operations/{name}", {"intent": charge["id"], **params})
        self.refused(own("claim", effect="credit"), 409, "not_possible")
        self.world.control.act(charge["reference"])
        self.client.get(f"/v1/charges/{charge['id']}?fresh=true")
        claim = own("claim", effect="credit").json()["data"]
        self.assertTrue(claim["granted"])
        self.refused(own("claim", effect="credit"), 409, "in_progress")
        self.assertEqual(own("release", effect="credit", fence=claim["fence"]).status, 200)
        again = own("claim", effect="credit").json()["data"]
        self.assertEqual(again["transaction_id"], claim["transaction_id"])
        self.assertEqual(own("confirm", effect="credit", fence=again["fence"]).json()["data"]["state"], "confirmed")
        story = own("intent").json()["data"]
        self.assertEqual(story["intent"]["id"], charge["id"])

    def test_pages_and_filters(self):
        pager = self.other("pager")
        orders = [new_order("PAGE") for _ in range(7)]
        made = [self.make(pager, order=order).json() for order in orders]
        self.world.control.act(made[2]["reference"])
        pager.get(f"/v1/charges/{made[2]['id']}?fresh=true")
        seen, path = [], "/v1/charges?limit=3"
        while path:
            page = pager.get(path).json()
            seen += [one["order_id"] for one in page["data"]]
            path = page.get("next") and f"/v1/charges?limit=3&after={page['next']}"
        self.assertEqual(seen, orders[::-1])
        ids = lambda query: [one["order_id"] for one in pager.get(f"/v1/charges?{query}").json()["data"]]
        self.assertEqual(ids("status=paid"), [orders[2]])
        self.assertEqual(ids(f"order_id={orders[4]}"), [orders[4]])
        self.assertEqual(ids("account=klink"), [])
        self.assertEqual(ids("review=true"), [])
        moment = made[3]["created_at"]
        self.assertEqual(ids(f"created_after={moment}"), orders[:2:-1])
        self.assertEqual(ids(f"created_before={moment}"), orders[2::-1])
        for query in ("limit=0", "limit=101", "limit=x", "status=payed", "created_after=yesterday", "page=2", "limit=1&limit=2"):
            self.refused(pager.get(f"/v1/charges?{query}"), 400, "invalid_params")
        # A page begins after a charge of this application, and nowhere else.
        elsewhere = self.make().json()["id"]
        for after in ("garbage", "", "zzz", orders[0], made[0]["reference"], made[0]["id"].lower(), elsewhere):
            document = self.refused(pager.get(f"/v1/charges?after={after}"), 400, "invalid_params")
            self.assertEqual(document["field"], "after")
        self.assertEqual(ids(f"after={made[0]['id']}"), [])

    def test_events_are_read_page_by_page(self):
        reader = self.other("reader")
        made = [self.make(reader).json() for _ in range(3)]
        for charge in made:
            self.world.control.act(charge["reference"])
            reader.get(f"/v1/charges/{charge['id']}?fresh=true")
        first = reader.get("/v1/events?limit=2").json()
        self.assertEqual([event["number"] for event in first["data"]], [1, 2])
        rest = reader.get(f"/v1/events?after={first['next']}").json()
        self.assertEqual([event["number"] for event in rest["data"]], [3])
        nothing = reader.get(f"/v1/events?after={rest['next']}").json()
        self.assertEqual(nothing, {"data": [], "next": 3})

    def test_a_key_by_basic_and_its_end(self):
        key = new_app(self.config, "basic")
        token = base64.b64encode(f"basic:{key}".encode()).decode()
        nobody = Client(self.gateway.port)
        ask = lambda: nobody.get("/v1/version", headers={"Authorization": f"Basic {token}"})
        self.assertEqual((ask().status, ask().json()), (200, {"version": "0.1.0"}))
        listed = bayar(self.config, "app", "list")
        ident = next(line.split()[1] for line in listed.splitlines() if line.startswith("basic "))
        self.assertIn(key[-4:], listed)
        bayar(self.config, "app", "stop", "basic")
        self.refused(ask(), 401, "unauthorized")
        bayar(self.config, "app", "start", "basic")
        self.assertEqual(ask().status, 200)
        until(lambda: "2" in bayar(self.config, "app", "list").splitlines()[1], "last used")
        bayar(self.config, "app", "revoke", ident)
        answer = ask()
        self.refused(answer, 401, "unauthorized")
        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic"))

    def test_what_is_not_there(self):
        for method, path, status, code in (
            ("GET", "/v1/nothing", 404, "endpoint_not_found"),
            ("PUT", "/v1/charges", 405, "method_not_allowed"),
            ("GET", "/v1/charges/I0", 404, "order_not_found"),
        ):
            answer = self.client.ask(method, path)
            document = self.refused(answer, status, code)
            self.assertEqual(document["status"], status)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertIn("POST", self.client.ask("PUT", "/v1/charges").headers["Allow"])
        answer = self.client.ask("POST", "/v1/charges", "amount=1", headers={"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": "a"})
        self.refused(answer, 415, "unsupported_media_type")

    def test_what_was_not_sent_is_listed_as_that(self):
        """Nobody answers at the provider's address: nothing was sent, and the same key sends later."""
        config = self.world.config()
        text = config.read_text()
        config.write_text(text.replace(self.world.process.url, "http://127.0.0.1:1"))
        key = new_app(config, "biling")
        gateway, order = self.started(config), new_order()
        client = Client(gateway.port, "biling", key)
        document = self.refused(self.make(client, order=order), 502, "network")
        self.assertEqual(document["stage"], "not_sent")
        (charge,) = client.get(f"/v1/charges?order_id={order}").json()["data"]
        self.assertEqual((charge["id"], charge["status"], charge["evidence"]), (document["intent"], "new", "E0"))
        self.assertEqual([one["id"] for one in client.get("/v1/charges?status=new").json()["data"]], [charge["id"]])
        self.assertEqual(client.get("/v1/charges?status=unknown").json()["data"], [])
        gateway.stop()
        config.write_text(text)
        client = Client(self.started(config).port, "biling", key)
        again = self.make(client, order=order)
        self.assertEqual((again.status, again.json()["id"], again.json()["status"], again.json()["evidence"]), (201, charge["id"], "pending", "E2"), again)
        self.assertEqual(client.get("/v1/charges?status=new").json()["data"], [])

    def test_what_failed_says_how_far_it_got(self):
        for fault, stage, code in (("reset", "maybe_sent", "outcome_unknown"), ("500", "maybe_sent", "outcome_unknown")):
            self.world.control.ask("POST", "faults", {"fault": fault, "provider": "midtrans", "when": "after"})
            order = new_order()
            document = self.refused(self.make(order=order), 502, code)
            self.assertEqual(document["stage"], stage)
            charge = self.client.get(f"/v1/charges?order_id={order}").json()["data"][0]
            self.assertEqual((charge["id"], charge["status"]), (document["intent"], "unknown"))
            fresh = self.client.get(f"/v1/charges/{charge['id']}?fresh=true").json()
            self.assertEqual(fresh["status"], "pending")
