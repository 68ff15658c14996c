"""Whatever dies or stops where: a payment is credited exactly once."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from world import Case

ROUNDS = 50


class Together(Case):
    def together(self, pool, callback):
        """What each of eight processes answers that gets the callback at the same moment."""
        return list(pool.map(lambda server: self.shop.deliver(callback, server), self.shop.crowd))

    def test_eight_callbacks_at_the_same_moment_fifty_times(self):
        answers = []
        with ThreadPoolExecutor(8) as pool:
            for _ in range(ROUNDS):
                invoice, _, callback = self.paid("klink/va:014:BCAATM")
                answers += self.together(pool, callback)
                self.credited(invoice)
        counts = {status: answers.count(status) for status in (200, 503)}
        print(f"{ROUNDS} payments, 8 callbacks each: {ROUNDS} credits, answers {counts}")
        self.assertEqual(sum(counts.values()), 8 * ROUNDS)
        self.assertGreaterEqual(counts[200], ROUNDS)

    def test_callbacks_that_are_confirmed_by_asking(self):
        with ThreadPoolExecutor(8) as pool:
            for _ in range(5):
                invoice, _, callback = self.paid("midtrans/qris")
                statuses = set(self.together(pool, callback))
                self.assertIn(200, statuses)
                self.assertLessEqual(statuses, {200, 503})
                self.credited(invoice)

    def test_a_callback_and_cron_and_a_payer_who_asks(self):
        for _ in range(5):
            invoice, _, callback = self.paid("klink/va:014:BCAATM")
            box = self.shop.box(invoice)
            with ThreadPoolExecutor(3) as pool:
                for done in [pool.submit(self.shop.deliver, callback), pool.submit(self.shop.cron), pool.submit(self.shop.press, invoice, "check", box)]:
                    done.result()
            self.assertEqual(self.shop.deliver(callback), 200)
            self.credited(invoice)


class Killed(Case):
    def killed(self, point):
        """A process that dies at that point of addInvoicePayment."""
        invoice, attempt, callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql(f"INSERT INTO faults VALUES ('{point}', 'kill')")
        server = self.shop.serve()
        self.assertIsNone(self.shop.deliver(callback, server))
        self.assertEqual(server.process.wait(), -signal.SIGKILL)
        return invoice, callback

    def test_before_the_entry(self):
        invoice, callback = self.killed("before")
        self.credited(invoice, times=0)
        self.assertEqual(self.shop.deliver(callback), 503)  # its claim still holds
        self.shop.cron(later=61)
        self.credited(invoice)
        self.assertEqual(self.shop.deliver(callback), 200)
        self.credited(invoice)

    def test_after_the_entry(self):
        invoice, callback = self.killed("after")
        self.assertEqual(len(self.shop.payments(invoice)), 1)
        self.assertEqual(self.shop.deliver(callback), 503)
        later = self.shop.serve(later=61)
        self.assertEqual(self.shop.deliver(callback, later), 200)
        later.stop()
        self.assertEqual(len(self.shop.payments(invoice)), 1)
        # What the dead process did not do any more, a person is told.
        self.assertEqual(self.shop.status(invoice), "Unpaid")
        self.assertEqual(len(self.shop.reminders(f"Invoice {invoice} is unpaid though its payment is recorded")), 1)


class Stopped(Case):
    """A process that is stopped between its look into the books and its entry, for longer than its claim."""

    def setUp(self):
        super().setUp()
        self.change(lock_seconds="0")
        self.invoice, _, self.callback = self.paid("klink/va:014:BCAATM")
        self.shop.sql("INSERT INTO faults VALUES ('before', 'stop')")
        self.server = self.shop.serve()
        self.status = None
        self.delivery = threading.Thread(target=self.deliver)
        self.delivery.start()
        self.addCleanup(self.go_on)
        self.assertTrue(self.stopped(), f"it answered {self.status} without stopping")

    def stopped(self):
        """Whether the process stops, or answers."""
        while self.delivery.is_alive():
            # It is a child of ours: the kernel says whether it has stopped.
            if os.waitid(os.P_PID, self.server.process.pid, os.WSTOPPED | os.WNOHANG):
                return True
            self.delivery.join(0.01)
        return False

    def deliver(self):
        self.status = self.shop.deliver(self.callback, self.server)

    def go_on(self):
        if self.delivery.is_alive():
            os.kill(self.server.process.pid, signal.SIGCONT)
            self.delivery.join()

    def test_past_its_claim(self):
        later = self.shop.serve(later=61)
        self.addCleanup(later.stop)
        self.assertEqual([self.shop.deliver(self.callback, later) for _ in range(2)], [503, 503])
        self.shop.cron(later=61)
        self.credited(self.invoice, times=0)
        self.go_on()
        self.assertEqual(self.status, 200)
        self.credited(self.invoice)
        self.assertEqual(self.shop.deliver(self.callback, later), 200)
        self.credited(self.invoice)

    def test_past_its_claim_and_its_connection_to_the_database(self):
        later = self.shop.serve(later=61)
        self.addCleanup(later.stop)
        [holder] = self.shop.sql("SELECT id FROM information_schema.processlist WHERE db = 'whmcs' AND id <> CONNECTION_ID() AND command = 'Sleep' AND user = 'whmcs'")
        self.shop.sql(f"KILL {holder['id']}")
        self.assertEqual(self.shop.deliver(self.callback, later), 200)
        self.credited(self.invoice)
        self.go_on()
        self.assertEqual(self.status, 503)
        self.credited(self.invoice)
