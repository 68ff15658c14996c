"""The Python binding: calls, callbacks, bad input, operations whose HTTP is ours."""

import http.client
import json
import logging
import pickle
import urllib.parse

import bayar
from support import CONFIG, CONTROL, ROOT, SERVER_KEY, TARGET, Case, body, charge, new_order, signed

BAD_INPUT = json.loads((ROOT / "tests/hosts/bad_input.json").read_text())


class Calls(Case):
    def test_a_charge_is_made_and_asked_for(self):
        order = new_order()
        outcome = charge(self.engine, order)
        self.assertEqual((outcome.order_id, outcome.status, outcome.amount), (order, "pending", 150000))
        self.assertEqual(outcome.instruction["kind"], "virtual_account")
        self.assertEqual(outcome["instruction"], outcome.instruction)
        self.assertIsNone(outcome.review)
        self.assertEqual(self.engine.status("midtrans", {"order_id": order}).status, "pending")
        CONTROL.act(order)
        self.assertEqual(self.engine.status("midtrans", {"order_id": order}).status, "paid")

    def test_the_verbs_are_operations(self):
        order = new_order()
        charge(self.engine, order)
        self.assertEqual(
            self.engine.cancel("midtrans", {"order_id": order}, key=order + "-c").status, "cancelled"
        )
        self.assertIn("bca_va", json.dumps(self.engine.channels("midtrans").data))
        order = new_order()
        charge(self.engine, order, channel="qris")
        CONTROL.act(order)
        refund = self.engine.refund("midtrans", {"order_id": order, "amount": 50000}, key=order + "-r")
        self.assertEqual((refund.status, refund.amount), ("done", 50000))

    def test_the_engines_own_parameters_are_keywords(self):
        order = new_order()
        params = {"order_id": order, "amount": 150000, "channel": "bca_va"}
        own = {"key": order, "tenant": "toko-1", "reference": order + "-1", "deadline_ms": 5000}
        outcome = self.engine.charge("midtrans", params, **own)
        self.assertEqual(
            (outcome.tenant, outcome.reference, outcome.order_id), ("toko-1", order + "-1", order)
        )
        self.refused("invalid_params", self.engine.charge, "midtrans", {**params, "key": "a"}, key="b")

    def test_the_provider_says_no(self):
        error = self.refused("order_not_found", self.engine.status, "midtrans", {"order_id": new_order()})
        self.assertEqual((error.stage, error.provider["http_status"]), ("answered", 200))
        self.assertIn("environment", error.advice)
        self.assertEqual(error.document["code"], "order_not_found")

    def test_configurations_of_every_kind(self):
        text = CONFIG.read_text()
        for config in (CONFIG, str(CONFIG), text, {"file": str(CONFIG)}, json.dumps({"file": str(CONFIG)})):
            with bayar.Engine.open(config) as engine:
                self.assertEqual(engine.describe("midtrans")["account"], "midtrans")
        self.assertRaises(TypeError, bayar.Engine, 7)

    def test_describe(self):
        everything = self.engine.describe()
        self.assertEqual(everything["bayar"], self.engine.version)
        self.assertIn("midtrans", [account["account"] for account in everything["accounts"]])
        operations = [operation["name"] for operation in self.engine.describe("midtrans")["operations"]]
        self.assertIn("charge", operations)
        self.refused("unknown_account", self.engine.describe, "nobody")

    def test_a_closed_engine(self):
        self.engine.close()
        self.engine.close()
        self.refused("invalid_argument", self.engine.status, "midtrans", {"order_id": "A1"})

    def test_names_hold_no_nul(self):
        before = CONTROL.arrived()
        for account, operation in (
            ("mid\0trans", "charge"),
            ("midtrans", "charge\0"),
            ("\ud800", "charge"),
            (7, "charge"),
        ):
            self.refused(
                "invalid_argument", self.engine.call, account, operation, {"amount": 150000}, key="k"
            )
        self.refused("invalid_argument", self.engine.describe, "mid\0trans")
        self.refused("invalid_argument", self.engine.callback, "mid\0trans")
        self.assertEqual(CONTROL.arrived(), before)

    def test_what_json_cannot_say(self):
        cycle = {}
        cycle["options"] = cycle
        for params in (
            {"amount": float("nan")},
            {"amount": object()},
            {"description": "\ud800", "amount": 1},
            cycle,
        ):
            self.refused("invalid_params", self.engine.charge, "midtrans", params, key="k")

    def test_the_library_is_named_or_found(self):
        def missing(path, *says):
            with self.assertRaises(bayar.LibraryNotFound) as caught:
                bayar.Engine(CONFIG, library=path)
            for part in says:
                self.assertIn(part, str(caught.exception))

        missing("libbayar.so", "library is 'libbayar.so'", "absolute path")
        missing("/nonexistent/libbayar.so", "names /nonexistent/libbayar.so")
        missing(str(TARGET / "libbayar_midtrans.so"), "is no libbayar of this machine")
        missing(str(CONFIG), "is no libbayar of this machine")


