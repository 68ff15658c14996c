"""A tiny host: receives callbacks at /ACCOUNT, has the engine verify them, answers as it says.

    host.py CONFIG

Prints `listening on http://127.0.0.1:PORT`, then one line of JSON for every callback.
"""

import functools
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/python"))
import bayar


@functools.lru_cache(maxsize=None)
def engine():
    # At the first callback: the sandbox, and with it the configuration, needs our address first.
    return bayar.Engine(Path(sys.argv[1]))


def credit(intent):
    """Once for each order, however often the callback comes, and whoever dies in between."""
    claim = engine().claim(intent, "credit")
    if claim.granted:
        # Here a real host writes to its books, under claim.transaction_id.
        engine().confirm(claim)
    return claim.granted


class Host(BaseHTTPRequestHandler):
    def do_GET(self):  # the biller calls by GET
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        try:
            result = engine().callback(
                path.split("/")[1],
                method=self.command,
                headers=self.headers,
                path=path,
                query=query,
                body=body,
                remote_addr=self.client_address[0],
            )
            heard = {"order": result.order_id, "status": result.status, "review": result.review}
            heard["credited"] = result.status in ("paid", "done") and not result.review and credit(result.intent)
        except bayar.Error as error:
            result = error
            heard = {"refused": error.code, "why": error.message}
        # An error that is not about the callback has none: then the provider is to try again.
        answer = result.acknowledgement or {"status": 503, "body": "", "content_type": "text/plain"}
        self.send_response(answer["status"])
        self.send_header("Content-Type", answer["content_type"])
        self.end_headers()
        self.wfile.write(answer["body"].encode())
        print(json.dumps({**heard, "answered": answer["status"]}), flush=True)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Host)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
