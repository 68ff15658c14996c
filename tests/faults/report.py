"""What went wrong, said once each and counted."""

import contextlib
import traceback


class Problems:
    SHOWN = 40

    def __init__(self, proof):
        self.proof, self.count = proof, 0

    @contextlib.contextmanager
    def of(self, case):
        """Anything that fails inside is a problem of this case; the next one goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 a proof reports all of its cases
            self.add(case, error)

    def add(self, case, what):
        self.count += 1
        if self.count <= self.SHOWN:
            print(f"{self.proof}: {case}: {what or type(what).__name__}", flush=True)
            if isinstance(what, Exception) and type(what).__name__ not in ("Wrong",):
                last = traceback.extract_tb(what.__traceback__)[-1]
                print(f"    {type(what).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}", flush=True)

    def none(self):
        return self.count == 0
