"""What a process does that may be killed at any moment: orders of several kinds, one after the
other or all at once, each with the key that decides what it is. What it was answered it writes down."""

from concurrent.futures import ThreadPoolExecutor

import bayar
import operations
from child import told

KINDS = [one for one in operations.ALL if one.name in ("midtrans charge", "midtrans Snap", "klink voucher", "klink pay", "ipaymu direct", "duitku charge", "biller purchase")]


def kind(number):
    return KINDS[number % len(KINDS)]


def order(seed, number):
    return f"K{seed:08X}N{number:07}Z"


def work(config, seed, numbers, log):
    """Executes the orders of these numbers. A line of the log is written in one piece."""
    with bayar.Engine(config) as engine, open(log, "a", buffering=1) as answers:

        def one(number):
            answer = told(lambda: kind(number).call(engine, order(seed, number), deadline_ms=5000))
            answers.write(f"{number} {answer.get('status') or answer['error']['code']}\n")

        # Threads share commits, so a kill may come between what several of them have written.
        at_once = min(len(numbers), 8) if numbers and numbers[0] % 2 else 1
        with ThreadPoolExecutor(max(1, at_once)) as threads:
            list(threads.map(one, numbers))
