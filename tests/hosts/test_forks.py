"""Forks with a used engine, threads, and two copies of the library in one process."""

import os
import shutil
import signal
import tempfile
import threading
import unittest
from pathlib import Path

import bayar
from support import CONFIG, CONTROL, TARGET, Case, charge, new_order

#: No test here may take longer, nor may any child: SIGALRM ends it.
LIMIT = 60


class Forks(Case):
    def setUp(self):
        super().setUp()
        signal.alarm(LIMIT)
        self.addCleanup(signal.alarm, 0)

    def in_child(self, work):
        """Forks, does the work there and gives the child's id. Exit code 0: it returned True."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            signal.alarm(LIMIT // 2)
            code = 0 if work() else 2
        finally:
            os._exit(code)

    def join(self, children):
        ends = [os.waitpid(child, 0)[1] for child in children]
        self.assertEqual(
            ends, [0] * len(ends), "a child gave a wrong answer (512), failed (256) or hung (14)"
        )

    def right_answers(self):
        """A charge, its status, and the callback, by the engine that was there before the fork."""
        order = new_order("FORK")
        if charge(self.engine, order).order_id != order:
            return False
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        heard = self.engine.callback("midtrans", headers=sent["headers"], body=sent["body"].encode())
        asked = self.engine.status("midtrans", {"order_id": order})
        return (heard.order_id, heard.status, asked.order_id, asked.status) == (order, "paid", order, "paid")

    def test_a_used_engine(self):
        self.assertTrue(self.right_answers())
        children = [self.in_child(self.right_answers) for _ in range(4)]
        self.assertTrue(self.right_answers(), "the parent's engine goes on, too")
        self.join(children)

    def test_a_child_of_a_child(self):
        charge(self.engine)

        def work():
            grandchild = self.in_child(self.right_answers)
            return self.right_answers() and os.waitpid(grandchild, 0)[1] == 0

        self.join([self.in_child(work)])

    def test_a_child_that_closes_what_it_inherited(self):
        operation = self.engine.start("midtrans", "status", {"order_id": "A1"})
        operation.next()

        def work():
            operation.close()
            self.engine.close()
            with bayar.Engine(CONFIG) as engine:
                return charge(engine).status == "pending"

        self.join([self.in_child(work)])
        operation.failure(operation.next(), bayar.NOT_SENT)
        self.assertTrue(self.right_answers())

    def test_while_other_threads_are_in_calls(self):
        order = new_order("FORK")
        charge(self.engine, order)
        stop, wrong, calls = threading.Event(), [], [0] * 3

        def keep_calling(number):
            while not stop.is_set():
                try:
                    outcome = self.engine.status("midtrans", {"order_id": order})
                    if outcome.order_id != order:
                        wrong.append(outcome)
                except bayar.Error as error:
                    wrong.append(error)
                calls[number] += 1

        threads = [threading.Thread(target=keep_calling, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                self.join([self.in_child(self.right_answers) for _ in range(3)])
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [], "the parent's calls stay with the parent")
        self.assertTrue(all(calls), calls)


class Threads(Case):
    def test_one_engine_from_many_threads(self):
        answers = []

        def work():
            for _ in range(10):
                order = new_order("THREAD")
                answers.append(charge(self.engine, order).order_id == order)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [True] * 80)

    def test_closed_while_another_thread_is_in_a_call(self):
        """The handle is freed after the call, not under it."""
        CONTROL.ask(
            "POST", "faults", {"fault": "delay", "ms": 300, "when": "after", "path_contains": "/v2/HELD-"}
        )
        outcome = []
        order = new_order("HELD")
        charge(self.engine, order)
        before = CONTROL.arrived()
        thread = threading.Thread(
            target=lambda: outcome.append(self.engine.status("midtrans", {"order_id": order}))
        )
        thread.start()
        while CONTROL.arrived() == before:
            pass
        self.engine.close()
        thread.join()
        self.assertEqual(outcome[0].order_id, order)


class Copies(unittest.TestCase):
    def test_opened_from_two_paths(self):
        with tempfile.TemporaryDirectory(prefix="bayar-copy-") as directory:
            copy = Path(directory) / "libbayar.so"
            shutil.copyfile(TARGET / "libbayar.so", copy)
            with bayar.Engine(CONFIG) as one, bayar.Engine(CONFIG, library=str(copy)) as other:
                self.assertIsNot(one._library.c, other._library.c)
                self.assertNotEqual(one._library.c._handle, other._library.c._handle)
                for engine in (one, other, one):
                    order = new_order("COPY")
                    self.assertEqual(charge(engine, order).order_id, order)
                    self.assertEqual(engine.status("midtrans", {"order_id": order}).status, "pending")
