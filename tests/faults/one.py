"""One proof in this process: one.py PROOF TARGET-DIRECTORY. Started by tests/faults/run."""

import importlib
import logging
import signal
import sys

from world import World

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    # What breaks here is meant to break.
    logging.getLogger("bayar").setLevel(logging.CRITICAL)
    proof = importlib.import_module(f"proof_{sys.argv[1]}")
    with World(sys.argv[2], *getattr(proof, "SETTINGS", [])) as world:
        sys.exit(0 if proof.main(world) else 1)
