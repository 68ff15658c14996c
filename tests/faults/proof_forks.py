"""Forks at any moment: no row is lost, no answer is another's, no id is given twice."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bayar
import child
from child import told
from expect import expect
from report import Problems

ROOT = Path(__file__).resolve().parents[2]
FORKS, THREADS, EVERY = 10_000, 2, 20
#: Of Python: rounds of forks while threads charge.
ROUNDS, CHILDREN = 40, 3
LIMIT = 120


def main(world):
    problems, counts = Problems("forks"), {}
    proofs = {"C": from_c, "os.fork": from_python, "gunicorn --preload": from_gunicorn, "pcntl_fork": from_php}
    for name, proof in proofs.items():
        with problems.of(name):
            counts[name] = proof(world)
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"forks: {each}; {'lost 0, crossed 0, repeated 0' if problems.none() else f'{problems.count} wrong'}")
    return problems.none()


def judge(world, config, answers):
    """Every answer is of its own order, no two have one intent, and the journal has them all."""
    intents = {}
    for order, answer in answers:
        expect(f"answer for {order}: {answer}"[:600], answer.get("status"), "pending")
        expect("order of the answer", answer["order_id"], order)
        expect("reference of the answer", answer["reference"], order)
        if answer["intent"] in intents:
            raise RuntimeError(f"the intent {answer['intent']} stands for {order} and {intents[answer['intent']]}")
        intents[answer["intent"]] = order
    # In a process that was not there.
    found = child.done(lambda: every(config))
    expect("rows that are missing", sorted(set(intents) - set(found))[:5], [])
    expect("rows of other orders", [one for one, order in intents.items() if found[one] != order][:5], [])
    executed = {order["order_id"]: order["executed"]["charge"] for order in world.orders("midtrans")}
    expect("not executed once", [order for order in intents.values() if executed.get(order) != 1][:5], [])
    return len(answers)


def every(config):
    with bayar.Engine(config) as engine:
        found, after = {}, {}
        while page := engine.call("bayar", "intents", {"limit": 5000, **after}).data["intents"]:
            found.update({intent["id"]: intent["reference"] for intent in page})
            after = {"after": page[-1]["id"]}
        return found


def from_c(world):
    """10,000 forks of a program whose other threads charge all the time."""
    library, program = Path(os.environ["BAYAR_LIB"]).parent, world.path("fork_traffic")
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", "-pthread"]
    subprocess.run(["cc", *flags, "-o", program, Path(__file__).with_name("fork_traffic.c"), f"-L{library}", "-lbayar", f"-Wl,-rpath,{library}"], check=True)
    config = world.config()
    ran = subprocess.run([program, config, str(FORKS), str(THREADS), str(EVERY)], stdout=subprocess.PIPE, text=True, timeout=LIMIT * 3)
    expect("end of the program", ran.returncode, 0)
    lines = [line.split("\t", 2) for line in ran.stdout.splitlines()]
    expect("charges by children", sum(order.startswith("C") for _, order, _ in lines), FORKS // EVERY)
    judge(world, config, [(order, json.loads(document)) for _, order, document in lines])
    return FORKS


def from_python(world):
    """Threads charge while the main thread forks; children charge by the engine they inherited."""
    config = world.config()
    return child.done(lambda: python_forks(world, config))


def python_forks(world, config):
    stop, answers = threading.Event(), []
    with bayar.Engine(config) as engine:
        charge = lambda order: [order, told(lambda: engine.charge("midtrans", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=order))]  # noqa: E731

        def traffic(name):
            number = 0
            while not stop.is_set():
                answers.append(charge(f"PY{name}X{number}XQ"))
                number += 1

        threads = [threading.Thread(target=traffic, args=(name,)) for name in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            for turn in range(ROUNDS):
                children = [child.start(lambda one=one: charge(f"PYC{turn}X{one}XQ")) for one in range(CHILDREN)]
                answers += [child.join(*one)[0] or ["?", {"status": "died"}] for one in children]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    judge(world, config, answers)
    return ROUNDS * CHILDREN


def from_gunicorn(world):
    """The engine is opened and used before gunicorn forks its workers."""
    venv = world.path("venv")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    installed = subprocess.run([venv / "bin/pip", "install", "--quiet", "gunicorn"], capture_output=True)
    if installed.returncode:
        return "not here (pip cannot install gunicorn)"
    config, path = world.config(), world.path("gunicorn.sock")
    environment = {**os.environ, "CONFIG": config, "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{Path(__file__).parent}"}
    command = [venv / "bin/gunicorn", "--preload", "--workers", "4", "--bind", f"unix:{path}", "--log-level", "error", "preloaded:application"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        expect("what the application says once it is loaded", server.stdout.readline(), "pending\n")
        orders = [f"GU{number}XQ" for number in range(200)]
        with ThreadPoolExecutor(8) as callers:
            answers = list(callers.map(lambda order: (order, ask(path, order)), orders))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    expect("workers that answered", len({answer.pop("worker") for _, answer in answers}) > 1, True)
    return judge(world, config, answers)


class Local(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path):
        super().__init__("localhost", timeout=LIMIT)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(path, order):
    connection = Local(path)
    connection.request("GET", f"/{order}")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def from_php(world):
    """A PHP program that has used its engine forks."""
    if "pcntl" not in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split():
        return "not here (PHP has no pcntl)"
    config = world.config()
    ran = subprocess.run(["php", Path(__file__).with_name("forks.php"), config], stdout=subprocess.PIPE, text=True, timeout=LIMIT)
    expect("end of the program", ran.returncode, 0)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    expect("answers", len(answers), 220)
    return judge(world, config, [(order, answer) for order, answer in answers])
