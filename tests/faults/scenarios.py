"""Paths through the engine, as a process goes that may die on them: prepare, act, and then, in
other processes, the same again, recovery, and a judgement."""

import itertools
from urllib.parse import urlsplit

import bayar
from child import told
from expect import Wrong, expect
from recovered import RECOVERED

_numbers = itertools.count(1)


class Scenario:
    def __init__(self, world, name):
        self.world, self.name, self.number = world, name, next(_numbers)

    def begin(self, order):
        """One run, on a journal of its own."""
        run = object.__new__(type(self))
        run.__dict__.update(self.__dict__, order=order, config=self.world.config())
        return run

    def engine(self):
        return bayar.Engine(self.config)

    def recover(self):
        """What the journal says in the end."""
        with self.engine() as engine:
            engine.call("bayar", "recover", {"now": True})
            return engine.call("bayar", "intents", {}).data["intents"]

    def mine(self, found):
        mine = [intent for intent in found if intent["key"] == f"key-{self.order}"]
        return mine[0] if mine else None

    def __str__(self):
        return self.name


class Call(Scenario):
    """One call of an operation."""

    def __init__(self, world, operation):
        super().__init__(world, f"call of {operation}")
        self.operation = operation

    def prepare(self):
        with self.engine() as engine:
            self.operation.prepare(engine, self.world, self.order)

    def act(self):
        with self.engine() as engine:
            return told(lambda: self.operation.call(engine, self.order))

    def again(self):
        return self.act()

    def judge(self, again, found, died):
        executed = self.operation.executed(self.world, self.order)
        if self.operation.klass == "read":
            expect("the same call again", again.get("status"), self.operation.fine)
            return
        expect("executed at most once", executed <= 1, True)
        intent = self.mine(found)
        expect("is known", bool(intent), True)
        if executed:
            expect("is not as if nothing had been sent", intent["state"] != "new", True)
        if again.get("status") == self.operation.fine:
            expect("state", intent["state"], self.operation.fine)
            expect("executed", executed, 1)
            return
        # Somebody was executing it, and nobody knows how that ended.
        expect("error", again["error"]["code"], {"in_progress", "outcome_unknown"})
        expect("stage", again["error"]["stage"], "maybe_sent")
        state, review = RECOVERED[self.operation.settles, bool(executed)]
        expect("state after recovery", intent["state"], state.format(fine=self.operation.fine))
        expect("review after recovery", bool(intent.get("review")), review)


class Recovery(Call):
    """Recovery of a call whose answer was lost."""

    def __init__(self, world, operation):
        super().__init__(world, operation)
        self.name = f"recovery of {operation}"

    def prepare(self):
        with self.engine() as engine:
            self.operation.prepare(engine, self.world, self.order)
            for _ in range(self.operation.first):
                pass_one(self.world, self.operation)
            lose_answer(self.world, self.operation)
            answer = told(lambda: self.operation.call(engine, self.order))
            self.world.control.ask("DELETE", "faults")
            expect("the lost answer", answer["error"]["code"], "outcome_unknown")

    def act(self):
        return self.recover()

    def again(self):
        with self.engine() as engine:
            return told(lambda: self.operation.call(engine, self.order))

    def judge(self, again, found, died):
        expect("executed", self.operation.executed(self.world, self.order), 1)
        state, review = RECOVERED[self.operation.settles, True]
        intent = self.mine(found)
        expect("state", intent["state"], state.format(fine=self.operation.fine))
        expect("review", bool(intent.get("review")), review)


def pass_one(world, operation):
    """Nothing happens to the exchange that comes before the one that moves."""
    world.control.ask("POST", "faults", {"fault": "delay", "ms": 0, "provider": operation.account})


def lose_answer(world, operation):
    world.control.ask("POST", "faults", {"fault": "reset", "when": "after", "provider": operation.account})


