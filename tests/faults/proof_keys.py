"""The same keys from 64 processes and threads at once: the provider gets each once. And 50
processes that write while every commit takes 8 ms more: no caller is told that the journal is busy."""

import threading

import bayar
import child
import operations
from child import told
from expect import expect
from report import Problems

PROCESSES, THREADS = 32, 2
KEYS = 6
WRITERS, WRITES = 50, 4
KINDS = [one for one in operations.ALL if one.name in ("midtrans charge", "midtrans Snap", "klink voucher", "klink pay", "ipaymu direct", "biller purchase")]
SLOW = {"BAYAR_COMMIT_MS": "8"}


def main(world):
    bayar.Engine(world.config(journal="none"))
    problems = Problems("keys")
    with problems.of("same keys"):
        sends = same_keys(world)
    with problems.of("slow commits"):
        answers = slow_commits(world)
    if problems.none():
        print(f"keys: {len(KINDS) * KEYS} keys from {PROCESSES * THREADS} callers, {sends} sends; {answers} calls of {WRITERS} writers with commits slowed by 8 ms, busy 0")
    return problems.none()


def same_keys(world):
    config = world.config()
    children = [child.start(lambda: race(config)) for _ in range(PROCESSES)]
    ended = [child.join(*one) for one in children]
    expect("ends of the processes", [end for _, end in ended if end != child.DONE], [])
    answers = {}
    for result, _ in ended:
        for order, answer in result:
            answers.setdefault(order, []).append(answer)
    sends = 0
    for kind in KINDS:
        for number in range(KEYS):
            order = name(kind, number)
            arrived = arrivals(world, kind, order)
            expect(f"sends of {order}", arrived, 1)
            sends += arrived
            said = set(answers[order])
            expect(f"answers of {order}", len(answers[order]), PROCESSES * THREADS)
            expect(f"answers of {order} beside the outcome", sorted(said - {kind.fine, "in_progress"}), [])
            expect(f"somebody has the outcome of {order}", kind.fine in said, True)
    return sends


def name(kind, number):
    return f"SAME{KINDS.index(kind)}X{number:03}{'A' * 6}"


def race(config):
    answers = []
    with bayar.Engine(config) as engine:
        def call():
            for kind in KINDS:
                for number in range(KEYS):
                    order = name(kind, number)
                    answer = told(lambda: kind.call(engine, order))
                    answers.append([order, answer.get("status") or answer["error"]["code"]])
        threads = [threading.Thread(target=call) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return answers


def arrivals(world, kind, order):
    status, found = world.control.ask("GET", f"{kind.account}/{kind.named(order)}")
    return found["arrived"].get(kind.operation, 0) if status == 200 else 0


def slow_commits(world):
    config = world.config()

    def write(number):
        answers = []
        with bayar.Engine(config) as engine:
            for again in range(WRITES):
                kind = KINDS[again % len(KINDS)]
                answer = told(lambda: kind.call(engine, f"SLOW{number:03}X{again}{'A' * 6}"))
                answers.append(answer.get("status") or answer["error"])
        return answers

    children = [child.start(lambda number=number: write(number), **SLOW) for number in range(WRITERS)]
    answers = [answer for one in children for answer in (child.join(*one)[0] or ["died"])]
    expect("answers", [answer for answer in answers if answer not in ("pending", "paid", "done")], [])
    return len(answers)
