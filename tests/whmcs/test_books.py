"""Refunds, reversals, cancelled invoices, and what admins look at."""

import re

from shop import SECRETS
from world import Case


class Refunds(Case):
    def refund(self, invoice, amount):
        [payment] = self.shop.payments(invoice)
        return self.shop.drive("standin_refund", payment["transid"], amount)

    def refunded(self, order):
        return [refund["amount"] for refund in self.sandbox.get(f"midtrans/{order}")["detail"]["refunds"]]

    def settled(self, **invoice):
        number = self.shop.invoice(**invoice)
        self.sandbox.act(self.shop.pay(number, "midtrans/qris")["order_id"])
        return number

    def test_in_parts_and_then_whole(self):
        invoice = self.settled()
        for amount in ("50000.00", "50000.00", "50000.00"):
            self.assertEqual(self.refund(invoice, amount)["status"], "success")
        self.assertEqual(self.refunded(f"INV-{invoice}-A"), [50000] * 3)
        # Midtrans has called back about each; none of them was reversed besides.
        self.assertEqual(self.out(invoice), ["50000.00"] * 3)
        self.shop.cron(later=1200)
        self.assertEqual(self.out(invoice), ["50000.00"] * 3)

    def test_the_same_press_again_is_the_same_refund(self):
        invoice = self.settled()
        self.sandbox.ask("POST", "faults", {"fault": "reset", "when": "after", "provider": "midtrans", "path_contains": "/refund"})
        self.assertEqual(self.refund(invoice, "150000.00")["status"], "error")
        self.assertEqual(self.refund(invoice, "150000.00")["status"], "error")
        self.shop.cron(later=1200)
        self.assertEqual(self.refund(invoice, "150000.00")["status"], "success")
        self.assertEqual(self.refunded(f"INV-{invoice}-A"), [150000])
        self.assertEqual(self.out(invoice), ["150000.00"])

    def test_too_much_a_fraction_and_a_stranger_are_refused(self):
        invoice = self.settled()
        self.assertEqual(self.refund(invoice, "150001.00")["status"], "error")
        self.assertEqual(self.refund(invoice, "0.50")["status"], "error")
        self.assertEqual(self.refunded(f"INV-{invoice}-A"), [])
        self.assertEqual(self.shop.drive("bayar_refund", {"transid": "X", "amount": "1.00", "currency": "IDR"})["status"], "error")

    def test_where_the_provider_has_none_it_is_declined(self):
        invoice = self.shop.invoice()
        self.sandbox.act(self.shop.pay(invoice, "duitku/BC")["order_id"], provider="duitku")
        answer = self.refund(invoice, "150000.00")
        self.assertEqual((answer["status"], answer["rawdata"]["code"]), ("declined", "unsupported"))
        self.assertEqual(self.out(invoice), [])

    def test_a_converted_one_goes_back_at_the_rate_that_was_paid_by(self):
        self.change(convertto="1")
        self.addCleanup(self.shop.sql, "UPDATE tblcurrencies SET rate = 0.00006 WHERE code = 'USD'")
        invoice = self.settled(amount="9.99", client=3)
        self.shop.sql("UPDATE tblcurrencies SET rate = 0.00005 WHERE code = 'USD'")
        self.assertEqual(self.refund(invoice, "9.99")["status"], "success")
        self.assertEqual(self.refunded(f"INV-{invoice}-A"), [166500])

    def out(self, invoice):
        return [row["amountout"] for row in self.shop.sql(f"SELECT amountout FROM tblaccounts WHERE invoiceid = {invoice} AND amountout > 0")]


class WentBack(Case):
    """The callback comes half a minute after that of the payment: sooner, the provider is not asked again."""

    def setUp(self):
        super().setUp()
        self.later = self.shop.serve(later=61)
        self.addCleanup(self.later.stop)

    def test_a_chargeback_reverses_the_payment_once(self):
        invoice, order = self.card()
        self.sandbox.act(order, "chargeback")
        self.assertEqual([self.told(order) for _ in range(2)], [200, 200])
        self.assertEqual(self.reversals(invoice), ["150000.00"])
        self.assertEqual(self.shop.status(invoice), "Collections")
        self.shop.cron(later=1200)
        self.assertEqual(self.reversals(invoice), ["150000.00"])

    def test_a_chargeback_that_could_not_be_entered(self):
        invoice, order = self.card()
        self.sandbox.act(order, "chargeback")
        self.shop.sql("RENAME TABLE tblaccounts TO hidden")
        try:
            self.assertEqual(self.told(order), 503)
        finally:
            self.shop.sql("RENAME TABLE hidden TO tblaccounts")
        self.assertEqual(self.reversals(invoice), [])
        self.shop.cron()
        self.assertEqual(self.reversals(invoice), ["150000.00"])

    def test_a_refund_from_the_providers_dashboard_reverses_it(self):
        invoice = self.shop.invoice()
        order = self.paid_first(invoice, "midtrans/qris")
        self.sandbox.act(order, "refunded")
        self.assertEqual(self.told(order), 200)
        self.assertEqual(self.reversals(invoice), ["150000.00"])

    def test_a_chargeback_of_what_was_refunded_by_hand_is_told_to_a_person(self):
        invoice, order = self.card()
        [payment] = self.shop.payments(invoice)
        columns = "userid, currency, gateway, description, amountout, transid, invoiceid, refundid"
        self.shop.sql(f"INSERT INTO tblaccounts ({columns}) SELECT userid, 0, gateway, '', amountin, 'BY-HAND-{invoice}', invoiceid, id FROM tblaccounts WHERE transid = '{payment['transid']}'")
        self.sandbox.act(order, "chargeback")
        self.assertEqual([self.told(order) for _ in range(2)], [200, 200])
        self.shop.cron(later=1200)
        self.assertEqual(self.reversals(invoice), [])
        self.assertEqual(len(self.shop.reminders(f"Payment {order} went back")), 1)

    def told(self, order):
        return self.shop.deliver(self.sandbox.callback(order), self.later)

    def card(self):
        """A payment by card, on Midtrans' page."""
        invoice = self.shop.invoice()
        return invoice, self.paid_first(invoice, "midtrans", "paid?method=credit_card")

    def paid_first(self, invoice, way, act="paid"):
        order = self.shop.pay(invoice, way)["order_id"]
        self.sandbox.act(order, act)
        self.credited(invoice)
        return order

    def reversals(self, invoice):
        rows = self.shop.sql(f"SELECT amountout FROM tblaccounts WHERE invoiceid = {invoice} AND transid LIKE '%-R'")
        return [row["amountout"] for row in rows]


