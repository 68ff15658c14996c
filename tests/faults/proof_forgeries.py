"""Forged callbacks, end to end: none is accepted, which is to say that no order becomes paid by
one and no effect can be claimed; and afterwards the genuine one is not refused."""

import itertools
import os
import re
import urllib.parse

import bayar
import forgers
from child import told
from expect import expect
from report import Problems
from scenarios import PAID, deliver

LEAST = 40
KINDS = {account: (params, path, fine, *operation) for account, params, path, fine, *operation in PAID}
KINDS["duitku-hmac"] = KINDS["duitku"]

#: What is another account's: the same provider, other secrets.
SECRETS = r'(?m)^(server_key|api_key|merchant_key|pid_key|callback_token) = "(.*)..."'


def main(world):
    config = world.config() + others(world.config())
    problems, numbers, counts = Problems("forgeries"), itertools.count(1), {}
    with bayar.Engine(config) as engine:
        for account, forge in forgers.ALL.items():
            side = Side(world, engine, account)
            with problems.of(f"{account}: forging"):
                names = [name for name, _ in forge(Case(side, next(numbers)))]
                expect(f"forgeries of {account}", len(names) >= LEAST, True)
                expect("names that stand twice", len(names) - len(set(names)), 0)
                counts[account] = len(names)
                for at, name in enumerate(names):
                    # A victim for each: what one leaves behind must not hide the next.
                    case = Case(side, next(numbers))
                    with problems.of(f"{account}: {name}"):
                        case.judge(*next(itertools.islice(forge(case), at, None)))
    each = ", ".join(f"{account} {count}" for account, count in counts.items())
    print(f"forgeries: {sum(counts.values())} ({each}), {'accepted 0, genuine refused 0' if problems.none() else f'{problems.count} wrong'}")
    return problems.none()


def others(config):
    """A second account of each provider."""
    sections = re.split(r"(?m)^(?=\[providers\.)", config)
    made = ""
    for section in sections[1:]:
        name = re.match(r"\[providers\.([\w-]+)\]", section).group(1)
        if name in KINDS and "plugin =" not in section:
            other = re.sub(SECRETS, r'\1 = "\g<2>XYZ"', section)
            made += other.replace(f"[providers.{name}]", f'[providers.{name}-other]\nplugin = "{name}"')
    return made


class Side:
    """One account and its provider's side."""

    def __init__(self, world, engine, account):
        self.world, self.engine, self.account = world, engine, account
        # The sandbox knows providers, and `duitku-hmac` is a second account of one.
        self.provider = account.removesuffix("-hmac")
        self.params, self.path, self.fine, *operation = KINDS[account]
        self.operation = (operation or ["charge"])[0]

    def charge(self, order):
        return self.engine.call(self.account, self.operation, {"order_id": order, **self.params}, key=order)

    def pay(self, order):
        self.world.control.act(order, provider=self.provider)

    def callback(self, order):
        return self.world.control.callback(order, self.provider)


class Case:
    """A victim whose order nobody paid, and another order, which was paid."""

    def __init__(self, side, number):
        self.side = side
        self.victim, self.other = f"VA{number:04}KQ", f"OA{number:04}KQ"
        self.transaction = side.charge(self.victim).provider_reference or ""
        side.charge(self.other)
        side.pay(self.other)
        self.paid = side.callback(self.other)
        if side.account == "ipaymu":
            self.token, self.other_token = (token_of(side, order) for order in (self.victim, self.other))

    def of(self, body=b"", query="", headers=(), method="POST", path=None, remote_addr="127.0.0.1"):
        return {"body": body, "query": query, "headers": list(headers), "method": method, "path": self.side.path if path is None else path, "remote_addr": remote_addr}

    def judge(self, name, forged):
        engine, account = self.side.engine, forged.pop("account", self.side.account)
        marks = forged.pop("marks", False)
        answer = told(lambda: engine.callback(account, **forged))
        intent = self.intent()
        expect(f"state after it ({answer.get('status') or answer['error']['code']})", intent["state"], "pending")
        claim = told(lambda: engine.call("bayar", "claim", {"intent": intent["id"], "effect": "credit"}))
        expect("claim of its effect", claim.get("error", {}).get("code"), "not_possible")
        acknowledgement = answer.get("acknowledgement") or answer["error"].get("acknowledgement")
        expect("acknowledgement", acknowledgement["status"], {200, 400, 401, 503})
        self.genuine(marks)

    def genuine(self, marks):
        """The real one comes after all. It may have to wait for its turn to be asked about."""
        self.side.pay(self.victim)
        sent = self.side.callback(self.victim)
        answer = told(lambda: deliver(self.side.engine, self.side.account, sent, self.side.path))
        acknowledgement = answer.get("acknowledgement") or answer["error"]["acknowledgement"]
        expect("acknowledgement of the genuine one", acknowledgement["status"], {200, 503})
        if acknowledgement["status"] == 503:
            os.environ["BAYAR_AHEAD_MS"] = "60000"
            try:
                self.side.engine.call("bayar", "recover", {})
            finally:
                os.environ["BAYAR_AHEAD_MS"] = "0"
        intent = self.intent()
        expect(f"state after the genuine one ({acknowledgement['status']})", intent["state"], self.side.fine)
        expect("review after the genuine one", intent.get("review"), None, not marks)

    def intent(self):
        return self.side.engine.call("bayar", "intents", {"order_id": self.victim}).data["intents"][0]


def token_of(side, order):
    """What the charge put into the callback address: the sandbox has seen it."""
    address = side.world.control.get(f"{side.account}/{order}")
    found = re.search(r"bayar=([0-9a-f]+)", urllib.parse.unquote(str(address)))
    return found.group(1)
