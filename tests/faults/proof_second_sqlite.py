"""Another SQLite in the process that uses the engine opens and closes the journal's file, which takes
the engine's locks away: the engine refuses, with nothing sent, and loses nothing."""

import re
import sqlite3

import bayar
import child
from child import told
from expect import expect
from report import Problems

ROUNDS = 20


def main(world):
    problems, detected = Problems("second SQLite"), 0
    with problems.of("open before the engine"):
        made = journal(world)
        detected += child.done(lambda: before(*made))
    ways = {"opened and closed": opened_and_closed, "held open": held_open, "written": written}
    for name, way in ways.items():
        for turn in range(ROUNDS):
            with problems.of(f"{name}, {turn}"):
                config, path = journal(world)
                detected += child.done(lambda: use(world, config, path, way, turn))
                # By a process that was not there.
                expect("intents that are missing", child.done(lambda: missing(world, config)), [])
    print(f"second SQLite: {ROUNDS * len(ways) + 1} processes, {detected} detected, lost {problems.count}")
    return problems.none()


def before(config, path):
    """It has the file open when the engine comes."""
    child.done(lambda: charge_by_another(config))
    other = sqlite3.connect(path)
    other.execute("SELECT count(*) FROM intent").fetchone()
    with bayar.Engine(config) as engine:
        answer = charge(engine, f"{prefix(config)}X2XQ")
        expect(f"a charge: {answer}"[:400], answer.get("error", {}).get("code"), "journal_open_elsewhere")
        expect("its stage", answer["error"]["stage"], "not_sent")
    other.close()
    return 1


def charge_by_another(config):
    with bayar.Engine(config) as engine:
        return charge(engine, f"{prefix(config)}X1XQ")


def journal(world):
    setting = world.journal()
    return world.config(journal=setting), setting.removeprefix("sqlite:")


def charge(engine, order):
    return told(lambda: engine.charge("midtrans", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=order))


def use(world, config, path, way, turn):
    with bayar.Engine(config) as engine:
        expect("a charge before", charge(engine, f"{prefix(config)}X1XQ").get("status"), "pending")
        way(path, lambda: charge(engine, f"{prefix(config)}X3XQ"))
        sent = world.control.arrived()
        answer = charge(engine, f"{prefix(config)}X2XQ")
        expect(f"a charge beside it: {answer}"[:400], answer.get("error", {}).get("code"), "journal_open_elsewhere")
        expect("its stage", answer["error"]["stage"], "not_sent")
        expect("requests", world.control.arrived() - sent, 0)
        expect("a charge afterwards", charge(engine, f"{prefix(config)}X2XQ").get("status"), "pending")
    return 1


def opened_and_closed(path, _):
    other = sqlite3.connect(path)
    other.execute("SELECT count(*) FROM intent").fetchone()
    other.close()


def held_open(path, charge):
    """While it is open nothing is lost: our locks are of the kind that stays. It closes, and they go."""
    other = sqlite3.connect(path)
    other.execute("SELECT count(*) FROM intent").fetchone()
    answer = charge()
    expect("a charge while it is open", answer.get("status") or answer["error"]["code"], {"pending", "journal_open_elsewhere"})
    other.close()


def written(path, _):
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE intent SET tries = tries")
    other.close()


def prefix(config):
    """An order's beginning that no other journal has."""
    return "SQ" + re.search(r"/(\d+)/journal\.db", config).group(1)


def missing(world, config):
    """Orders that the provider has, and this journal does not."""
    with bayar.Engine(config) as engine:
        known = {intent["reference"] for intent in engine.call("bayar", "intents", {}).data["intents"]}
    mine = {order["order_id"] for order in world.orders("midtrans") if order["order_id"].startswith(prefix(config) + "X")}
    return sorted(mine - known)
