"""What every proof stands on: a sandbox that executes what it is sent more than once if asked
more than once, configurations with a journal of their own, and the sandbox's ledger."""

import re
import tempfile
from pathlib import Path

import sandbox

#: A provider that forgives a repeat would hide one of ours.
HARSH = ["klink.voucher_once=false", "biller.repeated_trxid=execute", "biller.balance=1000000000000"]


class World:
    """A running sandbox and the library under test."""

    def __init__(self, target, *settings):
        self.target = Path(target)
        self.process = sandbox.Process(target, *HARSH, *settings)
        self.control = sandbox.Sandbox(self.process.url)
        self._template = self.process.config(plugins=str(target))
        # In memory where that is to be had: these proofs end processes, not machines.
        memory = Path("/dev/shm")
        self._work = tempfile.TemporaryDirectory(prefix="bayar-faults-", dir=memory if memory.is_dir() else None)
        self._journals = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        self._work.cleanup()

    def config(self, url=None, journal=None):
        """The text of a configuration: providers at `url`, and a new journal unless one is named."""
        text = re.sub(r"(?m)^journal = .*$", f'journal = "{journal or self.journal()}"', self._template)
        return text.replace(self.process.url, url) if url else text

    def journal(self):
        """The setting of a journal that is not there yet, in a directory of its own."""
        self._journals += 1
        directory = Path(self._work.name) / str(self._journals)
        directory.mkdir()
        return f"sqlite:{directory / 'journal.db'}"

    def path(self, name):
        return Path(self._work.name) / name

    def executed(self, provider, operation, name):
        """How often the provider carried out an operation on the order of this name; `*` begins
        one that only its description names."""
        if name.startswith("*"):
            return sum(count(order, "executed", operation) for order in self.orders(provider) if name[1:] in (order["method"] or ""))
        status, order = self.control.ask("GET", f"{provider}/{name}")
        return count(order, "executed", operation) if status == 200 else 0

    def orders(self, provider):
        return self.control.get(f"orders?provider={provider}")


def count(order, kind, operation):
    return order[kind].get(operation, 0)
