"""The least of Duitku's side that charges, status queries and callbacks need."""

import hashlib
import http.server
import json
import threading
import urllib.parse

MERCHANT, KEY = "D0001", "duitku-key-EXAMPLE"

CONFIG = """
[providers.duitku]
merchant_code = "D0001"
merchant_key = "duitku-key-EXAMPLE"
base_url = "{url}"

[providers.duitku-other]
plugin = "duitku"
merchant_code = "D0002"
merchant_key = "duitku-key-OTHER"
base_url = "{url}"
"""


class DuitkuSide(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.orders, self.paid = {}, set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def config(self):
        return CONFIG.format(url=f"http://127.0.0.1:{self.server_port}")

    def pay(self, order):
        self.paid.add(order)

    def callback(self, order):
        amount, reference = self.orders[order]
        fields = {"merchantCode": MERCHANT, "amount": amount, "merchantOrderId": order, "productDetail": "Invoice 17", "resultCode": "00", "reference": reference}
        fields["signature"] = hashlib.md5((MERCHANT + amount + order + KEY).encode()).hexdigest()
        return {"method": "POST", "headers": [["content-type", "application/x-www-form-urlencoded"]], "query": "", "body": urllib.parse.urlencode(fields), "urls": []}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        order, orders = asked["merchantOrderId"], self.server.orders
        if self.path.endswith("/transactionStatus"):
            amount, reference = orders.get(order, ("", ""))
            code = "00" if order in self.server.paid else "01"
            answer = {"merchantOrderId": order, "reference": reference, "amount": amount, "fee": "0", "statusCode": code, "statusMessage": {"00": "SUCCESS", "01": "PROCESS"}[code]}
        else:
            orders[order] = (str(asked["paymentAmount"]), f"{MERCHANT}REF{len(orders):08}")
            answer = {"merchantCode": MERCHANT, "reference": orders[order][1], "paymentUrl": "https://sandbox.duitku.com/pay", "vaNumber": "7007014001444348", "amount": orders[order][0], "statusCode": "00", "statusMessage": "SUCCESS"}
        body = json.dumps(answer).encode()
        self.send_response(200 if order in orders else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
