"""One charge from Python: charge.py CONFIG ORDER_ID [CHANNEL]"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # an installed package needs no such line
import bayar

config, order_id = sys.argv[1:3]
channel = sys.argv[3] if len(sys.argv) > 3 else None

with bayar.Engine(Path(config)) as engine:
    params = {
        "order_id": order_id,
        "amount": 150000,
        "channel": channel,
        "customer": {"name": "Budi Santoso", "email": "budi@example.com", "phone": "08123456789"},
    }
    began = time.perf_counter()
    try:
        outcome = engine.charge("midtrans", params, key=f"{order_id}-attempt-1")
    except bayar.OutcomeUnknown as error:
        sys.exit(f"{error}\nAsk for the status of {error.reference}; do not charge again.")
    except bayar.Error as error:
        sys.exit(str(error))
    print(f"charged in {(time.perf_counter() - began) * 1000:.2f} ms", file=sys.stderr)
    print(json.dumps(outcome))
