"""Calls what standard input says, one JSON line a call, and prints what came of it."""

import json
import os
import sys
from pathlib import Path

import bayar

with bayar.Engine(Path(os.environ["BAYAR_CONFIG"])) as engine:
    for line in sys.stdin:
        call = json.loads(line)
        try:
            if "envelope" in call:
                envelope = call["envelope"]
                done = engine.callback(call["account"], body=call["body"].encode(), **envelope)
            else:
                done = engine.call(call["account"], call["operation"], call["params"])
            print(json.dumps(done), flush=True)
        except bayar.Error as error:
            print(json.dumps({"error": error.document}), flush=True)
