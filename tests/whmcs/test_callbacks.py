"""What a provider's callback does, and what it must not do."""

import hashlib
import hmac
import json
import urllib.parse

from liar import Liar
from shop import CREDENTIALS, form
from world import Case

WAYS = ["midtrans", "midtrans/qris", "klink/va:014:BCAATM", "klink/va:008:MANDIRIMANUAL", "ipaymu/cstore_indomaret", "duitku/BC"]
FEES = {"ipaymu": "4000.00"}


class EachProvider(Case):
    def test_the_sandbox_sends_it_and_the_invoice_is_paid(self):
        for way in WAYS:
            with self.subTest(way=way):
                invoice = self.shop.invoice()
                attempt = self.shop.pay(invoice, way)
                done = self.sandbox.act(attempt["order_id"], provider=attempt["account"])
                self.assertEqual([last["attempts"][-1]["status"] for last in done["deliveries"]], [200])
                [payment] = self.credited(invoice)
                self.assertEqual((payment["fees"], payment["gateway"]), (FEES.get(attempt["account"], "0.00"), "bayar"))
                self.assertEqual(self.shop.attempt(invoice)["transid"], payment["transid"])

    def test_what_comes_again_is_answered_and_credits_nothing(self):
        for way in WAYS:
            with self.subTest(way=way):
                invoice, _, callback = self.paid(way)
                self.assertEqual([self.shop.deliver(callback) for _ in range(3)], [200] * 3)
                self.credited(invoice)

    def test_what_is_not_genuine_is_refused(self):
        for way, forge in FORGERIES.items():
            with self.subTest(way=way):
                invoice, _, callback = self.paid(way)
                self.assertEqual(self.shop.deliver(forge(callback)), 401)
                self.credited(invoice, times=0)

    def test_before_it_is_paid_it_credits_nothing(self):
        for way in ["midtrans/qris", "ipaymu/cstore_indomaret", "duitku/BC"]:
            with self.subTest(way=way):
                invoice, _, callback = self.paid(way)
                other = self.shop.pay(self.shop.invoice(), way)
                # Genuine in its signature where that covers so little; about an order that nobody has paid.
                self.assertIn(self.shop.deliver(about(callback, other)), (200, 401))
                self.credited(int(other["invoiceid"]), times=0)


