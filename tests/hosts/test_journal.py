"""The journal as people and programs see it: effects once, recovery, the command line."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bayar
from support import CONFIG, CONTROL, SERVER_KEY, TARGET, Case, charge, new_order, signed

CUSTOMER = {"name": "Budi Santoso", "phone": "081200000001", "email": "budi@example.com"}

#: What a child does that dies between claim and confirm.
DYING = """
import os, signal, sys
import bayar
claim = bayar.Engine(sys.argv[1]).claim(sys.argv[2], "credit", lease_seconds=1)
print(claim.transaction_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


class Kept(Case):
    """A test with an engine and a SQLite journal of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="bayar-journal-")
        self.addCleanup(directory.cleanup)
        self.config = Path(directory.name) / "bayar.toml"
        # Without a setting: journal.db beside the configuration.
        text, count = re.subn(r'(?m)^journal = "none"$\n', "", CONFIG.read_text())
        self.assertEqual(count, 1)
        self.config.write_text(text)
        self.engine = bayar.Engine(self.config)
        self.addCleanup(self.engine.close)

    def bayar(self, *arguments, ends=0, text=None):
        """Runs the command; gives what it printed."""
        command = [TARGET / "bayar", "--config", self.config, *arguments]
        ran = subprocess.run(command, input=text, capture_output=True, text=True)
        self.assertEqual(ran.returncode, ends, f"{arguments}\n{ran.stdout}{ran.stderr}")
        self.said = ran.stderr
        return ran.stdout

    def receive(self, order, provider="midtrans"):
        """The callback about an order, as the provider sends it now."""
        sent = CONTROL.callback(order, provider)
        return self.engine.callback(provider, headers=sent["headers"], body=sent["body"].encode())

    def paid(self, order=None):
        """A charge that was paid and called back; gives the callback's outcome."""
        order = order or new_order("JRN")
        charge(self.engine, order)
        CONTROL.act(order)
        return self.receive(order)

    def unknown(self):
        """A charge whose answer nobody got."""
        order = new_order("JRN")
        params = {"order_id": order, "amount": 150000, "channel": "bca_va"}
        operation = self.engine.start("midtrans", "charge", params, key=order)
        operation.failure(operation.next(), bayar.MAYBE_SENT, "reset by peer")
        error = self.refused("outcome_unknown", operation.next)
        return error.intent, order

    def doubtful(self, amount=149000, theirs=None):
        """A charge whose status then names another amount: a person must look."""
        made = charge(self.engine)
        given = {"gross_amount": f"{amount}.00", "transaction_id": theirs or made.provider_reference}
        self.assertTrue(self.answered(made, transaction_status="settlement", **given).review)
        return made.intent

    def answered(self, made, **given):
        """A status query of a charge that is answered here, by nobody else."""
        operation = self.engine.start("midtrans", "status", {"order_id": made.order_id})
        answer = {
            "status_code": "200",
            "fraud_status": "accept",
            "payment_type": "bank_transfer",
            "order_id": made.order_id,
            "gross_amount": "150000.00",
            "transaction_id": made.provider_reference,
            "currency": "IDR",
            **given,
        }
        headers = [("content-type", "application/json")]
        operation.response(operation.next(), 200, headers, json.dumps(answer).encode())
        return operation.next()


class Effects(Kept):
    def test_a_payment_is_credited_once(self):
        outcome = self.paid()
        claim = self.engine.claim(outcome.intent, "credit")
        self.assertEqual((claim.granted, claim.state, claim.fence), (True, "claimed", 1))
        self.assertIn(claim.transaction_id, repr(claim))
        self.assertRaises(AttributeError, getattr, claim, "grant")
        self.refused("in_progress", self.engine.claim, outcome.intent, "credit")
        self.assertTrue(self.engine.claim(outcome.intent, "mail").granted, "another effect is another matter")
        self.assertEqual(self.engine.confirm(claim).state, "confirmed")
        self.assertEqual(self.engine.confirm(dict(claim)).state, "confirmed", "the same word again")
        again = self.engine.claim(self.receive(outcome.order_id).intent, "credit")
        self.assertEqual((again.granted, again.state), (False, "confirmed"))
        self.assertEqual(again.transaction_id, claim.transaction_id)
        error = self.refused("not_possible", self.engine.confirm, {**claim, "fence": 2})
        self.assertIn("it is confirmed, by claim 1", error.message)

    def test_the_first_of_two_attempts_is_paid(self):
        order = new_order("JRN")
        params = {"order_id": order, "amount": 150000, "channel": "bca_va"}
        first = self.engine.charge("midtrans", params, key=f"{order}-1")
        second = self.engine.charge("midtrans", params, key=f"{order}-2")
        self.assertEqual(first.reference, order)
        self.assertNotEqual(second.reference, order)
        CONTROL.act(first.reference)
        outcome = self.receive(first.reference)
        self.assertEqual((outcome.intent, outcome.status, outcome.review), (first.intent, "paid", None))
        self.assertTrue(self.engine.claim(first.intent, "credit").granted)
        self.assertEqual(self.engine.intent(second.intent)["intent"]["state"], "pending")

    def test_the_outcome_and_the_journal_agree_on_what_waits_for_a_review(self):
        """Another amount in a callback that proves nothing: what the provider answers is what counts."""
        order = new_order("JRN")
        charge(self.engine, order)
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        document = signed({**json.loads(sent["body"]), "gross_amount": "150001.00"}, SERVER_KEY)
        outcome = self.engine.callback("midtrans", headers=sent["headers"], body=json.dumps(document).encode())
        kept = self.engine.intent(outcome.intent)["intent"]
        self.assertEqual((outcome.status, outcome.review), ("paid", None))
        self.assertEqual((kept["state"], kept.get("review")), ("paid", None))
        self.assertTrue(self.engine.claim(outcome.intent, "credit").granted)

    def test_a_released_effect_is_free_at_once(self):
        intent = self.paid().intent
        first = self.engine.claim(intent, "credit", lease_seconds=3600)
        self.assertEqual(self.engine.release(first).state, "released")
        second = self.engine.claim(intent, "credit")
        self.assertEqual((second.fence, second.transaction_id), (2, first.transaction_id))
        self.refused("not_possible", self.engine.confirm, first)

    def test_a_process_that_dies_between_claim_and_confirm(self):
        intent = self.paid().intent
        ran = subprocess.run(
            [sys.executable, "-c", DYING, self.config, intent], capture_output=True, text=True, env=os.environ
        )
        self.assertEqual(ran.returncode, -signal.SIGKILL, ran.stderr)
        self.refused("in_progress", self.engine.claim, intent, "credit")
        time.sleep(1.1)
        claim = self.engine.claim(intent, "credit")
        self.assertEqual((claim.granted, claim.fence, claim.transaction_id), (True, 2, ran.stdout.strip()))
        dead = {"intent": intent, "effect": "credit", "fence": 1}
        error = self.refused("not_possible", self.engine.confirm, dead)
        self.assertFalse(error.retry)
        self.assertIn("another caller has claimed it, by claim 2", error.message)
        self.engine.confirm(claim)
        self.assertIn("effect credit confirmed", self.bayar("journal", "show", intent))

    def test_what_has_no_effect(self):
        pending = charge(self.engine).intent
        error = self.refused("not_possible", self.engine.claim, pending, "credit")
        self.assertIn("is pending, and only what is paid has effects", error.message)
        error = self.refused("not_possible", self.engine.claim, self.doubtful(), "credit")
        self.assertIn("waits for a review: the amount is said to be 149000", error.message)
        for field, arguments in (
            ("intent", ("I0", "credit")),
            ("effect", (pending, "")),
            ("effect", (pending, "a b")),
        ):
            self.assertEqual(self.refused("invalid_params", self.engine.claim, *arguments).field, field)
        for seconds in (0, -1, 86_401):
            error = self.refused("invalid_params", self.engine.claim, pending, "credit", lease_seconds=seconds)
            self.assertEqual(error.field, "lease_seconds")
        self.refused("not_possible", self.engine.confirm, {"intent": pending, "effect": "credit", "fence": 1})


class Looking(Kept):
    def test_lists_and_stories(self):
        orders = [self.paid().order_id for _ in range(3)]
        intents = self.engine.intents(limit=2)
        self.assertEqual([intent["order_id"] for intent in intents], orders[:0:-1])
        rest = self.engine.intents(after=intents[-1]["id"])
        self.assertEqual([intent["order_id"] for intent in rest], orders[:1])
        self.assertEqual(self.engine.intents(state="pending"), [])
        self.assertEqual(len(self.engine.intents(account="midtrans", order_id=orders[1], state="paid")), 1)
        self.assertEqual(self.engine.intents(since_ms=int(time.time() * 1000) + 60_000), [])
        story = self.engine.intent(intents[0]["id"])
        self.assertEqual([event["evidence"] for event in story["events"]], ["E2", "E0", "E2"])
        self.assertEqual((len(story["attempts"]), story["effects"], story["audit"]), (1, [], []))
        self.refused("invalid_params", self.engine.intent, "I0")

    def test_recovery_asks_what_became_of_it(self):
        order = self.paid_unheard()
        self.assertEqual(self.engine.recover()["looked"], 0, "its time has not come")
        report = self.engine.recover("midtrans", now=True)
        self.assertEqual((report["looked"], report["settled"]), (1, 1))
        self.assertEqual([one["to"] for one in report["intents"]], ["paid"])
        self.assertEqual(self.engine.intents(order_id=order)[0]["state"], "paid")
        self.assertEqual(self.refused("unknown_account", self.engine.recover, "midtarns").field, "account")

    def test_a_callback_that_came_too_soon_is_asked_about_later(self):
        """One query of a payment in 30 seconds; what that leaves is recovery's, once, though it has ended."""
        made = charge(self.engine)
        self.assertEqual(self.answered(made, transaction_status="expire").status, "expired")
        self.assertEqual(self.receive(made.order_id).status, "expired", "it says pending, and made us ask")
        CONTROL.act(made.order_id)
        error = self.refused("callback_unconfirmed", self.receive, made.order_id)
        self.assertEqual(error.acknowledgement["status"], 503)
        report = self.engine.recover(now=True)
        self.assertEqual([(one["from"], one["to"]) for one in report["intents"]], [("expired", "paid")])
        self.assertEqual(self.engine.recover(now=True)["looked"], 0, "and not for ever")

    def paid_unheard(self):
        order = new_order("JRN")
        charge(self.engine, order)
        CONTROL.act(order)
        return order


class Commands(Kept):
    def test_recover(self):
        self.assertEqual(self.bayar("recover"), "nothing was due; 0 wait for a review\n")
        order = new_order("JRN")
        charge(self.engine, order)
        CONTROL.act(order)
        printed = self.bayar("recover", "--now", "--account", "midtrans")
        self.assertRegex(printed, rf"midtrans +charge +{order} +pending → paid")
        self.assertRegex(printed, r"(?m)^looked at 1: 1 settled, 0 still open, 0 could not be asked about; 0 wait")
        self.assertEqual(self.bayar("recover", "--quiet"), "")
        doubtful = self.doubtful()
        printed = self.bayar("recover", "--quiet", ends=1)
        self.assertIn(doubtful, printed)
        self.assertIn("the amount is said to be 149000, owed was 150000", printed)
        report = json.loads(self.bayar("recover", "--json", ends=1))
        self.assertEqual((report["looked"], report["waiting_for_review"]), (0, [doubtful]))
        self.assertEqual(self.bayar("recover", "--account", "midtarns", ends=2), "")
        self.assertIn("no account \"midtarns\" is configured", self.said)

    def test_recovery_of_an_account_that_cannot_be_asked_is_for_a_person(self):
        charge(self.engine)
        text = self.config.read_text()
        self.config.write_text(text.replace("[providers.midtrans]", '[providers.renamed]\nplugin = "midtrans"'))
        printed = self.bayar("recover", "--now", "--quiet", ends=1)
        self.assertIn("cannot be asked about: unknown_account", printed)
        self.config.write_text(re.sub(r'(?m)^server_key = .*$', 'server_key = "SB-Mid-server-WRONG"', text))
        self.assertIn("unauthorized", self.bayar("recover", "--now", "--quiet", ends=1))

    def test_without_a_journal(self):
        self.config.write_text(CONFIG.read_text())
        for command in (["recover"], ["journal", "list"], ["journal", "export", "--format", "csv"]):
            self.assertEqual(self.bayar(*command, ends=2), "", "nothing that looks like an empty table")
            self.assertIn("no journal is kept", self.said)

    def test_list(self):
        self.assertEqual(self.bayar("journal", "list"), "none\n")
        outcome = self.paid()
        charge(self.engine)
        head, first, second = self.bayar("journal", "list").splitlines()
        self.assertRegex(head, r"^made \(WIB\) +intent +account +operation +order +amount +state +review$")
        self.assertRegex(second, rf"{outcome.intent} +midtrans +charge +{outcome.order_id} +150\.000 +paid$")
        self.assertIn("pending", first)
        listed = json.loads(self.bayar("journal", "list", "--state", "paid", "--json"))
        self.assertEqual([intent["id"] for intent in listed], [outcome.intent])
        self.assertIn("there may be more", self.bayar("journal", "list", "--limit", "1"))
        for only in ("--account=klink", "--operation=refund", "--order=X", "--until=2020-01-01", "--review"):
            self.assertEqual(self.bayar("journal", "list", only), "none\n", only)
        for option, value in (("--state", "lost"), ("--since", "yesterday"), ("--limit", "0"), ("--unconfirmed", "")):
            self.bayar("journal", "list", option, value, ends=2)

    def test_what_is_paid_and_not_credited_is_listed(self):
        outcome = self.paid()
        charge(self.engine)
        waiting = self.doubtful()
        def listed():
            return [intent["id"] for intent in self.engine.intents(unconfirmed="credit")]
        self.assertEqual(listed(), [outcome.intent])
        self.assertIn(outcome.intent, self.bayar("journal", "list", "--unconfirmed", "credit"))
        claim = self.engine.claim(outcome.intent, "credit")
        self.assertEqual(listed(), [outcome.intent], "whoever has claimed it may die yet")
        self.engine.confirm(claim)
        self.assertEqual(listed(), [])
        self.assertEqual(self.bayar("journal", "list", "--unconfirmed", "credit"), "none\n")
        self.assertEqual(self.engine.intents(unconfirmed="mail")[0]["id"], outcome.intent, "another effect")
        self.bayar("journal", "resolve", waiting, "--as", "paid", "--operator", "sari", "--reason", "seen")
        self.assertEqual(listed(), [waiting])
        for wrong in ({"state": "pending"}, {"review": True}):
            self.refused("invalid_params", self.engine.intents, unconfirmed="credit", **wrong)
        self.refused("invalid_params", self.engine.intents, unconfirmed="two words")

    def test_the_story_of_a_payment(self):
        outcome = self.paid()
        self.engine.confirm(self.engine.claim(outcome.intent, "credit"))
        lines = [re.split(r"  +", line) for line in self.bayar("journal", "show", outcome.intent).splitlines()]
        told = [line for line in lines if line[0].startswith("20")]
        steps = [(line[1].split(",")[0], line[2] if len(line) > 2 else "") for line in told]
        transaction = self.engine.intent(outcome.intent)["effects"][0]["transaction_id"]
        story = [
            ("request 1 goes out", ""),
            ("request 1: answered", ""),
            ("the answer says pending", "E2"),
            ("a callback says paid", "E0"),
            ("the provider", "E2"),
            (f"effect credit claimed as {transaction} (claim 1)", ""),
            ("effect credit confirmed: it was applied", ""),
        ]
        self.assertEqual(steps, story)
        self.assertEqual(lines[-2:], [["state", "paid"], ["next", "nothing: what was paid has taken effect"]])
        self.bayar("journal", "show", "I0", ends=2)
        unknown, _ = self.unknown()
        told = self.bayar("journal", "show", unknown)
        self.assertIn("request 1: no answer; it may have arrived, outcome_unknown", told)
        self.assertIn("next      do not repeat it under another key; bayar recover looks at it from", told)

    def test_what_came_from_outside_does_not_steer_the_terminal(self):
        intent = self.doubtful(theirs="\x1b[31mred\x07")
        for command in (["list"], ["show", intent]):
            self.assertNotRegex(self.bayar("journal", *command), r"[\x00-\x09\x0b-\x1f]")

    def test_a_review_is_resolved(self):
        intent = self.doubtful()
        decided = ["--operator", "Sari", "--reason", "the bank's statement"]
        self.bayar("journal", "resolve", intent, "--as", "lost", *decided, ends=2)
        self.bayar("journal", "resolve", intent, "--as", "paid", ends=2)
        self.bayar("journal", "resolve", intent, "--as", "paid", "--operator", " ", "--reason", "x", ends=2)
        self.assertIn(intent, self.bayar("journal", "list", "--review"))
        self.assertEqual(self.bayar("journal", "resolve", intent, "--as", "paid", *decided), f"{intent} is paid\n")
        self.assertEqual(self.bayar("journal", "list", "--review"), "none\n")
        self.assertRegex(self.bayar("journal", "show", intent), r"Sari: resolve as paid: the bank's statement +E3")
        self.assertTrue(self.engine.claim(intent, "credit").granted)

    def test_a_reason_of_any_text_is_cleared(self):
        intent = self.doubtful(amount=150000, theirs="one; two")
        self.bayar("journal", "resolve", intent, "--as", "paid", "--operator", "Sari", "--reason", "asked them")
        self.assertEqual(self.bayar("journal", "list", "--review"), "none\n")

    def test_what_is_proven_is_not_overruled(self):
        intent = self.paid().intent
        self.bayar("journal", "resolve", intent, "--as", "failed", "--operator", "Sari", "--reason", "a slip", ends=2)
        self.assertIn("is proven to be paid, and cannot be resolved as failed", self.said)
        story = self.engine.intent(intent)
        self.assertEqual((story["intent"]["state"], story["audit"]), ("paid", []))

    def test_a_payer_is_forgotten(self):
        intent = charge(self.engine, customer=CUSTOMER).intent
        other = charge(self.engine).intent
        decided = ["--operator", "Sari", "--reason", "asked by letter"]
        forget = ["journal", "forget", "--payer", CUSTOMER["email"], *decided]
        shown = self.bayar(*forget, ends=2)
        self.assertIn(intent, shown)
        self.assertNotIn(other, shown)
        self.assertIn("give --yes", self.said)
        self.assertIn(CUSTOMER["email"], self.bayar("journal", "show", intent, "--json"))
        self.assertIn("masked the personal data of 1", self.bayar(*forget, "--yes"))
        told = self.bayar("journal", "show", intent, "--json")
        for text in CUSTOMER.values():
            self.assertNotIn(text, told)
        self.assertEqual(json.loads(told)["intent"]["amount"], 150000)
        self.assertIn("Sari: forget: asked by letter", self.bayar("journal", "show", intent))
        self.assertEqual(self.bayar(*forget, "--yes"), "nothing in the journal holds that text\n")
        for wrong in (["--intent", "I0"], ["--payer", "budi"], []):
            self.bayar("journal", "forget", *wrong, "--yes", *decided, ends=2)

    def test_tidy(self):
        intent = self.paid().intent
        self.assertEqual(self.bayar("journal", "tidy"), "dropped 0 bodies and 0 intents\n")
        self.bayar("journal", "tidy", "--intent-days", "0", ends=2)
        self.assertIn("a key that is forgotten can be charged again", self.said)
        dropped = self.bayar("journal", "tidy", "--body-days", "0")
        self.assertRegex(dropped, r"^dropped [1-9]\d* bodies and 0 intents\n$")
        self.assertEqual(self.engine.intent(intent)["intent"]["state"], "paid")

    def test_export(self):
        order = f"=cmd|{new_order()}"
        reference = new_order("JRN")
        params = {"order_id": order, "amount": 150000, "channel": "bca_va", "customer": CUSTOMER}
        self.engine.charge("midtrans", params, key=order, reference=reference)
        others = [self.paid().intent for _ in range(2)]
        text = self.bayar("journal", "export", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["intent"] for row in rows[:2]], others[::-1])
        self.assertEqual((rows[2]["order_id"], rows[2]["reference"]), (f"'{order}", reference))
        self.assertRegex(rows[0]["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00$")
        for value in CUSTOMER.values():
            self.assertNotIn(value, text)
        self.assertEqual(len(json.loads(self.bayar("journal", "export", "--format", "json"))), 3)
        self.assertEqual(json.loads(self.bayar("journal", "export", "--format", "json", "--until", "2020-01-01")), [])

    def test_a_disk_that_is_full_is_no_success(self):
        self.paid()
        for command in (["list"], ["export", "--format", "csv"], ["export", "--format", "json"]):
            with open("/dev/full", "w") as full:
                command = [TARGET / "bayar", "--config", self.config, "journal", *command]
                ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(ran.returncode, 2)
            self.assertIn("standard output cannot be written", ran.stderr)

    def test_help_and_completions(self):
        completions = self.bayar("completions", "bash")
        for words in ("bayar__subcmd__recover", "bayar__subcmd__journal__subcmd__forget", "bayar__subcmd__reconcile"):
            self.assertIn(words, completions)
        self.assertRegex(self.bayar("recover", "--help"), r"Ends with 0 \(nothing is left to do for people\)")
        self.assertRegex(self.bayar("reconcile", "--help"), r"Ends with 0 \(all matched\)")

    def test_callbacks_of_nobody_are_listed(self):
        self.assertEqual(self.bayar("journal", "unmatched"), "none\n")
        with bayar.Engine(CONFIG) as elsewhere:
            order = new_order("JRN")
            charge(elsewhere, order)
        CONTROL.act(order)
        self.assertIn("no order of this journal", self.receive(order).review)
        self.assertRegex(self.bayar("journal", "unmatched"), rf"midtrans +{order} .* paid +150\.000 +E0")
        self.assertEqual(json.loads(self.bayar("journal", "unmatched", "--json"))[0]["reference"], order)

    def test_callbacks_of_an_order_that_nobody_knows_credit_nothing(self):
        order = new_order("JRN")
        fields = {"order_id": order, "status_code": "200", "gross_amount": "150000.00", "transaction_status": "settlement"}
        said = json.dumps(signed(fields, SERVER_KEY)).encode()
        error = self.refused("callback_unconfirmed", self.engine.callback, "midtrans", body=said)
        self.assertEqual(error.acknowledgement["status"], 503)
        self.engine.close()
        # A quarter of an hour later. Nothing has the file open, and another process writes to it.
        later = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('UPDATE event SET at_ms = at_ms - 900000'); c.commit()"
        subprocess.run([sys.executable, "-c", later, self.config.with_name("journal.db")], check=True)
        with bayar.Engine(self.config) as engine:
            taken = engine.callback("midtrans", body=said)
            self.assertEqual((taken.status, taken.evidence, taken.acknowledgement["status"]), ("unknown", "E0", 200))
            self.assertIn("did not know the order either", taken.review)
            with self.assertRaises(bayar.Error):
                engine.claim(taken.intent, "credit")
        self.assertEqual(self.bayar("journal", "list"), "none\n")
        self.assertRegex(self.bayar("journal", "unmatched"), rf"(?m)^.* midtrans +{order} .* paid +150\.000 +E0 .* did not know the order either")


class Reconciling(Kept):
    def test_an_export_of_a_dashboard(self):
        paid, missing = self.paid().order_id, self.paid().order_id
        pending = new_order("JRN")
        charge(self.engine, pending)
        file = self.config.with_name("export.csv")

        def reconcile(*lines, ends, options=()):
            head = '"Date & Time","Order ID","Transaction status","Amount","Transaction ID"'
            file.write_text("\n".join([f"\ufeff{head}", *lines, ""]))
            return self.bayar("reconcile", "midtrans", "--csv", file, *options, ends=ends)

        unpaid_here = rf"paid there, not paid in the journal +{pending}"
        first = f'2025-11-20,{paid},Settlement,"150,000.00",T1'
        second = f'2025-11-20,{missing},Settlement,Rp 150.000,T2'
        self.assertEqual(reconcile(first, second, ends=0), "2 rows: 2 matched\n")
        expired = f"2025-11-20,{pending},Expire,150000,T3"
        self.assertEqual(reconcile(first, second, expired, ends=0), "3 rows: 2 matched\n")
        for lines, difference in (
            ([first], rf"not in the report +{missing}"),
            ([first, second, "2025-11-20,INV-0,Settlement,75000,T4"], r"not in the journal +INV-0 +75\.000"),
            ([first, second.replace("150.000", "15.000")], rf"of another amount +{missing}"),
            ([first, second, expired.replace("Expire", "Settlement")], unpaid_here),
            ([first, second.replace("Settlement", "Expire")], rf"paid in the journal, not paid there +{missing}"),
            ([first, second, first], rf"there more than once +{paid}"),
            ([first, second, "2025-11-20,,Settlement,5000,"], r"rows that name no order +5\.000"),
        ):
            self.assertRegex(reconcile(*lines, ends=1), difference)
        reconcile(first, ends=0, options=["--until", "2020-01-01"])
        lines = list(csv.DictReader(io.StringIO(reconcile(first, ends=1, options=["--format", "csv"]))))
        self.assertEqual([line["result"] for line in lines], ["matched", "missing_there"])
        report = json.loads(reconcile(first, ends=1, options=["--format", "json"]))
        self.assertEqual((report["summary"]["matched"], report["summary"]["missing_there"]), (1, 1))
        reconcile(first, ends=2, options=["--reference-column", "Nomor"])
        self.assertIn('no column "Nomor": found', self.said)
        file.write_bytes(b"Order ID,Amount\n\xff,1\n")
        self.bayar("reconcile", "midtrans", "--csv", file, ends=2)
        self.assertIn("is not UTF-8", self.said)

    def test_a_report_of_ipaymu_page_by_page(self):
        for number in range(3):
            order = new_order("JRN")
            params = {
                "order_id": order,
                "amount": 150000 + number,
                "channel": "va:bca",
                "customer": CUSTOMER,
                "callback_url": "https://shop.example.com/callback",
            }
            self.engine.charge("ipaymu", params, key=order)
            CONTROL.act(order, provider="ipaymu")
        ask = ["reconcile", "ipaymu", "--operation", "history", "--format", "json", "--params"]
        report = json.loads(self.bayar(*ask, '{"limit": 2}', ends=1))
        self.assertEqual(report["summary"]["not_paid_here"], 3)
        self.engine.recover("ipaymu", now=True)
        report = self.engine.call("bayar", "reconcile", {"account": "ipaymu", "operation": "history"})["data"]
        self.assertEqual((report["summary"]["matched"], report["summary"]["missing_there"]), (3, 0))

    def test_reports_of_klink(self):
        member = new_order("M")
        
        def make(operation, **params):
            return self.engine.call("klink", operation, params, key=new_order("K"))

        gopay = {"amount": 150000, "channel": "midtrans:gopay:e_wallets", "customer": CUSTOMER}
        charges = [make("charge", order_id=new_order("K"), **gopay) for _ in range(2)]
        CONTROL.act(charges[0].order_id, provider="klink")
        self.receive(charges[0].order_id, "klink")
        make("register_va", id_member=member, name="Budi Santoso", phone="081200000001", email="budi@example.com")
        make("voucher", voucher_code=member, id_member_receipt=member, amount=250000, description="top-up")
        make("pay", order_id=new_order("K"), id_member=member, amount=90000, description="Paket")
        make("transfer", id_member_send=member, id_member_receipt=f"{member}b", amount=50000, description="lunch")

        def compare(operation, params, *expect, ends=1):
            arguments = [part for one in expect for part in ("--expect", one)]
            text = ["--operation", operation, "--params", json.dumps(params), "--format", "json", *arguments]
            outcome = json.loads(self.bayar("reconcile", "klink", *text, ends=ends))
            return outcome["summary"]

        # The finance report names orders, and not whether they were paid.
        summary = compare("report", {"bank_code": "gopay"}, "operation=charge", "channel=midtrans:gopay", ends=0)
        self.assertEqual((summary["matched"], summary["missing_there"], summary["not_paid_here"]), (2, 0, 0))
        self.assertEqual(compare("report", {"bank_code": "gopay"})["missing_there"], 3)
        # The wallet's history names our reference in the words of a transfer and a voucher, not of a payment.
        summary = compare("history", {"id_member": member}, f"id_member={member}")
        self.assertEqual((summary["matched"], summary["missing_there"], summary["not_named"]), (2, 1, 2))

    def test_what_is_no_report(self):
        before = CONTROL.arrived()
        for arguments in (
            ["midtrans"],
            ["nobody", "--operation", "history"],
            ["klink", "--operation", "transfer", "--params", "{}"],
            ["ipaymu", "--operation", "history", "--params", "[]"],
            ["midtrans", "--csv", "/nonexistent.csv"],
        ):
            self.bayar("reconcile", *arguments, ends=2)
        self.assertEqual(CONTROL.arrived(), before)
