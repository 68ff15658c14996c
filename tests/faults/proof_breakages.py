"""Every way in which an exchange can break, for every operation: each lands in the state that
RELIABILITY.md, "At each point of failure", documents."""

import bayar
import breakages
import operations
from expect import Wrong, expect
from faulty import Faulty
from recovered import RECOVERED
from report import Problems

#: What a call must come to, by what happened to its only moving exchange: the error's stage, and the
#: state of its intent. A read has no intent.
POINTS = {
    "no byte of the request was written": ("not_sent", "new"),
    "no whole answer, or none that can be believed": ("maybe_sent", "unknown"),
    "the provider refused to look at it (401)": ("answered", "failed"),
}

DEADLINE_MS = 20_000
SHORT_MS = 300


def main(world):
    provider = Faulty(world.process.url)
    problems, done = Problems("breakages"), 0
    for operation in operations.ALL:
        for name, make in {**OWN, **breakages.ALL}.items():
            if not applies(name, operation):
                continue
            done += 1
            order = f"F{done:04}{'A' * 8}"
            with problems.of(f"{operation}, {name}"):
                Case(world, provider, operation, order).run(name, make)
    for name, check in {"late success": late_success}.items():
        done += 1
        with problems.of(name):
            check(world, provider)
    print(f"breakages: {done} faults in {len(operations.ALL)} operations, {problems.count} in the wrong state")
    return problems.none()


#: What is more than one broken exchange.
OWN = {
    "connect refused": "refuse",
    "401": "unauthorized",
    "401, and no new session": "session_lost",
    "401 once": "session_renewed",
    "a duplicate order": "duplicate",
}


def applies(name, operation):
    if name == "a wrong echo":
        return operation.echoes
    if name in ("401, and no new session", "401 once"):
        return operation.account == "klink"
    if name == "a duplicate order":
        # Where the provider says so: Midtrans' charges, and a payment from K-Link's wallet.
        return operation.name in ("midtrans charge", "midtrans Snap", "klink charge", "klink pay")
    return True


class Case:
    def __init__(self, world, provider, operation, order):
        self.world, self.provider, self.operation, self.order = world, provider, operation, order
        self.engine = bayar.Engine(world.config(url=provider.url))

    def run(self, name, make):
        with self.engine:
            self.operation.prepare(self.engine, self.world, self.order)
            executed_before = self.operation.executed(self.world, self.order)
            own = OWN.get(name)
            point, executes = getattr(self, own)() if own else self.broken(make, name == "drip past the deadline")
            self.provider.arm()
            after = self.operation.executed(self.world, self.order) - executed_before
            expect("executed", after, int(executes), self.operation.klass != "read")
            if point is None:
                state = self.intent()["state"] if self.operation.klass != "read" else self.operation.fine
                expect("state", state, "unknown" if name == "a duplicate order" else self.operation.fine)
            elif self.operation.klass == "read":
                self.read()
            else:
                self.moving(point, executes)
                after = self.operation.executed(self.world, self.order) - executed_before
                expect("executed at most once", after <= 1, True)

    # The fault itself: gives the point of failure, and whether the provider carried it out.

    def refuse(self):
        self.provider.refuse()
        try:
            self.fails(DEADLINE_MS, "not_sent")
        finally:
            self.provider.listen()
        return "no byte of the request was written", False

    def unauthorized(self):
        # A session is renewed, once.
        refused = breakages.Answers(401, executes=False)
        self.provider.arm(*self.before(), refused, *([None, refused] if self.renews() else []))
        self.fails(DEADLINE_MS, "answered")
        return "the provider refused to look at it (401)", False

    def session_lost(self):
        """Refused, and no new session to be had: the provider did not act upon it."""
        refused = breakages.Answers(401, executes=False)
        self.provider.arm(*self.before(), refused, refused)
        self.fails(DEADLINE_MS, "not_sent")
        return "no byte of the request was written", False

    def session_renewed(self):
        self.provider.arm(*self.before(), breakages.Answers(401, executes=False))
        expect("outcome", self.operation.call(self.engine, self.order).status, self.operation.fine)
        if self.operation.klass != "read":
            expect("attempts", self.intent()["attempts"], 2)
        return None, True

    def duplicate(self):
        """The provider has the order already, from somebody else: that may have been an attempt of ours."""
        with bayar.Engine(self.world.config(url=self.provider.url)) as other:
            self.operation.call(other, self.order, key="theirs")
        self.fails(DEADLINE_MS, "maybe_sent")
        return None, True

    def renews(self):
        return self.operation.account == "klink"

    def broken(self, make, is_slow):
        fault = make(self.order)
        self.provider.arm(*self.before(), fault)
        self.fails(SHORT_MS if is_slow else DEADLINE_MS, {"maybe_sent", "answered"} if self.operation.klass == "read" else "maybe_sent")
        return "no whole answer, or none that can be believed", fault.executes

    def before(self):
        return [None] * self.operation.first

    def fails(self, deadline_ms, stage):
        try:
            outcome = self.operation.call(self.engine, self.order, deadline_ms=deadline_ms)
        except bayar.Error as error:
            expect("stage", error.stage, stage if isinstance(stage, set) else {stage})
            return error
        raise Wrong(f"it gave an outcome: {outcome} {outcome.status}")

    # What it comes to.

    def read(self):
        """Nothing is kept of a read, and it may be called again."""
        expect("outcome", self.operation.call(self.engine, self.order).status, self.operation.fine)

    def moving(self, point, executes):
        stage, state = POINTS[point]
        if state == "new" and self.operation.first:
            # It did not come to the request that moves, so there is nothing to record.
            expect("outcome", self.operation.call(self.engine, self.order).status, self.operation.fine)
            return
        intent = self.intent()
        expect("state", intent["state"], state)
        expect("review", intent.get("review"), None)
        arrived = self.provider.arrived
        if state == "new":
            expect("the same key again", self.operation.call(self.engine, self.order).status, self.operation.fine)
            expect("state after the same key again", self.intent()["state"], self.operation.fine)
            return
        self.fails(DEADLINE_MS, stage)
        expect("requests for the same key again", self.provider.arrived - arrived, 0)
        if state == "failed":
            return
        report = self.engine.call("bayar", "recover", {"now": True}).data
        after, review = RECOVERED[self.operation.settles, executes]
        intent = self.intent()
        expect(f"state after recovery ({report})", intent["state"], after.format(fine=self.operation.fine))
        expect("review after recovery", bool(intent.get("review")), review)

    def intent(self):
        found = self.engine.call("bayar", "intents", {}).data["intents"]
        mine = [one for one in found if one["key"] == f"key-{self.order}"]
        expect("intents of this key", len(mine), 1)
        return mine[0]


def late_success(world, provider):
    """What was said to have ended and then to have been paid is paid; and stays so."""
    with bayar.Engine(world.config(url=provider.url)) as engine:
        order = "FLATEAAAAAAAAAAA"
        operation = next(one for one in operations.ALL if one.name == "midtrans charge")
        operation.call(engine, order)
        states = []
        for found, said in (("pending", "expire"), ("pending", "pending"), ("settlement", "settlement"), ("settlement", "expire")):
            if found == "settlement" and "paid" not in states:
                world.control.act(order)
            provider.arm(breakages.Says(f'_status":"{found}"', f'_status":"{said}"'.ljust(len(found) + 11)))
            engine.status("midtrans", {"order_id": order})
            states.append(operation.call(engine, order).status)
        expect("states", states, ["expired", "expired", "paid", "paid"])
