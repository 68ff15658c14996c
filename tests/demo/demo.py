"""A payment end to end, from four languages: `make demo`.

    demo.py TARGET-DIRECTORY

Starts the sandbox and a tiny host on free ports, charges once from Python, PHP, C and Rust,
has the payer pay, lets the signed callback reach the host, and prints what happened. Stops
everything that it started, however it ends.
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
        simulator = sandbox.Process(target, f"midtrans.callback_url={host_url}/callback")
        cleanup.callback(simulator.stop)
        config.write_text(simulator.config(plugins=str(target)))
        say(f"the sandbox is at {simulator.url}, the host at {host_url}")
        control = sandbox.Sandbox(simulator.url)

        rows = []
        for language, channel, command in programs(target, work):
            rows.append(pay(language, channel, [*command, config], control, host))
        forge(control, host_url, host, rows[0][2])
        print_table(rows)
        say("stopping the sandbox and the host")


def programs(target, work):
    """Each language with the channel that it charges by (none: the payer chooses on a page)."""
    return [
        ("Python", "qris", [sys.executable, ROOT / "bindings/python/examples/charge.py"]),
        ("PHP", "bca_va", ["php", ROOT / "bindings/php/examples/charge.php"]),
        ("C", None, [work / "charge"]),
        ("Rust", "indomaret", [target / "examples/charge"]),
    ]


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


def pay(language, channel, command, control, host):
    """One charge, one payer, one callback; a row of the table."""
    order = f"DEMO-{language.upper()}-{os.getpid()}"
    say(f"{language:7} charges {order}" + (f" by {channel}" if channel else ", the payer chooses on a page"))
    arguments = [command[-1], order, *([channel] if channel else [])]
    ran = subprocess.run([*command[:-1], *arguments], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"the charge from {language} failed:\n{ran.stderr}")
    outcome = json.loads(ran.stdout)
    ms = re.search(r"charged in ([\d.]+) ms", ran.stderr).group(1)

    delivered = control.act(order)["deliveries"]
    heard = json.loads(host.stdout.readline())
    answers = [attempt["status"] for delivery in delivered for attempt in delivery["attempts"]]
    if heard.get("order") != order or heard["review"] or answers != [200]:
        raise SystemExit(f"the callback for {order} was not taken: {heard}, answered {answers}")
    instruction = instruction_text(outcome["instruction"])
    status = f"{outcome['status']} → {heard['status']}"
    return (language, outcome["provider"], order, status, instruction, ms)


def instruction_text(instruction):
    shown = next((instruction[name] for name in ("number", "code", "url", "text") if name in instruction), "")
    return f"{instruction['kind']} {shown[:30]}{'…' if len(shown) > 30 else ''}"


def forge(control, host_url, host, order):
    """The same callback with one digit changed: refused, and nothing in it believed."""
    body = control.callback(order)["body"].replace("150000.00", "150001.00").encode()
    request = urllib.request.Request(f"{host_url}/callback", method="POST", data=body)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            status = answer.status
    except urllib.error.HTTPError as refusal:
        status = refusal.code
    heard = json.loads(host.stdout.readline())
    if status != 401 or heard.get("refused") != "callback_refused":
        raise SystemExit(f"a forged callback was answered {status}: {heard}")
    say(f"a callback with one changed digit: {heard['refused']}, answered {status}")


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
