"""From the payment box to a payment that can be made."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import world
from shop import Browser, form
from world import Case, until

NUMBERS = {
    "midtrans/bca_va": "virtual_account",
    "midtrans/indomaret": "retail",
    "midtrans/qris": "qr",
    "midtrans/gopay": "deeplink",
    "klink/va:014:BCAATM": "virtual_account",
    "klink/va:008:MANDIRIMANUAL": "manual_transfer",
    "ipaymu/cstore_indomaret": "retail",
    "duitku/BC": "virtual_account",
}


class Box(Case):
    def test_it_offers_every_way_of_the_setting_and_asks_nobody(self):
        before = self.sandbox.arrived()
        box = self.shop.box(self.shop.invoice())
        offered = re.findall(r'value="pay ([^"]+)"', box)
        self.assertEqual(offered, ["midtrans", *list(dict.fromkeys(self.shop.choices))[1:]])
        self.assertIn("Rp150.000", box)
        self.assertEqual(self.sandbox.arrived(), before)

    def test_each_way_shows_what_the_payer_needs(self):
        for way, kind in NUMBERS.items():
            with self.subTest(way=way):
                invoice = self.shop.invoice()
                attempt = self.shop.pay(invoice, way)
                before = self.sandbox.arrived()
                box = self.shop.box(invoice)
                self.assertEqual(self.sandbox.arrived(), before)
                self.assertEqual(self.kind(attempt), kind)
                for needed in self.needed(attempt):
                    self.assertIn(needed, unescape(box))
                self.assertEqual(kind in ("qr",), "<svg" in box)
                self.assertIn("data-until=", box)

    def test_a_page_of_the_providers_is_gone_to(self):
        invoice = self.shop.invoice()
        page = self.shop.press(invoice, "pay midtrans")
        url = self.instruction(self.shop.attempt(invoice))["url"]
        self.assertEqual((page.status, page.location), (303, url))
        self.assertIn(url, self.shop.box(invoice))

    def test_an_exact_transfer_says_the_exact_amount(self):
        invoice = self.shop.invoice()
        attempt = self.shop.pay(invoice, "klink/va:008:MANDIRIMANUAL")
        self.assertNotEqual(attempt["payable_amount"], attempt["amount"])
        thousands = f"Rp{int(attempt['payable_amount']):,}".replace(",", ".")
        self.assertIn(f"Transfer exactly {thousands}", self.shop.box(invoice))

    def test_a_name_with_an_apostrophe_that_is_longer_than_duitku_takes(self):
        attempt = self.shop.pay(self.shop.invoice(client=2), "duitku/BC")
        self.assertEqual(attempt["status"], "pending")
        sent = self.sandbox.get("requests?direction=in&provider=duitku")[-1]["body"]
        self.assertIn("Siti O'Rahayu Kusuma", sent)

    def test_the_hours_of_the_setting_are_told(self):
        self.change(expires="2")
        attempt = self.shop.pay(self.shop.invoice(), "midtrans/bca_va")
        self.assertAlmostEqual(int(attempt["expires_at"]) - int(attempt["created_at"]), 7200, delta=2)

    def test_a_fraction_of_a_rupiah_is_rounded_up(self):
        invoice = self.shop.invoice(amount="150000.40")
        self.assertEqual(self.shop.pay(invoice, "midtrans/bca_va")["amount"], "150001")

    def kind(self, attempt):
        return self.instruction(attempt)["kind"]

    def needed(self, attempt):
        how = self.instruction(attempt)
        shown = [how[name] for name in ("number", "code", "holder") if name in how]
        links = [how["url"]] if how["kind"] == "deeplink" else []
        return [re.sub(r"(\d{4})(?=\d)", r"\1 ", text) if text.isdigit() else text for text in shown] + links


class OneAttempt(Case):
    def test_a_second_press_makes_no_second_payment(self):
        invoice = self.shop.invoice()
        _, fields = form(self.shop.box(invoice), "pay midtrans/bca_va")
        with ThreadPoolExecutor(8) as pool:
            with world.DATABASE.readable_only("mod_bayar_attempts", "whmcs"):
                # Each with a session of its own: PHP lets the requests of one wait for each other.
                presses = [pool.submit(Browser().post, f"{server.url}/modules/gateways/bayar/pay.php", fields) for server in self.shop.crowd]
                # All of them have found no open attempt, and are about to begin one.
                until(lambda: world.DATABASE.waiting("mod_bayar_attempts") == 8)
            pages = [press.result() for press in presses]
        self.assertEqual({page.status for page in pages}, {303})
        self.assertEqual(self.attempts(invoice), ["A pending 1"])
        order = self.sandbox.get(f"midtrans/{self.shop.attempt(invoice)['order_id']}")
        self.assertEqual(order["arrived"], {"charge": 1})

    def test_the_database_itself_allows_one_open_attempt_an_invoice(self):
        invoice = self.shop.invoice()
        self.shop.pay(invoice, "midtrans/bca_va")
        again = "INSERT INTO mod_bayar_attempts (invoiceid, userid, number, open, gateway, account, channel, label, order_id, amount, invoice_amount, currency, rate, status, created_at, updated_at) "
        same = f"SELECT invoiceid, userid, 2, 1, gateway, account, channel, label, CONCAT(order_id, 'X'), amount, invoice_amount, currency, rate, status, created_at, updated_at FROM mod_bayar_attempts WHERE invoiceid = {invoice}"
        with self.assertRaisesRegex(RuntimeError, "Duplicate entry '[0-9]+-1' for key"):
            self.shop.sql(again + same)

    def test_another_way_is_not_begun_beside_an_open_one(self):
        invoice = self.shop.invoice()
        box = self.shop.box(invoice)
        self.shop.press(invoice, "pay midtrans/bca_va", box)
        self.shop.press(invoice, "pay klink/va:014:BCAATM", box)
        self.assertEqual(self.attempts(invoice), ["A pending 1"])

    def test_after_a_failure_a_new_order(self):
        for act, note in [("failed", "did not succeed"), ("expired", "is over")]:
            with self.subTest(act=act):
                invoice = self.shop.invoice()
                self.sandbox.act(self.shop.pay(invoice, "midtrans/bca_va")["order_id"], act)
                self.assertEqual(self.attempts(invoice), [f"A {act} None"])
                self.assertIn(note, self.shop.box(invoice))
                attempt = self.shop.pay(invoice, "midtrans/qris")
                self.assertEqual(self.attempts(invoice), [f"A {act} None", "B pending 1"])
                self.sandbox.act(attempt["order_id"])
                self.credited(invoice)

    def test_after_its_time_a_new_order_though_nobody_said_so(self):
        invoice = self.shop.invoice()
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET expires_at = UNIX_TIMESTAMP() - 1 WHERE invoiceid = {invoice}")
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.assertEqual(self.attempts(invoice), ["A expired None", "B pending 1"])
        # The first one is paid late, all the same.
        self.sandbox.act(f"INV-{invoice}-A", provider="klink")
        self.credited(invoice)

    def test_one_that_was_paid_in_time_is_found_before_another_is_begun(self):
        invoice, attempt, _ = self.paid()
        self.shop.sql(f"UPDATE mod_bayar_attempts SET expires_at = UNIX_TIMESTAMP() - 1 WHERE invoiceid = {invoice}")
        self.shop.pay(invoice, "midtrans/qris")
        self.credited(invoice)
        self.assertEqual(self.attempts(invoice), ["A paid None"])

    def test_a_payer_who_asks_is_credited(self):
        invoice, _, _ = self.paid()
        self.shop.press(invoice, "check")
        self.credited(invoice)

    def test_a_payer_changes_the_way_where_the_first_can_be_withdrawn(self):
        invoice = self.shop.invoice()
        first = self.shop.pay(invoice, "midtrans/bca_va")
        self.shop.press(invoice, "change")
        self.assertEqual(self.sandbox.get(f"midtrans/{first['order_id']}")["provider_status"], "cancel")
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.assertEqual(self.attempts(invoice), ["A cancelled None", "B pending 1"])
        self.assertNotIn('value="change"', self.shop.box(invoice))

    def attempts(self, invoice):
        rows = self.shop.sql(f"SELECT order_id, status, open FROM mod_bayar_attempts WHERE invoiceid = {invoice} ORDER BY number")
        return [f"{row['order_id'].removeprefix(f'INV-{invoice}-')} {row['status']} {row['open']}" for row in rows]


class Quotes(Case):
    def test_what_was_not_offered_is_not_begun(self):
        invoice, other = self.shop.invoice(), self.shop.invoice(client=2)
        box = self.shop.box(invoice)
        action, fields = form(box, "pay midtrans/bca_va")
        action = self.shop.server.url + "/modules/gateways/bayar/pay.php"
        text, digest = fields["quote"].split(".")
        refused = {
            "no quote": {"do": fields["do"]},
            "another's digest": {**fields, "quote": form(self.shop.box(other), "")[1]["quote"].split(".")[0] + "." + digest},
            "no digest": {**fields, "quote": text},
            "an empty quote": {**fields, "quote": ""},
        }
        for what, sent in refused.items():
            with self.subTest(what=what):
                self.assertEqual(self.shop.browser.post(action, sent).status, 403)
        self.assertEqual(self.shop.browser.get(f"{action}?quote={fields['quote']}&do=pay+midtrans").status, 403)
        self.assertIsNone(self.shop.attempt(invoice))

    def test_only_the_offered_ways(self):
        invoice = self.shop.invoice()
        for way in ["midtrans/permata_va", "biller", "../x", ""]:
            self.assertEqual(self.shop.press(invoice, f"pay {way}").status, 303)
        self.assertIsNone(self.shop.attempt(invoice))

    def test_another_client_who_is_signed_in_is_refused(self):
        invoice = self.shop.invoice(client=2)
        box = self.shop.box(invoice)
        self.addCleanup(self.shop.browser.get, f"{self.shop.server.url}/sign_in.php")
        self.shop.browser.get(f"{self.shop.server.url}/sign_in.php?client=1")
        self.assertEqual(self.shop.press(invoice, "pay midtrans/bca_va", box).status, 403)
        self.shop.browser.get(f"{self.shop.server.url}/sign_in.php?client=2")
        self.assertEqual(self.shop.press(invoice, "pay midtrans/bca_va", box).status, 303)
        self.assertEqual(self.shop.attempt(invoice)["status"], "pending")

    def test_a_page_that_is_no_longer_true_begins_nothing(self):
        invoice = self.shop.invoice()
        box = self.shop.box(invoice)
        self.shop.sql(f"UPDATE tblinvoices SET total = 90000 WHERE id = {invoice}")
        self.shop.press(invoice, "pay midtrans/bca_va", box)
        self.assertIsNone(self.shop.attempt(invoice))

    def test_a_page_begins_one_attempt(self):
        invoice = self.shop.invoice()
        box = self.shop.box(invoice)
        self.shop.press(invoice, "pay midtrans/bca_va", box)
        self.sandbox.act(f"INV-{invoice}-A", "failed")
        self.shop.press(invoice, "pay midtrans/bca_va", box)
        self.assertEqual(self.shop.attempt(invoice)["number"], "1")

    def test_a_page_that_was_open_for_a_day_is_out_of_date(self):
        quote = form(self.shop.box(self.shop.invoice()), "")[1]["quote"]
        now = int(self.shop.one("SELECT UNIX_TIMESTAMP() AS now")["now"])
        self.assertEqual(self.shop.drive("Bayar\\Whmcs\\Quote::read", quote, now + 86_300)["amount"], 150000)
        self.assertIsNone(self.shop.drive("Bayar\\Whmcs\\Quote::read", quote, now + 86_500))

    def test_a_form_that_is_sent_without_its_button(self):
        invoice = self.shop.invoice()
        self.assertEqual(self.shop.press(invoice, None).status, 303)
        self.assertIsNone(self.shop.attempt(invoice))


class Currencies(Case):
    def test_a_dollar_invoice_is_refused_unless_it_is_converted(self):
        invoice = self.shop.invoice(amount="9.99", client=3)
        box = self.shop.box(invoice)
        self.assertIn("this invoice is in USD", box)
        self.assertNotIn("<form", box)

    def test_a_converted_one_is_paid_at_the_rate_that_it_was_begun_with(self):
        self.change(convertto="1")
        self.addCleanup(self.shop.sql, "UPDATE tblcurrencies SET rate = 0.00006 WHERE code = 'USD'")
        invoice = self.shop.invoice(amount="9.99", client=3)
        self.assertIn("Rp166.500", self.shop.box(invoice))
        attempt = self.shop.pay(invoice, "ipaymu/cstore_indomaret")
        self.assertEqual([attempt[name] for name in ("amount", "invoice_amount", "currency")], ["166500", "9.99", "USD"])
        self.assertAlmostEqual(float(attempt["rate"]), 16666.6666, delta=0.001)
        self.shop.sql("UPDATE tblcurrencies SET rate = 0.00005 WHERE code = 'USD'")
        self.sandbox.act(attempt["order_id"], provider="ipaymu")
        # iPaymu keeps 4000 rupiah of it.
        self.assertEqual(self.credited(invoice, amount="9.99")[0]["fees"], "0.24")


class Trouble(Case):
    def fault(self, **fault):
        self.addCleanup(self.sandbox.ask, "DELETE", "faults")
        status, said = self.sandbox.ask("POST", "faults", {"provider": "midtrans", **fault})
        self.assertLess(status, 300, said)

    def test_a_provider_that_is_not_there_is_asked_again_by_the_same_button(self):
        self.change(simulator="http://127.0.0.1:1")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.assertEqual(self.shop.attempt(invoice)["note"], "try_again")
        self.assertIn("Nothing was charged", self.shop.box(invoice))
        self.shop.set(simulator=self.sandbox.url)
        self.shop.press(invoice, "pay midtrans/bca_va")
        attempt = self.shop.attempt(invoice)
        self.assertEqual((attempt["number"], attempt["status"], attempt["note"]), ("1", "pending", None))

    def test_a_lost_answer_is_not_charged_again(self):
        self.fault(fault="reset", when="after", path_contains="/v2/charge")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.assertEqual(self.shop.attempt(invoice)["status"], "unknown")
        self.assertIn("has not answered", self.shop.box(invoice))
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.assertEqual(self.sandbox.get(f"midtrans/INV-{invoice}-A")["arrived"].get("charge"), 1)
        # The payer asks, and gets what the lost answer said.
        self.shop.press(invoice, "check")
        attempt = self.shop.attempt(invoice)
        self.assertEqual((attempt["number"], attempt["status"]), ("1", "pending"))
        self.assertIn(self.instruction(attempt)["number"][:4], self.shop.box(invoice))
        self.sandbox.act(attempt["order_id"])
        self.credited(invoice)

    def test_who_has_seen_nothing_to_pay_may_begin_anew_after_a_while(self):
        self.fault(fault="reset", when="before", path_contains="/v2/charge")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.assertNotIn('value="change"', self.shop.box(invoice))
        self.shop.press(invoice, "change")
        self.assertEqual(self.shop.attempt(invoice)["status"], "unknown")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET created_at = created_at - 121 WHERE invoiceid = {invoice}")
        self.assertIn('value="change"', self.shop.box(invoice))
        self.shop.press(invoice, "change")
        self.sandbox.act(self.shop.pay(invoice, "midtrans/bca_va")["order_id"])
        self.credited(invoice)

    def test_a_refusal_lets_the_payer_choose_again(self):
        self.change(midtrans_server_key="SB-Mid-server-WRONG")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.assertEqual(self.shop.attempt(invoice)["status"], "failed")
        self.assertIn("did not accept", self.shop.box(invoice))
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.assertEqual([self.shop.attempt(invoice)[name] for name in ("number", "status")], ["2", "pending"])

    def test_a_client_without_a_phone_number_is_told(self):
        self.addCleanup(self.shop.sql, "UPDATE tblclients SET phonenumber = '+62.81200000001' WHERE id = 1")
        self.shop.sql("UPDATE tblclients SET phonenumber = '' WHERE id = 1")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay klink/va:014:BCAATM")
        self.assertEqual(self.shop.attempt(invoice)["note"], "profile")
        self.assertIn("complete your profile", self.shop.box(invoice))
