"""The sandbox as tests and the demo use it: started on a free port, spoken to, stopped."""

import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

# Never through a proxy: the sandbox is on this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Sandbox:
    """The control side of a running sandbox."""

    def __init__(self, url):
        self.url = url

    def ask(self, method, path, document=None):
        """A control call; gives (status, JSON)."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", method=method, data=body)
        try:
            with _open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def get(self, path):
        """What a control call answers; a refusal is an error."""
        return self._expect(*self.ask("GET", path))

    def act(self, order, act="paid", provider="midtrans"):
        """Does what the payer, a bank or time would do; gives the order and its deliveries."""
        return self._expect(*self.ask("POST", f"{provider}/{order}/{act}"))

    def callback(self, order, provider="midtrans"):
        """The signed callback about an order, as it would be sent now."""
        return self.get(f"{provider}/{order}/callback")

    def arrived(self):
        """The number of the last request that arrived; the same again means that nothing did."""
        requests = self.get("requests?direction=in")
        return requests[-1]["seq"] if requests else 0

    @staticmethod
    def _expect(status, document):
        if status != 200:
            raise RuntimeError(f"the sandbox answered {status}: {document}")
        return document


class Process:
    """A sandbox that is ours: started here, ended by :meth:`stop`."""

    def __init__(self, target, *settings):
        self.target = Path(target)
        self._settings = [part for setting in settings for part in ("--set", setting)]
        command = [self.target / "bayar", "sandbox", "--listen", "127.0.0.1:0", "--quiet", *self._settings]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            line = self._process.stdout.readline()
            match = re.search(r"http://(\S+)", line)
            if not match:
                raise RuntimeError(f"the sandbox did not start: {line!r}")
        except BaseException:  # a signal too: nobody else could stop it yet
            self.stop()
            raise
        self.url, self._listen = match.group(0), match.group(1)

    def config(self, **engine):
        """A bayar.toml for this sandbox, of the providers whose plugins are built; with more settings of
        [engine], and without a journal unless they name one."""
        engine.setdefault("journal", "none")
        command = [
            self.target / "bayar",
            "sandbox",
            "--listen",
            self._listen,
            "--print-config",
            *self._settings,
        ]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        head, *sections = re.split(r"(?m)^(?=\[providers\.)", text)
        if "journal" in engine:
            head = re.sub(r"(?m)^journal = .*\n", "", head)
        head += "".join(f"{name} = {json.dumps(value)}\n" for name, value in engine.items()) + "\n"
        return head.replace("\n\n\n", "\n") + "".join(filter(self._is_built, sections))

    def _is_built(self, section):
        plugin = re.search(r'(?m)^plugin = "(\w+)"', section) or re.match(r"\[providers\.(\w+)\]", section)
        return (self.target / f"libbayar_{plugin.group(1)}.so").exists()

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