class NotThis(Case):
    """Amounts, invoices and currencies that are not what was asked."""

    def test_klink_signs_another_amount(self):
        for amount in ["0", "1", "149999", "150311", "150313", "300624", "150312.50", "-150312"]:
            with self.subTest(amount=amount):
                invoice, _, callback = self.paid("klink/va:008:MANDIRIMANUAL")
                self.assertIn(self.shop.deliver(klink(callback, tot_bayar=amount)), (200, 401, 503))
                self.credited(invoice, times=0)

    def test_klink_signs_no_amount(self):
        """It is genuine, so it is kept, and a person looks: nothing else knows whether it was paid."""
        for amount in ["", "  ", None, "0", 0, "abc", "-150312", [150312], {}]:
            with self.subTest(amount=amount):
                invoice, attempt, callback = self.paid("klink/va:008:MANDIRIMANUAL")
                self.assertEqual([self.shop.deliver(klink(callback, tot_bayar=amount)) for _ in range(2)], [200] * 2)
                self.credited(invoice, times=0)
                self.reviewed(attempt, "no amount of whole rupiah")
                # Nor is it credited by what comes later.
                self.assertEqual(self.shop.deliver(callback), 200)
                self.shop.cron(later=61)
                self.credited(invoice, times=0)

    def test_klink_says_that_there_is_no_amount(self):
        """`"-"` is how K-Link writes that; its document has callbacks without the field, too."""
        for without in ["-", ...]:
            with self.subTest(without=without):
                invoice, _, callback = self.paid("klink/va:014:BCAATM")
                self.assertEqual(self.shop.deliver(klink(callback, tot_bayar=without)), 200)
                self.credited(invoice)

    def test_klink_signs_another_order(self):
        invoice, attempt, callback = self.paid("klink/va:014:BCAATM")
        other = self.shop.pay(self.shop.invoice(), "klink/va:014:BCAATM")
        self.assertEqual(self.shop.deliver(klink(callback, order_id="INV-999999-A")), 200)
        self.credited(invoice, times=0)
        self.credited(int(other["invoiceid"]), times=0)
        self.assertEqual(len(self.shop.reminders("INV-999999-A belongs to no invoice")), 1)

    def test_where_a_callback_proves_nothing_its_amount_counts_for_nothing(self):
        """Whoever has the key can sign what he likes; what is credited is what the provider itself answers."""
        for way, signed in UNPROVEN:
            for amount in ["", "0", "1", "149999", "150001", "1500000"]:
                with self.subTest(way=way, amount=amount):
                    invoice, _, callback = self.paid(way)
                    status = self.shop.deliver(signed(callback, amount))
                    # An amount that is missing, or no amount, is none that Midtrans or Duitku writes.
                    allowed = (200, 401) if amount in ("", "0") and not way.startswith("ipaymu") else (200,)
                    self.assertIn(status, allowed)
                    self.credited(invoice, times=1 if status == 200 else 0)
                    # A later one, as it should be, finds what is left to be credited, and no more.
                    self.assertEqual(self.shop.deliver(callback), 503 if status == 503 else 200)
                    self.credited(invoice)

    def test_a_provider_that_answers_another_amount_is_for_a_person(self):
        """Also where the callback names the same one, or the one that was asked."""
        liar = Liar(self.sandbox.url)
        self.addCleanup(liar.stop)
        for way, signed in UNPROVEN:
            for amount, named in [("1", "150000"), ("149999", "149999"), ("150001", "150000"), ("1500000", "1500000"), ("0", "150000")]:
                with self.subTest(way=way, amount=amount, named=named):
                    self.change(simulator=self.sandbox.url)
                    invoice, attempt, callback = self.paid(way)
                    liar.amount, liar.changed = amount, 0
                    self.change(simulator=liar.url)
                    self.assertEqual(self.shop.deliver(signed(callback, named)), 200)
                    self.assertTrue(liar.changed)
                    self.credited(invoice, times=0)
                    self.reviewed(attempt, f"the amount is said to be {amount}, owed was 150000")
                    self.shop.cron(later=61)
                    self.credited(invoice, times=0)

    def test_a_provider_that_answers_no_amount_has_not_answered(self):
        liar = Liar(self.sandbox.url)
        self.addCleanup(liar.stop)
        liar.amount = ""
        for way, signed in UNPROVEN:
            with self.subTest(way=way):
                self.change(simulator=self.sandbox.url)
                invoice, _, callback = self.paid(way)
                self.change(simulator=liar.url)
                self.assertEqual(self.shop.deliver(signed(callback, "150000")), 503)
                self.credited(invoice, times=0)

    def test_only_exactly_what_was_asked(self):
        """Whatever an outcome says, wherever it comes from."""
        wrong = {
            "no amount": {"amount": None},
            "nothing": {"amount": 0},
            "a part": {"amount": 149999},
            "too much": {"amount": 150001},
            "ten times": {"amount": 1500000},
            "less than nothing": {"amount": -150000},
            "another sum to be paid": {"payable": 150001},
            "another currency": {"currency": "USD"},
            "another order": {"orderId": "INV-1-A"},
            "another account": {"account": "midtrans"},
            "another intent": {"intent": "I0000000000000000000000X"},
            "a review": {"review": "a person should look"},
            "not paid": {"status": "pending"},
            "unknown": {"status": "unknown"},
        }
        for what, change in wrong.items():
            with self.subTest(what=what):
                invoice, _, callback = self.paid("klink/va:014:BCAATM")
                # The journal knows that it was paid: nothing but the finding is wrong.
                self.assertIn(self.shop.drive("standin_settle", invoice, change, callback), ("not credited", "noted"))
                self.credited(invoice, times=0)
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        # What nothing is wrong with is credited only where the journal knows it, too.
        self.assertEqual(self.shop.drive("standin_settle", invoice, {}, None), "not credited")
        self.assertEqual(self.shop.drive("standin_settle", invoice, {}, callback), "credited")
        self.assertEqual(self.shop.drive("standin_settle", invoice, {}, None), "credited before")
        self.credited(invoice)

    def test_the_address_does_not_say_which_invoice(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        other = self.shop.invoice()
        callback["query"] = f"invoiceid={other}&id={other}"
        self.assertEqual(self.shop.deliver(callback), 200)
        self.credited(invoice)
        self.credited(other, times=0)

    def test_another_accounts_callback_is_not_this_ones(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        for account, status in [("midtrans", 401), ("duitku", 401), ("nobody", 404), ("", 404)]:
            sent = {**callback, "urls": [callback["urls"][0].replace("account=klink", f"account={account}")]}
            self.assertEqual(self.shop.deliver(sent), status, account)
        self.credited(invoice, times=0)

    def test_a_client_whose_currency_was_changed(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM", client=2)
        self.addCleanup(self.shop.sql, "UPDATE tblclients SET currency = 1 WHERE id = 2")
        self.shop.sql("UPDATE tblclients SET currency = 2 WHERE id = 2")
        self.not_credited(invoice, callback, "is in USD now")

    def test_an_invoice_that_went_to_another_client(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql(f"UPDATE tblinvoices SET userid = 2 WHERE id = {invoice}")
        self.not_credited(invoice, callback, "belongs to client 2")

    def test_a_cancelled_invoice(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql(f"UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {invoice}")
        self.not_credited(invoice, callback, "is Cancelled", status="Cancelled")
        # An admin opens it again, and cron finds the money.
        self.shop.sql(f"UPDATE tblinvoices SET status = 'Unpaid' WHERE id = {invoice}")
        self.shop.cron()
        self.credited(invoice)

    def test_an_attempt_whose_amount_was_changed_behind_our_back(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET amount = 1 WHERE invoiceid = {invoice}")
        self.not_credited(invoice, callback, "its amount is 150000, expected is 1")

    def reviewed(self, attempt, why):
        """The engine holds it for a person, who is told once."""
        [reminder] = self.shop.reminders(attempt["order_id"])
        self.assertIn(why, reminder["description"])

    def not_credited(self, invoice, callback, why, status="Unpaid"):
        self.assertEqual([self.shop.deliver(callback) for _ in range(2)], [200] * 2)
        self.assertEqual(self.shop.payments(invoice), [])
        self.assertEqual(self.shop.status(invoice), status)
        [reminder] = self.shop.reminders(f"INV-{invoice}-A was not credited")
        self.assertIn(why, reminder["description"])
        self.shop.cron()
        logged = self.shop.sql(f"SELECT result FROM tblgatewaylog WHERE data LIKE '%INV-{invoice}-A%'")
        self.assertEqual([row["result"] for row in logged], ["Not credited"])


class Late(Case):
    def test_what_was_paid_stays_paid(self):
        """Callbacks come in any order, and two of them may be looked at together."""
        for status in ("pending", "unknown", "failed", "expired", "cancelled"):
            with self.subTest(status=status):
                invoice, _, callback = self.paid("klink/va:014:BCAATM")
                self.shop.deliver(callback)
                self.assertEqual(self.shop.drive("standin_settle", invoice, {"status": status}, None), "noted")
                self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], ["paid", None])

    def test_what_was_closed_does_not_open_again(self):
        invoice = self.shop.invoice()
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET status = 'expired', open = NULL WHERE invoiceid = {invoice}")
        self.shop.drive("standin_settle", invoice, {"status": "pending"}, None)
        self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], ["expired", None])


class Answers(Case):
    def test_the_test_button_of_midtrans_is_answered(self):
        _, _, callback = self.paid("midtrans/qris")
        test = midtrans(callback, order_id="payment_notif_test_G000000001_EXAMPLE")
        self.assertEqual(self.shop.deliver(test), 200)

    def test_while_the_provider_cannot_be_asked_it_is_to_come_again(self):
        invoice, _, callback = self.paid("midtrans/qris")
        self.sandbox.ask("POST", "faults", {"fault": "reset", "provider": "midtrans", "path_contains": "/status"})
        self.assertEqual(self.shop.deliver(callback), 503)
        self.credited(invoice, times=0)

    def test_while_whmcs_database_fails_it_is_to_come_again(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql("RENAME TABLE tblaccounts TO hidden")
        try:
            self.assertEqual(self.shop.deliver(callback), 503)
        finally:
            self.shop.sql("RENAME TABLE hidden TO tblaccounts")
        self.shop.cron(later=61)
        self.assertEqual(self.shop.deliver(callback), 200)
        self.credited(invoice)

    def test_while_the_module_is_not_active_it_is_to_come_again(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.change(type=None)
        self.assertEqual(self.shop.deliver(callback), 503)

    def test_another_modules_hook_throws_after_the_entry(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql("INSERT INTO faults VALUES ('after', 'throw')")
        self.assertEqual(self.shop.deliver(callback), 200)
        self.assertEqual(len(self.shop.payments(invoice)), 1)
        self.assertEqual(len(self.shop.reminders(f"Something failed while payment INV-{invoice}-A")), 1)

    def test_what_fails_before_the_entry_is_free_for_the_next_at_once(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql("INSERT INTO faults VALUES ('before', 'throw')")
        self.assertEqual([self.shop.deliver(callback) for _ in range(2)], [503, 200])
        self.credited(invoice)

    def test_another_modules_hook_ends_the_program(self):
        for point, entries in [("before", 0), ("after", 1)]:
            with self.subTest(point=point):
                invoice, _, callback = self.paid("klink/va:014:BCAATM")
                self.shop.sql(f"INSERT INTO faults VALUES ('{point}', 'exit')")
                self.assertEqual(self.shop.deliver(callback), 503)
                self.assertEqual(len(self.shop.payments(invoice)), entries)
                self.assertEqual(self.shop.deliver(callback), 503)  # the claim is somebody's still
                self.shop.cron(later=61)
                self.assertEqual(len(self.shop.payments(invoice)), 1)
                self.assertEqual(self.shop.deliver(callback), 200)
                self.assertEqual(len(self.shop.payments(invoice)), 1)

    def test_an_overpaid_invoice_leaves_the_clients_credit_and_a_reminder(self):
        invoice, _, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql(f"INSERT INTO tblaccounts (userid, currency, gateway, description, amountin, transid, invoiceid) VALUES (1, 0, 'cash', '', 150000, 'CASH-{invoice}', {invoice})")
        self.shop.sql(f"UPDATE tblinvoices SET status = 'Paid' WHERE id = {invoice}")
        before = float(self.shop.one("SELECT credit FROM tblclients WHERE id = 1")["credit"])
        self.assertEqual(self.shop.deliver(callback), 200)
        self.assertEqual(float(self.shop.one("SELECT credit FROM tblclients WHERE id = 1")["credit"]) - before, 150000)
        self.assertEqual(len(self.shop.reminders(f"Invoice {invoice} was paid twice")), 1)

    def test_a_get_is_no_callback(self):
        url = f"{self.shop.server.url}/modules/gateways/callback/bayar.php?account=midtrans"
        self.assertEqual(self.shop.browser.get(url).status, 401)


def forged(callback, old, new):
    body = callback["body"].replace(old, new)
    assert body != callback["body"], callback
    return {**callback, "body": body}


def about(callback, attempt):
    """The same callback about another order; signed anew where the key is known."""
    sign = {"midtrans": midtrans, "duitku": lambda callback, order_id: duitku(callback, "150000", order_id)}.get(attempt["account"])
    if sign:
        return sign(callback, order_id=attempt["order_id"])
    return forged(callback, urllib.parse.quote(callback["order_id"]).replace("-", "%2D"), urllib.parse.quote(attempt["order_id"]).replace("-", "%2D"))


def klink(callback, **fields):
    """Signed anew; a field that is `...` is left out."""
    document = {**json.loads(callback["body"]), **fields}
    body = json.dumps({name: value for name, value in document.items() if value is not ...})
    signature = hmac.new(CREDENTIALS["klink_pid_key"].encode(), body.encode(), hashlib.sha256).hexdigest()
    return {**callback, "body": body, "headers": [["content-type", "application/json"], ["x-servicepayment", signature]]}


def midtrans(callback, **fields):
    document = {**json.loads(callback["body"]), **fields}
    text = document["order_id"] + document["status_code"] + document["gross_amount"] + CREDENTIALS["midtrans_server_key"]
    return {**callback, "body": json.dumps({**document, "signature_key": hashlib.sha512(text.encode()).hexdigest()})}


def duitku(callback, amount, order_id=None):
    fields = dict(urllib.parse.parse_qsl(callback["body"], keep_blank_values=True))
    fields["amount"], fields["merchantOrderId"] = amount, order_id or fields["merchantOrderId"]
    text = fields["merchantCode"] + fields["amount"] + fields["merchantOrderId"] + CREDENTIALS["duitku_merchant_key"]
    fields["signature"] = hashlib.md5(text.encode()).hexdigest()
    return {**callback, "body": urllib.parse.urlencode(fields)}


def ipaymu(callback, amount, sign=True):
    """With another amount in each field that has one; the document's own form carries no signature."""
    fields = dict(urllib.parse.parse_qsl(callback["body"], keep_blank_values=True))
    fields |= {name: amount for name in ("amount", "total", "sub_total", "paid_off")}
    headers = [[name, value] for name, value in callback["headers"] if name.lower() != "x-signature"]
    if sign:
        numbers = ("trx_id", "status_code", "transaction_status_code", "paid_off")
        typed = {name: int(value) if name in numbers and value else value for name, value in fields.items()}
        typed |= {"is_escrow": fields["is_escrow"] == "1", "additional_info": []}
        text = json.dumps(typed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).replace("/", "\\/")
        headers.append(["x-signature", hmac.new(CREDENTIALS["ipaymu_va"].encode(), text.encode(), hashlib.sha256).hexdigest()])
    return {**callback, "body": urllib.parse.urlencode(fields), "headers": headers}


# Callbacks that make the engine ask, with an amount of one's own, signed as the provider signs.
UNPROVEN = [
    ("midtrans/qris", lambda callback, amount: midtrans(callback, gross_amount=amount and f"{amount}.00")),
    ("duitku/BC", duitku),
    ("ipaymu/cstore_indomaret", ipaymu),
    ("ipaymu/cstore_indomaret", lambda callback, amount: ipaymu(callback, amount, sign=False)),
]

FORGERIES = {
    "midtrans/qris": lambda callback: forged(callback, "150000.00", "150001.00"),
    "klink/va:014:BCAATM": lambda callback: forged(callback, "success", "Success"),
    "klink/va:008:MANDIRIMANUAL": lambda callback: {**callback, "headers": [["content-type", "application/json"]]},
    "ipaymu/cstore_indomaret": lambda callback: {**callback, "urls": [callback["urls"][0].split("&bayar=")[0]]},
    "duitku/BC": lambda callback: forged(callback, "resultCode=00&signature=", "resultCode=00&signature=0"),
}