class Callback(Scenario):
    """A callback that says that an order was paid; the provider sends it again until it is acknowledged."""

    def __init__(self, world, account, params, path, fine, operation="charge"):
        super().__init__(world, f"callback of {account}")
        self.account, self.params, self.path, self.fine, self.operation = account, params, path, fine, operation

    def prepare(self):
        with self.engine() as engine:
            engine.call(self.account, self.operation, {"order_id": self.order, **self.params}, key=f"key-{self.order}")
        self.world.control.act(self.order, provider=self.account)

    def act(self):
        with self.engine() as engine:
            return told(lambda: deliver(engine, self.account, self.world.control.callback(self.order, self.account), self.path))

    def again(self):
        return self.act()

    def judge(self, again, found, died):
        # "Not now" is an answer, too: it was asked a moment ago, by one who died.
        status = again.get("acknowledgement") or again["error"]["acknowledgement"]
        expect("acknowledgement of the repeated one", status["status"], {200, 503} if died else 200)
        intent = self.mine(found)
        expect("state", intent["state"], self.fine)
        expect("review", intent.get("review"), None)


def deliver(engine, account, sent, path="", **changed):
    """Hands a callback over as the host's web server would, to the address that the charge named."""
    url = urlsplit(next(iter(sent["urls"]), path))
    envelope = {
        "headers": sent["headers"],
        "query": "&".join(filter(None, [url.query, sent.get("query")])),
        "body": sent["body"].encode(),
        "remote_addr": "127.0.0.1",
        "method": sent["method"],
        "path": url.path,
    }
    return engine.callback(account, **{**envelope, **changed})


PERSON = {"name": "Budi Santoso", "phone": "081200000001", "email": "budi@example.com"}
PAID = [
    ("midtrans", {"amount": 150000, "channel": "bca_va"}, "", "paid"),
    ("ipaymu", {"amount": 150000, "channel": "va_bca", "customer": PERSON, "callback_url": "https://shop.example.com/callback"}, "/callback", "paid"),
    ("klink", {"amount": 150000, "channel": "va:014:BCAATM", "customer": PERSON}, "", "paid"),
    ("duitku", {"amount": 150000, "channel": "BC", "customer": PERSON, "description": "Invoice 17", "return_url": "https://shop.example.com/thanks", "callback_url": "https://shop.example.com/callback"}, "", "paid"),
    ("biller", {"product": "s5", "destination": "081200000001"}, "/callback/biller-callback-token-EXAMPLE", "done", "purchase"),
]


class Effect(Scenario):
    """The host's own action: claimed, applied once per transaction id, confirmed."""

    def __init__(self, world):
        super().__init__(world, "claim and confirm")

    def prepare(self):
        with self.engine() as engine:
            engine.charge("midtrans", {"order_id": self.order, "amount": 150000, "channel": "bca_va"}, key=f"key-{self.order}")
            self.world.control.act(self.order)
            engine.status("midtrans", {"order_id": self.order})

    def act(self):
        with self.engine() as engine:
            intent = engine.call("bayar", "intents", {}).data["intents"][0]["id"]
            of = {"intent": intent, "effect": "credit"}
            claim = told(lambda: engine.call("bayar", "claim", of))
            if "error" in claim:
                return claim
            claim = claim["data"]
            if claim["granted"]:
                with open(self.credits(), "a") as credits:
                    credits.write(claim["transaction_id"] + "\n")
                claim = engine.call("bayar", "confirm", {**of, "fence": claim["fence"]}).data
            return claim

    def credits(self):
        return self.world.path(f"{self.order}.credits")

    def again(self):
        return self.act()

    def recover(self):
        return self.act()

    def judge(self, again, found, died):
        expect("state of the effect", found["state"], "confirmed")
        applied = self.credits().read_text().split()
        expect("transactions", len(set(applied)), 1)
        if not died:
            expect("applied", len(applied), 1)


__all__ = ["Call", "Callback", "Effect", "PAID", "Recovery", "Wrong"]
