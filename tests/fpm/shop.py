"""What a shop asks of the scripts in site/, over FastCGI or through nginx."""

import http.client
import itertools
import json
import os
import time

import fastcgi

#: How long anything may take, in seconds. The lease of a call that died is its deadline and 10 s.
LIMIT = 60

_numbers = itertools.count(1)


def new_order():
    """An order id that no other test has, safe as every provider's reference."""
    return f"F{os.getpid():X}T{time.time_ns():X}N{next(_numbers)}Z"


class Shop:
    """One pool, asked directly. `keep` asks all over one connection."""

    def __init__(self, place, master, pool, keep=False):
        self._site = place.site
        self._client = fastcgi.Client(master.socket(pool), keep=keep)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.close()

    def ask(self, script, body, headers, query=""):
        """Has a script answer a POST; gives status and body."""
        answer = self._client.ask(self._site / script, "POST", query=query, headers=headers, body=body)
        return answer.status, answer.body

    def do(self, what, **asked):
        """What call.php answers: worker, mode, answer."""
        status, body = self.ask("call.php", json.dumps({"do": what, **asked}).encode(), [("content-type", "application/json")])
        if status != 200:
            raise RuntimeError(f"call.php answered {status}: {body!r}")
        return json.loads(body)

    def charge(self, order, account="midtrans", channel="bca_va", **params):
        given = {"order_id": order, "amount": 150000, "channel": channel, **params}
        return self.do("call", account=account, operation="charge", params=given, key=f"key-{order}")

    def status(self, order, account="midtrans"):
        return self.do("call", account=account, operation="status", params={"order_id": order})

    def callback(self, sent):
        """Hands in a callback as the sandbox would send it; gives the status of the acknowledgement."""
        return self.ask("callback.php", sent["body"].encode(), [tuple(one) for one in sent["headers"]], sent["query"])[0]

    def recover(self):
        return self.do("recover")["answer"]

    def intents(self, **wanted):
        return self.do("intents", params={"limit": 10000, **wanted})["answer"]


class ThroughNginx(Shop):
    """The same, asked over HTTP."""

    def __init__(self, nginx, pool):
        self._address, self._pool = ("127.0.0.1", nginx.ports[0]), pool

    def __exit__(self, *_):
        pass

    def ask(self, script, body, headers, query=""):
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            connection.request("POST", f"/{self._pool}/{script}?{query}", body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def until(true, what):
    end = time.monotonic() + LIMIT
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {LIMIT} s")
        time.sleep(0.05)
