"""An abort at every step of every path, for every class of operation: nothing that the provider
carried out is missing here, nothing is carried out twice, and every state is a documented one.

For each scenario and each step: a child aborts there; another, which knows nothing of it, calls
again with the same key; a third recovers, when all leases are over."""

import os
import signal

import bayar
import child
import operations
import scenarios
from report import Problems

#: Longer than any lease, shorter than the quarter of an hour in which an order may still come.
LEASES_OVER = {"BAYAR_AHEAD_MS": "300000"}
#: More than any path has.
MOST = 400


def main(world):
    # The plugins are loaded here, once; nothing else of an engine is used before a fork.
    before = bayar.Engine(world.config(journal="none"))
    problems, steps, names = Problems("aborts"), 0, set()
    made = [scenarios.Call(world, operation) for operation in operations.ALL]
    made += [scenarios.Recovery(world, operation) for operation in operations.ALL if operation.klass != "read"]
    made += [scenarios.Callback(world, *paid) for paid in scenarios.PAID]
    made += [scenarios.Effect(world)]
    for scenario in made:
        for step in range(1, MOST):
            ended = None
            with problems.of(f"{scenario}, step {step}"):
                ended, name = abort(world, scenario, step)
                names.add(name)
            if ended == child.DONE or ended is None:
                break
            steps += 1
    before.close()
    print(f"aborts: {steps} aborts at {len(names)} kinds of step in {len(made)} scenarios; lost 0, doubled 0" if problems.none() else f"aborts: {steps} aborts, {problems.count} wrong")
    return problems.none()


def abort(world, scenario, step):
    """Aborts at one step, and looks what that leaves."""
    order = f"A{scenario.number:02}S{step:03}{'A' * 6}"
    run = scenario.begin(order)
    child.done(run.prepare)
    log = world.path(f"{order}.steps")
    _, ended = child.run(run.act, BAYAR_ABORT_AT=str(step), BAYAR_STEPS=str(log))
    name = log.read_text().splitlines()[-1]
    if ended not in (child.DONE, -signal.SIGABRT):
        raise RuntimeError(f"the child ended with {ended}")
    again = child.done(run.again)
    found = child.done(run.recover, **LEASES_OVER)
    try:
        run.judge(again, found, died=ended != child.DONE)
    except Exception as error:
        raise type(error)(f"at {name!r}: {error}; the same key again: {str(again)[:300]}") from error
    finally:
        os.remove(log)
    return ended, name
