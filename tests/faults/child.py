"""Work in a forked child of a process that has used no engine: it may die, or be killed."""

import json
import os
import resource
import sys
import traceback

import bayar

#: How a child ended.
DONE = 0


def start(work, **environment):
    """Forks, and works there; gives the child's id and where its result will come from."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    code = 1
    try:
        os.close(reads)
        # An abort is what these children are for: no memory images of it.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.environ.update(environment)
        with os.fdopen(writes, "w") as out:
            json.dump(work(), out)
        code = DONE
    except BaseException:  # noqa: BLE001 whatever it is, nobody else can tell it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def join(pid, reads):
    """What the child gave, if it lived to give anything, and how it ended: DONE, a code, or minus a signal."""
    with os.fdopen(reads) as source:
        text = source.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return (json.loads(text) if ended == DONE else None), ended


def run(work, **environment):
    return join(*start(work, **environment))


def done(work, **environment):
    """The same for work that must not fail."""
    result, ended = run(work, **environment)
    if ended != DONE:
        raise RuntimeError(f"a child ended with {ended}")
    return result


def told(action):
    """What the engine answers, as plain data: an outcome, or `{"error": …}`."""
    try:
        return dict(action())
    except bayar.Error as error:
        return {"error": error.document}