class Cancelled(Case):
    def test_its_open_attempt_is_withdrawn_at_the_provider(self):
        invoice = self.shop.invoice()
        order = self.shop.pay(invoice, "midtrans/bca_va")["order_id"]
        self.shop.drive("standin_cancel", invoice)
        self.assertEqual(self.sandbox.get(f"midtrans/{order}")["provider_status"], "cancel")
        self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], ["cancelled", None])

    def test_where_it_cannot_be_withdrawn_it_is_closed_and_a_late_payment_told(self):
        invoice = self.shop.invoice()
        order = self.shop.pay(invoice, "klink/va:014:BCAATM")["order_id"]
        self.shop.drive("standin_cancel", invoice)
        self.assertEqual(self.shop.attempt(invoice)["open"], None)
        self.sandbox.act(order, provider="klink")
        self.assertEqual(self.shop.payments(invoice), [])
        self.assertEqual(len(self.shop.reminders(f"{order} was not credited")), 1)

    def test_one_that_was_paid_just_before_is_not_lost(self):
        invoice, attempt, _ = self.paid("midtrans/bca_va")
        self.shop.drive("standin_cancel", invoice)
        self.assertEqual(self.shop.attempt(invoice)["status"], "paid")
        self.assertEqual(len(self.shop.reminders(f"{attempt['order_id']} was not credited")), 1)

    def test_an_invoice_that_was_paid_otherwise_withdraws_it(self):
        invoice = self.shop.invoice()
        order = self.shop.pay(invoice, "midtrans/bca_va")["order_id"]
        self.shop.drive("addInvoicePayment", invoice, f"CASH-{invoice}", 150000, 0, "cash")
        self.assertEqual(self.sandbox.get(f"midtrans/{order}")["provider_status"], "cancel")


class Looking(Case):
    def test_information_on_a_transaction(self):
        invoice = self.shop.invoice()
        self.sandbox.act(self.shop.pay(invoice, "ipaymu/cstore_indomaret")["order_id"], provider="ipaymu")
        [payment] = self.shop.payments(invoice)
        information = self.shop.drive("bayar_TransactionInformation", {"transactionId": payment["transid"]})
        expected = {"transactionId": payment["transid"], "amount": 150000, "currency": "IDR", "type": "payment", "status": "paid"}
        self.assertEqual({name: information[name] for name in expected}, expected)
        self.assertEqual(information["additional"]["Reference"], f"INV-{invoice}-A")
        self.assertEqual(information["fee"], 4000)

    def test_information_on_somebody_elses(self):
        self.assertEqual(self.shop.drive("bayar_TransactionInformation", {"transactionId": "CASH"})["description"], "Not recorded by Bayar.")

    def test_the_balance_of_who_tells_it(self):
        [balance] = self.shop.drive("bayar_account_balance", {})
        self.assertGreaterEqual(balance.pop("amount"), 1500000)
        self.assertEqual(balance, {"currency": "IDR", "label": "status.available"})

    def test_without_a_provider_that_answers_there_is_no_balance(self):
        self.change(simulator="http://127.0.0.1:1")
        self.assertEqual(self.shop.drive("bayar_account_balance", {}), [])

    def test_the_page_of_checks_is_for_admins(self):
        url = f"{self.shop.server.url}/modules/gateways/bayar/check.php"
        self.assertEqual(self.shop.browser.get(url).status, 403)
        self.addCleanup(self.shop.browser.get, f"{self.shop.server.url}/sign_in.php")
        self.shop.browser.get(f"{self.shop.server.url}/sign_in.php?admin=1")
        page = self.shop.browser.get(f"{url}?account=klink")
        self.assertEqual(page.status, 200)
        text = re.sub(r"<[^>]+>", " ", page.text)
        for expected in ("reached by native", "callback/bayar.php?account=midtrans", "K-Link&#039;s IT team, beforehand", "klink/va:014:BCAATM = BCA VA Online", "midtrans/qris = QRIS"):
            self.assertIn(expected, text)
        self.assertEqual([secret for secret in SECRETS if secret in page.text], [])

    def test_no_secret_stands_in_any_log(self):
        tables = ["tblgatewaylog", "tblmodulelog", "tblactivitylog", "tbltodolist", "mod_bayar_attempts", "mod_bayar_purchases"]
        texts = {table: str(self.shop.sql(f"SELECT * FROM {table}")) for table in tables}
        self.assertGreater(len(texts["tblgatewaylog"]) + len(texts["tblmodulelog"]), 1000)
        for secret in SECRETS:
            self.assertEqual([table for table, text in texts.items() if secret in text], [], secret)
        for payers in ("budi@example.com", "081200000001", "81200000001"):
            self.assertEqual([table for table, text in texts.items() if payers in text and table.startswith("tbl")], [], payers)
