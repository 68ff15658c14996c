"""A web application whose engine was opened and used before gunicorn forked its workers."""

import json
import os

import bayar

engine = bayar.Engine(os.environ["CONFIG"])


def charge(order):
    return engine.charge("midtrans", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=order)


print(charge("GUMASTERXQ").status, flush=True)


def application(environ, start_response):
    try:
        answer = dict(charge(environ["PATH_INFO"].strip("/")))
    except bayar.Error as error:
        answer = {"error": error.document}
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({**answer, "worker": os.getpid()}).encode()]
