"""Stands between a shop and the sandbox, and changes the amount in what a provider answers about a payment."""

import http.server
import re
import threading
import urllib.error
import urllib.request

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

# Of Midtrans, Duitku and iPaymu; each as text or as a number.
AMOUNT = re.compile(rb'"(gross_amount|amount|Amount)":("[^"]*"|[0-9.]+)')
# What asks, and makes nothing: GET /v2/ORDER/status, POST /transactionStatus, POST /api/v2/transaction.
ASKS = re.compile(r"/(status|transactionStatus|transaction)$")


class Liar:
    """Everything else passes as it is. Ended by :meth:`stop`."""

    def __init__(self, sandbox):
        self.amount, self.changed = None, 0
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length", "connection")}
                request = urllib.request.Request(sandbox + self.path, method=self.command, data=body or None, headers=headers)
                try:
                    answer = _open(request, timeout=30)
                except urllib.error.HTTPError as refusal:
                    answer = refusal
                with answer:
                    text = answer.read()
                if ASKS.search(self.path):
                    text, changed = AMOUNT.subn(lambda found: b'"%s":"%s"' % (found.group(1), liar.amount.encode()), text)
                    liar.changed += changed
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
