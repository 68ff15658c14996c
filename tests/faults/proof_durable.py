"""What strace sees: the journal's file is synced to disk before the first byte of the request leaves,
and again, with the outcome, before the host gets it."""

import os
import re
import subprocess
import sys

from expect import Wrong, expect
from report import Problems

PROGRAM = """
import os, sys
sys.path.insert(0, sys.argv[2])
import bayar, operations
engine = bayar.Engine(sys.argv[1])
for operation in operations.ALL:
    if operation.klass != "read" and operation.name in sys.argv[3:]:
        os.write(2, f"begin {operation.name}\\n".encode())
        operation.call(engine, f"STRACE{operations.ALL.index(operation)}XQ")
        os.write(2, f"end {operation.name}\\n".encode())
"""
#: One of each class that keeps a promise, and whose request is its first.
CALLED = ["midtrans charge", "klink pay", "klink voucher", "ipaymu direct", "biller purchase"]


def main(world):
    problems, syncs = Problems("durable"), 0
    with problems.of("strace"):
        calls = parts(trace(world))
        expect("calls", sorted(calls), sorted(CALLED))
        for name, lines in calls.items():
            with problems.of(name):
                syncs += judge(lines)
    print(f"durable: {len(CALLED)} calls, {syncs} syncs; synced before the first byte and before the answer: {'each' if problems.none() else 'not each'}")
    return problems.none()


def trace(world):
    output = world.path("strace")
    command = ["strace", "-f", "-y", "-s", "64", "-e", "trace=fsync,fdatasync,write,sendto,sendmsg,writev,pwrite64", "-o", output]
    program = [sys.executable, "-c", PROGRAM, world.config(), os.path.dirname(os.path.abspath(__file__)), *CALLED]
    subprocess.run(command + program, check=True, stderr=subprocess.DEVNULL)
    return output.read_text().splitlines()


def parts(lines):
    """The system calls of each call of the engine."""
    calls, name = {}, None
    for line in lines:
        mark = re.search(r'write\(2<[^>]*>, "(begin|end) ([^\\]+)\\n"', line)
        if mark:
            name = mark.group(2) if mark.group(1) == "begin" else None
        elif name:
            calls.setdefault(name, []).append(line)
    return calls


def judge(lines):
    """The last request is the one that moves: logging in may come before."""
    is_sync = [bool(re.search(r"f(data)?sync\(\d+<[^>]*journal\.db-wal>\)", line)) for line in lines]
    is_request = [bool(re.search(r'(write|sendto|sendmsg|writev)\(\d+<(TCP|socket)[^"]*"(POST|GET) ', line)) for line in lines]
    is_write = [bool(re.search(r"pwrite64\(\d+<[^>]*journal\.db-wal>", line)) for line in lines]
    requests = [at for at, found in enumerate(is_request) if found]
    if not requests:
        raise Wrong("no request was seen")
    moves = requests[-1]
    before, after = lines[:moves], lines[moves:]
    for what, flags in (("before the first byte", slice(0, moves)), ("before the host has the answer", slice(moves, None))):
        synced = [at for at, found in enumerate(is_sync[flags]) if found]
        written = [at for at, found in enumerate(is_write[flags]) if found]
        expect(f"syncs {what} ({len(before)} calls before, {len(after)} after)", bool(synced and written), True)
        expect(f"everything written {what} is synced", synced[-1] > written[-1], True)
    return sum(is_sync)
