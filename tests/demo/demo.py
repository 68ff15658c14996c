"""Payments end to end: every provider from Python and PHP, one from C and one from Rust: `make demo`.

    demo.py TARGET-DIRECTORY

Starts the sandbox and a tiny host on free ports. For each payment: calls the provider, has the
payer pay, lets the callback reach the host, sends it once more, and once more forged. What is called
is in payments.json. Stops everything that it started, however it ends.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/hosts"))
import sandbox

COLUMNS = ("language", "provider", "order", "status", "instruction", "ms")
# Where each provider that has its callbacks registered beforehand sends them, by its setting in the sandbox.
REGISTERED = {"midtrans": "/midtrans", "klink": "/klink", "biller": "/biller/biller-callback-token-EXAMPLE"}


def say(text):
    print(text, flush=True)


def main(target):
    os.environ["BAYAR_LIB"] = str(target / "libbayar.so")
    with contextlib.ExitStack() as cleanup:
        work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="bayar-demo-")))
        config = work / "bayar.toml"
        say("building the C program")
        compile_c(target, work / "charge")
        host, host_url = start_host(config, cleanup)
        registered = [f"{provider}.callback_url={host_url}{path}" for provider, path in REGISTERED.items()]
        simulator = sandbox.Process(target, *registered)
        cleanup.callback(simulator.stop)
        config.write_text(simulator.config(plugins=str(target), journal=f"sqlite:{work / 'journal.db'}"))
        say(f"the sandbox is at {simulator.url}, the host at {host_url}")

        desk = Desk(sandbox.Sandbox(simulator.url), host, host_url)
        payments = json.loads((Path(__file__).parent / "payments.json").read_text())
        rows = []
        for language, program in scripts().items():
            for provider, payment in payments.items():
                rows.append(desk.pay(language, provider, payment, lambda order, made: call(program, config, provider, order, made)))
        for language, program in programs(target, work).items():
            rows.append(desk.pay(language, "midtrans", payments["midtrans"], lambda order, _: [program, config, order, "qris"]))
        print_table(rows)
        say("every callback came twice: each order was credited once")
        say("every callback came forged, too, with one character changed: refused, answered 401")
        say("stopping the sandbox and the host")


def scripts():
    return {
        "Python": [sys.executable, ROOT / "bindings/python/examples/call.py"],
        "PHP": ["php", ROOT / "bindings/php/examples/call.php"],
    }


def programs(target, work):
    return {"C": work / "charge", "Rust": target / "examples/charge"}


def call(program, config, account, order, payment):
    return [*program, config, account, payment["operation"], json.dumps(payment["params"]), f"{order}-attempt-1"]


def compile_c(target, program):
    # The linker notes the SONAME, and looks for a file of that name when the program starts.
    soname = target / "libbayar.so.1"
    if not soname.is_symlink():
        soname.symlink_to("libbayar.so")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    link = [f"-L{target}", "-lbayar", f"-Wl,-rpath,{target}"]
    source = ROOT / "bindings/c/charge.c"
    subprocess.run(["cc", *flags, f"-I{ROOT / 'include'}", "-o", program, source, *link], check=True)


def start_host(config, cleanup):
    host = subprocess.Popen(
        [sys.executable, Path(__file__).parent / "host.py", config], stdout=subprocess.PIPE, text=True
    )
    cleanup.callback(host.stdout.close)
    cleanup.callback(host.wait)
    cleanup.callback(host.terminate)
    line = host.stdout.readline()
    if not line:
        raise SystemExit("the host did not start")
    return host, line.split()[-1]


class Desk:
    """The shop's side and the payer's: what is called, what is paid, what the host hears."""

    def __init__(self, control, host, host_url):
        self.control, self.host, self.host_url = control, host, host_url

    def pay(self, language, provider, payment, command):
        """One payment, one payer, one callback, one forged one; a row of the table."""
        order = f"DEMO-{language.upper()}-{provider.upper()}-{os.getpid()}"
        known = {"{order}": order, "{number}": str(os.getpid()), "{host}": self.host_url}
        payment = json.loads(re.sub(r"\{\w+\}", lambda m: known[m.group()], json.dumps(payment)))
        say(f"{language:7} {provider:9} {payment['operation']} {order}")
        ran = subprocess.run(command(order, payment), capture_output=True, text=True)
        if ran.returncode:
            raise SystemExit(f"the {payment['operation']} from {language} at {provider} failed:\n{ran.stderr}")
        outcome = json.loads(ran.stdout)
        ms = re.search(r"([\d.]+) ms", ran.stderr).group(1)

        delivered = self.control.act(order, provider=provider)["deliveries"]
        heard = json.loads(self.host.stdout.readline())
        answers = [attempt["status"] for delivery in delivered for attempt in delivery["attempts"]]
        expected = {"order": order, "status": payment["paid"], "review": None, "credited": True, "answered": 200}
        if heard != expected or answers != [200]:
            raise SystemExit(f"the callback for {order} was not taken: {heard}, answered {answers}")
        status, heard = self.send(order, provider)
        if status != 200 or heard != {**expected, "credited": False}:
            raise SystemExit(f"the same callback for {order} again was answered {status}: {heard}")
        genuine = payment["forge"]
        status, heard = self.send(order, provider, genuine, genuine[:-1] + ("0" if genuine[-1] != "0" else "1"))
        if status != 401 or heard.get("refused") != "callback_refused":
            raise SystemExit(f"a forged callback of {provider} was answered {status}: {heard}")
        status = f"{outcome['status']} → {payment['paid']}"
        return (language, outcome["provider"], order, status, instruction_text(outcome), ms)

    def send(self, order, provider, genuine="", forged=""):
        """The callback as the provider would send it now, or forged; what it was answered, and what the host made of it."""
        sent = self.control.callback(order, provider)
        url = "?".join(filter(None, [sent["urls"][0], sent["query"]])).replace(genuine, forged)
        body = sent["body"].replace(genuine, forged).encode()
        request = urllib.request.Request(url, method=sent["method"], data=body or None, headers=dict(sent["headers"]))
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                status = answer.status
        except urllib.error.HTTPError as refusal:
            status = refusal.code
        return status, json.loads(self.host.stdout.readline())


def instruction_text(outcome):
    instruction = outcome.get("instruction") or {"kind": "prepaid"}
    shown = next((instruction[name] for name in ("number", "code", "url", "text") if name in instruction), "")
    return f"{instruction['kind']} {shown[:30]}{'…' if len(shown) > 30 else ''}"


def print_table(rows):
    widths = [max(len(row[column]) for row in (COLUMNS, *rows)) for column in range(len(COLUMNS))]
    say("")
    for row in (COLUMNS, tuple("─" * width for width in widths), *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    say("")


if __name__ == "__main__":
    # A signal unwinds like any error, so that what was started is stopped.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    main(Path(sys.argv[1]).resolve())
