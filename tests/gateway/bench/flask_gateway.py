"""A minimal gateway as the document describes it, with Flask and midtransclient, to measure beside ours.

It keeps nothing: no journal, no mapping of order ids, no replays. That is in its favour.
"""

import os

from flask import Flask, jsonify, request
from midtransclient import CoreApi, Snap
from midtransclient.config import ApiConfig
from midtransclient.error_midtrans import MidtransAPIError

# Its addresses are constants of the client; here Midtrans is the bench's own.
ApiConfig.SNAP_SANDBOX_BASE_URL = os.environ["BENCH_MIDTRANS"] + "/snap/v1"
ApiConfig.CORE_SANDBOX_BASE_URL = os.environ["BENCH_MIDTRANS"]

KEYS = {"biling": os.environ["BENCH_KEY"]}

app = Flask(__name__)
snap = Snap(is_production=False, server_key=os.environ["MIDTRANS_SERVER_KEY"])
core = CoreApi(is_production=False, server_key=os.environ["MIDTRANS_SERVER_KEY"])


@app.before_request
def only_applications():
    code, key = request.headers.get("X-App-Code"), request.headers.get("X-Api-Key")
    if not key or KEYS.get(code) != key:
        return jsonify(error="Unauthorized"), 401


@app.post("/charge")
def charge():
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("amount"), int) or not body.get("order_id"):
        return jsonify(error="Bad Request"), 400
    parameters = {"transaction_details": {"order_id": body["order_id"], "gross_amount": body["amount"]}}
    for name in ("item_details", "customer_details"):
        if name in body:
            parameters[name] = body[name]
    try:
        made = snap.create_transaction(parameters)
    except MidtransAPIError as error:
        return jsonify(error="Bad Request" if error.http_status_code == 400 else "Internal Server Error"), error.http_status_code
    return jsonify(redirect_url=made["redirect_url"], token=made["token"]), 201


@app.get("/status/<order_id>")
def status(order_id):
    try:
        known = core.transactions.status(order_id)
    except MidtransAPIError as error:
        return jsonify(error="Not Found"), error.http_status_code
    fields = ("transaction_status", "fraud_status", "status_code", "status_message")
    return jsonify(id=known.get("transaction_id"), **{name: known.get(name) for name in fields})