class BadInput(Case):
    """Refused before anything is sent, with code, field, what was found and what is allowed."""

    def test_calls(self):
        before = CONTROL.arrived()
        for case in BAD_INPUT["calls"]:
            with self.subTest(case["name"]):
                names = case.get("account", "midtrans"), case.get("operation", "charge")
                error = self.refused(case["code"], self.engine.call, *names, case["params"])
                self.check(case, error)
        self.assertEqual(CONTROL.arrived(), before, "something was sent")

    def test_configurations(self):
        for case in BAD_INPUT["configurations"]:
            with self.subTest(case["name"]):
                self.check(case, self.refused(case["code"], bayar.Engine, case["config"]))

    def check(self, case, error):
        self.assertEqual((error.field, error.stage, error.retry), (case["field"], "not_sent", False))
        for part in case["says"]:
            self.assertIn(part, error.message)
        self.assertTrue(error.advice)


class Callbacks(Case):
    def setUp(self):
        super().setUp()
        self.order = new_order()
        charge(self.engine, self.order)
        CONTROL.act(self.order)
        sent = CONTROL.callback(self.order)
        self.headers, self.body = sent["headers"], sent["body"].encode()
        self.document = json.loads(self.body)

    def receive(self, body_bytes, **named):
        return self.engine.callback(
            "midtrans", headers=self.headers, body=body_bytes, remote_addr="127.0.0.1", **named
        )

    def forged(self, body_bytes):
        before = CONTROL.arrived()
        error = self.refused("callback_refused", self.receive, body_bytes)
        self.assertEqual(error.acknowledgement["status"], 401)
        self.assertIsNone(error.outcome)
        self.assertEqual(CONTROL.arrived(), before, "a forged callback made us ask")

    def test_genuine(self):
        for _ in ("first", "repeated"):
            outcome = self.receive(self.body)
            self.assertEqual((outcome.operation, outcome.order_id), ("callback", self.order))
            self.assertEqual((outcome.status, outcome.evidence, outcome.review), ("paid", "E2", None))
            self.assertEqual(outcome.acknowledgement["status"], 200)
        as_dict = self.engine.callback("midtrans", headers=dict(self.headers), body=bytearray(self.body))
        self.assertEqual(as_dict.status, "paid")

    def test_one_byte_flipped(self):
        """Anywhere: refused, or nothing believed but what the provider itself then answers."""
        believed = refused = 0
        for at in range(0, len(self.body), 3):
            changed = bytearray(self.body)
            changed[at] ^= 1
            try:
                outcome = self.receive(changed)
            except bayar.Error as error:
                self.assertIsNone(error.outcome)
                self.assertIn(error.code, ("callback_refused", "callback_unconfirmed"))
                refused += 1
            else:
                self.assertEqual(
                    (outcome.order_id, outcome.status, outcome.amount), (self.order, "paid", 150000)
                )
                self.assertEqual(outcome.evidence, "E2")
                believed += 1
        self.assertTrue(refused and believed, (refused, believed))
        for field in ("order_id", "status_code", "gross_amount", "signature_key"):
            at = self.body.index(self.document[field].encode())
            for offset in range(len(self.document[field])):
                changed = bytearray(self.body)
                changed[at + offset] ^= 1
                self.forged(changed)

    def test_no_signature(self):
        del self.document["signature_key"]
        self.forged(body(self.document))
        self.forged(body({**self.document, "signature_key": ""}))
        self.forged(b"")

    def test_the_signature_of_another_order(self):
        other = new_order()
        charge(self.engine, other)
        CONTROL.act(other)
        signature = json.loads(CONTROL.callback(other)["body"])["signature_key"]
        self.forged(body({**self.document, "signature_key": signature}))

    def test_signed_with_an_empty_key(self):
        self.assertEqual(
            signed(self.document, SERVER_KEY), self.document, "the formula here is not the right one"
        )
        self.forged(body(signed(self.document, "")))

    def test_a_body_is_bytes(self):
        self.assertRaisesRegex(TypeError, "exactly as received", self.receive, self.body.decode())
        self.assertRaises(TypeError, self.receive, 5)
        self.forged(b"\x00\xff" + self.body)


