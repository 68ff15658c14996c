"""Processes that work on one journal are killed at random, and others take up their orders:
nothing that a provider carried out is missing here, and nothing is carried out twice."""

import os
import random
import select
import signal
import time

import bayar
import child
import kill_worker
from report import Problems

KILLS = int(os.environ.get("KILLS", "2000"))
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
WORKERS = 6
#: How many orders a worker is given, and how long it may live at most, in seconds.
ORDERS = 4
LIFE = 0.25
#: Two workers at a time are given the same orders, now and then.
TOGETHER = 0.2
LEASES_OVER = {"BAYAR_AHEAD_MS": "300000"}


def main(world):
    print(f"kills: seed {SEED}", flush=True)
    bayar.Engine(world.config(journal="none"))
    config, log = world.config(), str(world.path("answers"))
    child.done(lambda: lay_out(config))
    load = Load(config, log)
    try:
        load.run()
    finally:
        load.stop()
    # Whatever is still open is called again once, by a worker that lives, and then recovered.
    child.done(lambda: kill_worker.work(config, SEED, load.unfinished(), log))
    found = child.done(lambda: recovered(config), **LEASES_OVER)
    return judge(world, load, found, log)


def lay_out(config):
    """The journal's tables, before anybody is killed."""
    with bayar.Engine(config) as engine:
        engine.call("bayar", "intents", {})


class Load:
    def __init__(self, config, log):
        self.config, self.log = config, log
        self.random = random.Random(SEED)
        self.kills = self.next = 0
        #: By the worker's id: the pipe that ends with it, its orders, and when it is killed.
        self.alive, self.left, self.given = {}, [], set()

    def run(self):
        while self.kills < KILLS:
            while len(self.alive) < WORKERS:
                self.begin(self.orders())
            self.wait()

    def orders(self):
        """Those of one who was killed come first: called again, by another."""
        if self.alive and self.random.random() < TOGETHER:
            return self.random.choice([numbers for _, numbers, _ in self.alive.values()])
        again, self.left = self.left[:ORDERS], self.left[ORDERS:]
        fresh = range(self.next, self.next + ORDERS - len(again))
        self.next += len(fresh)
        return again + list(fresh)

    def begin(self, numbers):
        dies = time.monotonic() + self.random.uniform(0, LIFE)
        pid, reads = child.start(lambda: kill_worker.work(self.config, SEED, numbers, self.log))
        self.given.update(numbers)
        self.alive[pid] = (reads, numbers, dies)

    def wait(self):
        """Until the next worker ends by itself, or has to die."""
        pid, (_, _, dies) = min(self.alive.items(), key=lambda one: one[1][2])
        reads = {reads: pid for pid, (reads, _, _) in self.alive.items()}
        ended, _, _ = select.select(list(reads), [], [], max(0, dies - time.monotonic()))
        for end in ended:
            self.end(reads[end])
        if not ended:
            os.kill(pid, signal.SIGKILL)
            self.end(pid)

    def end(self, pid):
        reads, numbers, _ = self.alive.pop(pid)
        _, ended = child.join(pid, reads)
        if ended == -signal.SIGKILL:
            self.kills += 1
            # Not for ever: what waits for a lease is called again at the end.
            self.left += [number for number in numbers if self.random.random() < 0.7]
        elif ended != child.DONE:
            raise RuntimeError(f"a worker ended with {ended}")

    def stop(self):
        for pid in list(self.alive):
            os.kill(pid, signal.SIGKILL)
            child.join(pid, self.alive.pop(pid)[0])

    def unfinished(self):
        answered = {int(line.split()[0]) for line in open(self.log)}
        return sorted(self.given - answered)


def recovered(config):
    with bayar.Engine(config) as engine:
        engine.call("bayar", "recover", {"now": True, "limit": 1_000_000})
        return every_intent(engine)


def every_intent(engine):
    """All of them, page by page."""
    found, after = [], {}
    while page := engine.call("bayar", "intents", {"limit": 500, **after}).data["intents"]:
        found += page
        after = {"after": page[-1]["id"]}
    return found


def judge(world, load, found, log):
    problems = Problems("kills")
    by_key = {intent["key"]: intent for intent in found}
    if len(by_key) != len(found):
        problems.add("journal", f"{len(found)} intents, {len(by_key)} keys")
    executed, lost, doubled = ledger(world), 0, 0
    for number in sorted(load.given):
        kind, order = kill_worker.kind(number), kill_worker.order(SEED, number)
        intent = by_key.get(f"key-{order}")
        times = executed.get((kind.account, kind.operation, kind.named(order)), 0)
        if times > 1:
            doubled += 1
            problems.add(order, f"{kind} was executed {times} times")
        if times and (intent is None or intent["state"] == "new"):
            lost += 1
            problems.add(order, f"{kind} was executed, and the journal has {intent and intent['state']}")
    known = {intent["key"]: intent["state"] for intent in found}
    for line in open(log):
        number, answer = line.split()
        state = known.get(f"key-{kill_worker.order(SEED, int(number))}")
        # What a host was told stands; nothing may have been recorded of what was refused before.
        if answer in ("pending", "paid", "done") and state != answer:
            lost += 1
            problems.add(number, f"a host was told {answer}, the journal has {state}")
        elif answer not in ("pending", "paid", "done", "outcome_unknown", "in_progress"):
            problems.add(number, f"a host was told {answer}")
    states = {}
    for intent in found:
        states[intent["state"]] = states.get(intent["state"], 0) + 1
    print(f"kills: seed {SEED}, {load.kills} kills, {len(found)} intents ({', '.join(f'{n} {state}' for state, n in sorted(states.items()))}), lost {lost}, doubled {doubled}")
    return problems.none()


def ledger(world):
    """How often each operation on each order was carried out."""
    counts = {}
    for provider in {kind.account for kind in kill_worker.KINDS}:
        for order in world.orders(provider):
            for operation, times in order["executed"].items():
                counts[provider, operation, order["order_id"]] = times
    return counts
