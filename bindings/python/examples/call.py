"""One call from Python: call.py CONFIG ACCOUNT OPERATION PARAMS KEY

    call.py bayar.toml midtrans charge '{"order_id": "INV-17", "amount": 150000}' invoice-17-attempt-1
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # an installed package needs no such line
import bayar

config, account, operation, params, key = sys.argv[1:]

with bayar.Engine(Path(config)) as engine:
    began = time.perf_counter()
    try:
        outcome = engine.call(account, operation, json.loads(params), key=key)
    except bayar.OutcomeUnknown as error:
        sys.exit(f"{error}\nWhether {error.reference} was carried out is not known; do not call again under another key.")
    except bayar.Error as error:
        sys.exit(str(error))
    print(f"{(time.perf_counter() - began) * 1000:.2f} ms", file=sys.stderr)
    print(json.dumps(outcome))
