"""What WHMCS's cron finds by itself."""

from test_callbacks import klink
from world import Case


class Cron(Case):
    def test_a_lost_callback_heals(self):
        for way in ["midtrans", "midtrans/qris", "ipaymu/cstore_indomaret", "duitku/BC"]:
            with self.subTest(way=way):
                invoice, _, callback = self.paid(way)
                self.shop.cron()
                self.credited(invoice, times=0)  # the provider is left alone for the first minutes
                self.shop.cron(later=1200)
                self.credited(invoice)
                self.assertEqual(self.shop.deliver(callback), 200)
                self.credited(invoice)

    def test_what_the_provider_ended_ends_here(self):
        for act in ["expired", "failed"]:
            with self.subTest(act=act):
                invoice = self.shop.invoice()
                with self.shop.unreachable():
                    attempt = self.shop.pay(invoice, "midtrans/bca_va")
                    self.sandbox.act(attempt["order_id"], act)
                self.shop.cron(later=1200)
                self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], [act, None])

    def test_what_nobody_can_be_asked_about_ends_with_its_time(self):
        invoice = self.shop.invoice()
        self.shop.pay(invoice, "klink/va:014:BCAATM")
        self.shop.cron()
        self.assertEqual(self.shop.attempt(invoice)["status"], "pending")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET expires_at = UNIX_TIMESTAMP() - 1 WHERE invoiceid = {invoice}")
        self.shop.cron()
        self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], ["expired", None])

    def test_a_charge_whose_process_died_before_it_wrote_down_the_answer(self):
        invoice = self.shop.invoice()
        attempt = self.shop.pay(invoice, "midtrans/bca_va")
        columns = "status = 'new', intent = NULL, instruction = NULL, payable_amount = NULL, expires_at = NULL, provider_reference = NULL"
        self.shop.sql(f"UPDATE mod_bayar_attempts SET {columns} WHERE invoiceid = {invoice}")
        self.shop.cron()
        after = self.shop.attempt(invoice)
        for name in ("status", "intent", "payable_amount", "expires_at", "provider_reference"):
            self.assertEqual(after[name], attempt[name], name)
        self.assertEqual(self.instruction(after), self.instruction(attempt))
        self.sandbox.act(attempt["order_id"])
        self.credited(invoice)

    def test_an_attempt_that_was_never_sent_makes_room(self):
        self.change(simulator="http://127.0.0.1:1")
        invoice = self.shop.invoice()
        self.shop.press(invoice, "pay midtrans/bca_va")
        self.shop.cron()
        self.assertEqual(self.shop.attempt(invoice)["open"], "1")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET created_at = created_at - 601 WHERE invoiceid = {invoice}")
        self.shop.cron()
        self.assertEqual([self.shop.attempt(invoice)[name] for name in ("status", "open")], ["failed", None])

    def test_one_that_was_paid_after_it_was_given_up(self):
        invoice, _, _ = self.paid("duitku/BC")
        self.shop.sql(f"UPDATE mod_bayar_attempts SET status = 'expired', open = NULL WHERE invoiceid = {invoice}")
        self.shop.cron(later=1200)
        self.credited(invoice)

    def test_what_waits_for_a_review_is_shown_to_a_person_and_not_credited(self):
        invoice, attempt, callback = self.paid("klink/va:008:MANDIRIMANUAL")
        self.assertEqual(self.shop.deliver(klink(callback, tot_bayar="150313")), 200)
        for _ in range(2):
            self.shop.cron(later=1200)
        self.assertEqual(len(self.shop.reminders(f"{attempt['order_id']} was not credited")), 1)
        self.credited(invoice, times=0)

    def test_while_the_module_is_not_active_it_does_nothing(self):
        before = len(self.shop.reminders(""))
        self.change(type=None)
        self.shop.cron()
        self.assertEqual(len(self.shop.reminders("")), before)