class Operations(Case):
    def start(self, order=None):
        order = order or new_order()
        params = {"order_id": order, "amount": 150000, "channel": "bca_va"}
        return self.engine.start("midtrans", "charge", params, key=order)

    @staticmethod
    def send(request):
        url = urllib.parse.urlsplit(request.url)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=request.timeout)
        target = url.path + (f"?{url.query}" if url.query else "")
        connection.request(request.method, target, request.body, dict(request.headers))
        answer = connection.getresponse()
        result = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return result

    def test_the_host_sends(self):
        order = new_order()
        with self.start(order) as operation:
            request = operation.next()
            self.assertEqual((request.method, request.moves, request.seq), ("POST", True, 1))
            self.assertIn(order.encode(), request.body)
            self.assertEqual(operation.next().body, request.body, "asked again, the same again")
            self.assertRegex(repr(request), r"^<Request 1 POST http://\S+ \d+ bytes>$")
            operation.response(request, *self.send(request))
            outcome = operation.next()
            self.assertEqual((outcome.status, outcome.order_id), ("pending", order))
            self.assertEqual(operation.next(), outcome)

    def test_a_callback_whose_query_the_host_sends(self):
        order = new_order()
        charge(self.engine, order)
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        operation = self.engine.start_callback(
            "midtrans", headers=sent["headers"], body=sent["body"].encode()
        )
        request = operation.next()
        self.assertEqual((request.method, request.moves), ("GET", False))
        operation.response(request, *self.send(request))
        outcome = operation.next()
        self.assertEqual((outcome.status, outcome.acknowledgement["status"]), ("paid", 200))

    def test_not_sent(self):
        operation = self.start()
        operation.failure(operation.next(), bayar.NOT_SENT, "no such host")
        error = self.refused("network", operation.next)
        self.assertEqual((error.stage, error.retry), ("not_sent", True))
        self.assertIn("no such host", error.message)
        self.refused("network", operation.next)

    def test_maybe_sent(self):
        operation = self.start()
        operation.failure(operation.next(), bayar.MAYBE_SENT, "reset by peer")
        error = self.refused("outcome_unknown", operation.next)
        self.assertEqual(error.stage, "maybe_sent")
        self.assertIn("Do not repeat it under another key", error.advice)

    def test_let_go_midway(self):
        before = CONTROL.arrived()
        self.start().close()
        operation = self.start()
        operation.next()
        operation.close()
        self.refused("invalid_argument", operation.next)
        del operation
        outlives = self.start()
        self.engine.close()
        self.assertEqual(outlives.next().seq, 1, "an operation does not need its engine")
        self.assertEqual(CONTROL.arrived(), before)

    def test_misuse(self):
        operation = self.start()
        request = operation.next()
        request.seq += 1
        self.refused("invalid_argument", operation.response, request, 200)
        request.seq -= 1
        self.refused("invalid_argument", operation.response, request, 42)
        self.refused("invalid_argument", operation.failure, request, 3)
        self.refused("invalid_argument", operation.failure, request, bayar.NOT_SENT, "a\0b")
        operation.response(request, *self.send(request))
        self.refused("invalid_argument", operation.response, request, 200)
        self.assertEqual(operation.next().status, "pending")

    def test_bad_input_does_not_start(self):
        self.refused("unsupported", self.engine.start, "midtrans", "chrage")


class Logs(Case):
    def test_records_arrive_in_logging(self):
        order = new_order()
        charge(self.engine, order)
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        with self.assertLogs("bayar", logging.INFO) as logs:
            self.engine.callback("midtrans", headers=sent["headers"], body=sent["body"].encode())
        self.assertIn(f"callback for {order} is genuine", "\n".join(logs.output))

    def test_records_of_a_failed_call_arrive_too(self):
        operation = self.engine.start("midtrans", "status", {"order_id": "LOG-1"})
        operation.failure(operation.next(), bayar.MAYBE_SENT, "reset by peer")
        with self.assertLogs("bayar", logging.WARNING) as logs:
            self.assertRaises(bayar.Error, operation.next)
        self.assertEqual(logs.records[0].levelno, logging.WARNING)
        self.assertIn("reset by peer", logs.output[0])


class Secrets(Case):
    CANARY = "SB-Mid-server-CANARY"

    def test_nothing_shows_a_credential(self):
        base = CONTROL.url + "/midtrans"
        config = {
            "engine": {"journal": "none"},
            "providers": {"midtrans": {"server_key": self.CANARY, "base_url": base}},
        }
        engine = bayar.Engine(config)
        shown = [engine, vars(engine), engine.describe()]
        with self.assertLogs("bayar", logging.DEBUG) as logs:
            logging.getLogger("bayar").info("so that there is one")
            error = self.refused("unauthorized", charge, engine)
        operation = engine.start("midtrans", "status", {"order_id": "A1"})
        request = operation.next()
        shown += [error, error.document, str(error), operation, vars(operation), request, logs.output]
        for config in (
            {"providers": {"midtrans": {"server_key": self.CANARY, "x": 1}}},
            f"[providers.midtrans]\nserver_key = '{self.CANARY}\n",
        ):
            shown.append(str(self.refused("invalid_config", bayar.Engine, config)))
        for thing in shown:
            for secret in (self.CANARY, "U0ItTWlkLXNlcnZlci1DQU5BUl"):
                self.assertNotIn(secret, repr(thing))

    def test_the_repr_of_an_outcome_is_short(self):
        outcome = charge(self.engine)
        for part in (outcome.instruction["number"], "raw", "va_numbers"):
            self.assertNotIn(part, repr(outcome))
        self.assertIn(outcome.order_id, repr(outcome))
        self.assertRaises(AttributeError, getattr, outcome, "stats")

    def test_errors_can_be_pickled(self):
        error = self.refused("order_not_found", self.engine.status, "midtrans", {"order_id": new_order()})
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(copy), copy.document), (type(error), error.document))
