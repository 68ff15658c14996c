"""Forged callbacks, by provider: what somebody without the key can make of what he has seen, and
what somebody who has one signature can make of it. Each is a name and the callback.

`genuine` is the callback that says that the victim's order was paid, as its provider would send it;
`other` is the same of another order, which really was paid."""

import base64
import hashlib
import hmac
import json
import urllib.parse


def wrong_signatures(signature, other, parts):
    """Signatures that are not the right one. `parts` is what is signed."""
    flipped = lambda at: signature[:at] + ("0" if signature[at] != "0" else "1") + signature[at + 1:]  # noqa: E731
    bits = len(signature)
    yield from {
        "no signature": None,
        "empty signature": "",
        "blank signature": " ",
        "first digit changed": flipped(0),
        "middle digit changed": flipped(bits // 2),
        "last digit changed": flipped(bits - 1),
        "half of the signature": signature[: bits // 2],
        "all but the last digit": signature[:-1],
        "all but the last byte": signature[:-2],
        "one digit": signature[:1],
        "a digit more": signature + "0",
        "a byte more": signature + "00",
        "twice the signature": signature * 2,
        "two in a list": f"{signature},{signature}",
        "reversed": signature[::-1],
        "zeros": "0" * bits,
        "no hexadecimal": "z" * bits,
        "a word": "null",
        "a boolean": "true",
        "with 0x": "0x" + signature,
        "fullwidth digits": "".join(chr(ord(c) + 0xFEE0) for c in signature),
        "of another order": other,
        "in base64": base64.b64encode(signature.encode()).decode(),
        "under the empty key, HMAC": hmac.new(b"", parts, hashlib.sha256).hexdigest(),
        "under a guessed key, HMAC": hmac.new(b"secret", parts, hashlib.sha256).hexdigest(),
        "MD5 without a key": hashlib.md5(parts).hexdigest(),
        "SHA-1 without a key": hashlib.sha1(parts).hexdigest(),
        "SHA-256 without a key": hashlib.sha256(parts).hexdigest(),
        "SHA-512 without a key": hashlib.sha512(parts).hexdigest(),
        "SHA-512 under a guessed key": hashlib.sha512(parts + b"secret").hexdigest(),
    }.items()


def odd_bodies(body):
    """The same bytes, nearly."""
    yield from {
        "an empty body": b"",
        "cut": body[:-1],
        "a NUL behind it": body + b"\0",
        "no UTF-8": body + b"\xff",
        "a mark before it": b"\xef\xbb\xbf" + body,
        "in a list": b"[" + body + b"]",
        "as a string": json.dumps(body.decode()).encode(),
        "twice": body + body,
        "very large": body[:-1] + b" " * 300_000 + body[-1:],
    }.items()


def json_fields(document, forged):
    """The fields of a JSON object in ways in which two readers may differ. `forged` are those that
    the forger wants to be read."""
    text = json.dumps(document)
    mine = json.dumps(forged)[1:-1]
    yield "fields twice, mine last", text[:-1] + ", " + mine + "}"
    yield "fields twice, mine first", "{" + mine + ", " + text[1:]
    yield "fields in other case beside them", json.dumps({**document, **{k.upper(): v for k, v in forged.items()}})
    yield "fields with escapes", text[:-1] + ", " + ", ".join(f'"\\u{ord(k[0]):04x}{k[1:]}": {json.dumps(v)}' for k, v in forged.items()) + "}"
    yield "fields with blanks", json.dumps({**document, **{f" {k}": v for k, v in forged.items()}})
    yield "fields in data", json.dumps({**{k: v for k, v in document.items() if k not in forged}, "data": forged})


def odd_orders(order):
    """Names that are nearly the order's."""
    yield from {
        "order in small letters": order.lower(),
        "order with a blank": order + " ",
        "order with a line's end": order + "\n",
        "order with a NUL": order + "\0",
        "order with a zero-width space": order + "\u200b",
        "order with a homoglyph": order.replace("A", "\u0410"),
        "order in fullwidth letters": "".join(chr(ord(c) + 0xFEE0) for c in order),
        "order as a pattern": "%",
        "order as SQL": f"{order}' OR '1'='1",
        "no order": "",
    }.items()


def midtrans(case):
    genuine, key = json.loads(case.paid["body"]), "SB-Mid-server-EXAMPLE0000000000000000"

    def sign(document, key=key):
        text = document["order_id"] + document["status_code"] + document["gross_amount"] + key
        return {**document, "signature_key": hashlib.sha512(text.encode()).hexdigest()}

    mine = {**genuine, "order_id": case.victim, "transaction_id": case.transaction}
    good = sign(mine)["signature_key"]
    parts = (mine["order_id"] + mine["status_code"] + mine["gross_amount"]).encode()
    body = lambda document: case.of(body=json.dumps(document).encode())  # noqa: E731
    for name, signature in wrong_signatures(good, genuine["signature_key"], parts):
        yield name, body({k: v for k, v in {**mine, "signature_key": signature}.items() if v is not None})
    for kind in (None, 0, True, [], [good], {"0": good}):
        yield f"signature is {kind!r:.12}", body({**mine, "signature_key": kind})
    yield "under another account's key", body(sign(mine, "SB-Mid-server-OTHER000000000000000000"))
    yield "under the empty key", body(sign(mine, ""))
    yield "replay of another order", case.of(body=case.paid["body"].encode())
    yield "to another account", {**body(sign(mine)), "account": "midtrans-other"}
    for name, changed in odd_bodies(json.dumps({**mine, "signature_key": "0" * 128}).encode()):
        yield name, case.of(body=changed)
    for name, text in json_fields({**genuine}, {"order_id": case.victim, "transaction_id": case.transaction}):
        yield name, case.of(body=text.encode())
    for name, order in odd_orders(case.victim):
        yield name, body(sign({**mine, "order_id": order}))
    # The digest is right and covers neither the status nor the payment: the provider is asked.
    yield "flipped status, digest right", body(sign(mine))
    yield "flipped status, captured", body(sign({**mine, "transaction_status": "capture"}))
    yield "flipped status, another payment's id", body(sign({**mine, "transaction_id": genuine["transaction_id"]}))
    for amount in ("1.00", "149999.00", "150001.00", "1500000.00", "0.00", "-150000.00", "1e5", "150000", "150000.001", "NaN"):
        yield f"an amount of {amount}, digest right", body(sign({**mine, "gross_amount": amount}))
    for code, gross in (("220", "0150000.00"), ("20", "0150000.00"), ("2001", "50000.00"), ("", "200150000.00"), ("200150000.00", "")):
        yield f"shifted to {code}|{gross}", body({**mine, "status_code": code, "gross_amount": gross, "signature_key": good})
    yield "shifted from another order", body({**genuine, "order_id": case.victim, "status_code": "A" + genuine["status_code"]})
    for method in ("GET", "PUT", "HEAD"):
        yield f"by {method}", {**body({**mine, "signature_key": "0"}), "method": method}


def klink(case):
    genuine, key = case.paid["body"], "00000000-0000-4000-8000-00000000001d"
    sign = lambda text, key=key: hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()  # noqa: E731
    mine = json.loads(genuine)
    mine.update(order_id=case.victim, rq_uuid="FORGED", kd_pay=case.transaction)
    text = json.dumps(mine).encode()
    named = lambda signature, text=text, header="x-servicepayment": case.of(body=text, headers=[("content-type", "application/json")] + ([] if signature is None else [(header, signature)]))  # noqa: E731
    seen = dict(case.paid["headers"])["x-servicepayment"]
    for name, signature in wrong_signatures(sign(text), seen, text):
        yield name, named(signature)
    yield "under the empty key", named(sign(text, ""))
    yield "under another account's key", named(sign(text, "11111111-1111-4111-8111-111111111111"))
    yield "signature in another header", named(sign(text), header="x-signature")
    yield "signature in a header with underscores", named(sign(text), header="x_servicepayment")
    yield "signature in two headers", case.of(body=text, headers=[("x-servicepayment", "0"), ("x-servicepayment", sign(text))])
    yield "signature of other blanks", named(sign(text), json.dumps(mine, indent=1).encode())
    yield "signature of another order of fields", named(sign(text), json.dumps(dict(reversed(mine.items()))).encode())
    yield "replay of another order", case.of(body=genuine.encode(), headers=case.paid["headers"])
    yield "another order's body with mine changed", named(seen, genuine.replace(case.other, case.victim).encode())
    yield "to another account", {**named(sign(text)), "account": "klink-other"}
    for name, changed in odd_bodies(text):
        yield name, named(sign(text), changed)
        if name in ("twice", "in a list", "as a string", "a NUL behind it", "no UTF-8", "an empty body"):
            yield f"{name}, signed", named(sign(changed), changed)
    for name, changed in json_fields(json.loads(genuine), {"order_id": case.victim}):
        yield name, named(seen, changed.encode())
    for name, order in odd_orders(case.victim):
        if order.strip() == case.victim:
            continue  # signed, and about this order
        changed = json.dumps({**mine, "order_id": order}).encode()
        yield name, named(sign(changed), changed)
    # Under K-Link's own key: what it says must still be about what was asked.
    for amount in ("1", "149999", "150001", "1500000", "150000.5", "abc"):
        changed = json.dumps({**mine, "tot_bayar": amount}).encode()
        yield f"an amount of {amount}, signed", {**named(sign(changed), changed), "marks": True}
    changed = json.dumps({**mine, "kd_pay": "9999999"}).encode()
    yield "another payment, signed", {**named(sign(changed), changed), "marks": True}
    for status in ("Success!", "sukses", "paid", "", None, True, 1, ["success"]):
        changed = json.dumps({**mine, "status": status}).encode()
        yield f"the status {status!r}, signed", named(sign(changed), changed)
    yield "by GET", {**named(sign(text)), "method": "GET"}


def ipaymu(case):
    fields = dict(urllib.parse.parse_qsl(case.paid["body"], keep_blank_values=True))
    mine = {**fields, "reference_id": case.victim, "referenceId": case.victim, "trx_id": case.transaction}
    form = lambda fields: urllib.parse.urlencode(fields).encode()  # noqa: E731
    token, theirs = case.token, case.other_token
    sent = lambda token, fields=mine, headers=(), **more: case.of(body=form(fields), headers=list(headers), query="" if token is None else f"bayar={token}", **more)  # noqa: E731
    for name, wrong in wrong_signatures(token, theirs, case.victim.encode()):
        yield f"token: {name}", sent(wrong and urllib.parse.quote(wrong))
    yield "token in another case of its name", case.of(body=form(mine), query=f"BAYAR={token}")
    yield "token twice", case.of(body=form(mine), query=f"bayar={token}&bayar={token}")
    yield "token twice, wrong first", case.of(body=form(mine), query=f"bayar=0&bayar={token}")
    yield "token in the body", case.of(body=form({**mine, "bayar": token}))
    yield "token in the path", sent(None, path=f"/callback/bayar={token}")
    yield "replay of another order", case.of(body=case.paid["body"].encode(), headers=case.paid["headers"], query=f"bayar={theirs}")
    yield "another order's token", sent(theirs)
    yield "my token for another order", sent(token, fields)
    yield "to another account", {**sent(token), "account": "ipaymu-other"}
    for name, order in odd_orders(case.victim):
        yield name, sent(token, {**mine, "reference_id": order})
    for name, changed in odd_bodies(form(mine)):
        yield name, case.of(body=changed, query=f"bayar={theirs}")
    yield "the order twice", case.of(body=form(mine) + b"&reference_id=" + case.other.encode(), query=f"bayar={token}")
    yield "the order twice, other first", case.of(body=b"reference_id=" + case.other.encode() + b"&" + form(mine), query=f"bayar={token}")
    # With the right token, which its own host knows: the check at iPaymu decides.
    yield "flipped status, token right", sent(token)
    yield "flipped status, JSON", case.of(body=json.dumps(mine).encode(), query=f"bayar={token}")
    yield "the id of a paid transaction", sent(token, {**mine, "trx_id": fields["trx_id"]})
    yield "no transaction", sent(token, {k: v for k, v in mine.items() if k != "trx_id"})
    yield "no such transaction", sent(token, {**mine, "trx_id": "999999999"})
    for amount in ("1", "149999", "150001", "-1"):
        yield f"an amount of {amount}", sent(token, {**mine, "amount": amount, "total": amount})
    for header in ("", "0" * 64, dict(case.paid["headers"])["x-signature"]):
        yield f"X-Signature {header[:8]!r}", sent(token, headers=[("x-signature", header)])
    yield "by GET", sent(token, method="GET")


def biller(case):
    real = dict(urllib.parse.parse_qsl(case.paid["query"], keep_blank_values=True))
    mine = {**real, "refid": case.victim}
    token = "biller-callback-token-EXAMPLE"
    query = urllib.parse.urlencode
    sent = lambda fields=mine, path=f"/callback/{token}", **more: case.of(query=fields if isinstance(fields, str) else query(fields), path=path, method="GET", **more)  # noqa: E731
    for name, wrong in {
        "no token": "", "a blank": "%20", "token in small letters": token.lower(), "token in capitals": token.upper(), "half a token": token[:14],
        "all but the last": token[:-1], "one more": token + "0", "token twice": token * 2, "another's token": "biller-callback-token-OTHER", "a star": "*",
        "a list": f"{token},{token}", "token with a blank": token + "%20", "token with a NUL": token + "%00", "token in a query of the path": f"x?token={token}",
        "token in base64": base64.b64encode(token.encode()).decode(), "fullwidth": urllib.parse.quote("".join(chr(ord(c) + 0xFEE0) for c in token)),
    }.items():
        yield name, sent(path=f"/callback/{wrong}")
    yield "an empty token in the query", sent({**mine, "token": ""}, path="/callback")
    yield "a wrong token in the query", sent({**mine, "token": "0"}, path="/callback")
    yield "the token as another parameter", sent({**mine, "callback_token": token}, path="/callback")
    yield "the token in a header", sent(path="/callback", headers=[("token", token), ("authorization", token)])
    for address in (None, "", "10.0.0.1", "127.0.0.2", "localhost", "::1", "127.0.0.1, 10.0.0.1", "127.0.0.1:80", "0x7f000001", "127.1", "::ffff:127.0.0.2", " 127.0.0.1"):
        yield f"from {address!r}", sent(remote_addr=address)
    yield "an address in a header", sent(remote_addr="10.0.0.1", headers=[("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")])
    for name, order in odd_orders(case.victim):
        if order.strip() != case.victim:  # else it has all that is needed, and is about this order
            yield name, sent({**mine, "refid": order})
    for destination in ("081200000002", "08120000000", "81200000001", "+6281200000001", "", "\uff10\uff18\uff11\uff12\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11"):
        yield f"to {destination!r}", {**sent({**mine, "dest": destination}), "marks": True}
    yield "no destination", sent({k: v for k, v in mine.items() if k != "dest"})
    text = query(mine)
    yield "refid twice", sent(text + "&refid=" + case.other)
    yield "dest twice", sent(text + "&dest=1")
    yield "status twice", sent(text + "&status=1")
    for status in ("00", "0 0", "-0", "+0", "0.0", "\uff10", "false", "SUKSES", "", "2", "null"):
        yield f"the status {status!r}", {**sent({**mine, "status": status}), "marks": True}
    yield "the words contradict the status", {**sent({**mine, "message": mine["message"].replace("SUKSES", "GAGAL")}), "marks": True}
    yield "replay of another order", sent(case.paid["query"])
    yield "to another account", {**sent(), "account": "biller-other"}


#: By account: merchant code and key.
DUITKU = {
    "duitku": ("DS00001", "0000000000000000000000000EXAMPLE"),
    "duitku-hmac": ("DS00002", "1111111111111111111111111EXAMPLE"),
}


def duitku(case):
    yield from duitku_forms(case, "duitku", "duitku-other", by_md5, by_hmac)


def duitku_hmac(case):
    yield from duitku_forms(case, "duitku-hmac", "duitku", by_hmac, by_md5)


def by_md5(parts, key):
    return hashlib.md5((parts + key).encode()).hexdigest()


def by_hmac(parts, key):
    return hmac.new(key.encode(), parts.encode(), hashlib.sha256).hexdigest()


def duitku_forms(case, account, another, digest, other_digest):
    code, key = DUITKU[account]
    their_code, their_key = next(one for name, one in DUITKU.items() if name != account)
    real = dict(urllib.parse.parse_qsl(case.paid["body"], keep_blank_values=True))
    mine = {**real, "merchantOrderId": case.victim, "reference": case.transaction}
    sign = lambda fields, key=key, code=code, digest=digest: digest(code + fields["amount"] + fields["merchantOrderId"], key)  # noqa: E731
    form = lambda fields, signature: case.of(body=urllib.parse.urlencode({**{k: v for k, v in fields.items() if k != "signature"}, **({} if signature is None else {"signature": signature})}).encode())  # noqa: E731
    parts = (code + mine["amount"] + mine["merchantOrderId"]).encode()
    for name, signature in wrong_signatures(sign(mine), real["signature"], parts):
        yield name, form(mine, signature)
    yield "under the empty key", form(mine, sign(mine, ""))
    yield "under another key", form(mine, sign(mine, "other"))
    yield "under another account's key", form(mine, sign(mine, their_key))
    yield "by the digest of the other setting", form(mine, sign(mine, digest=other_digest))
    yield "the payment request's own signature", form(mine, digest(code + mine["merchantOrderId"] + mine["amount"], key))
    yield "the status query's own signature", form(mine, digest(code + mine["merchantOrderId"], key))
    yield "of another merchant", form({**mine, "merchantCode": their_code}, sign(mine, code=their_code))
    yield "of another merchant, under its key", form({**mine, "merchantCode": their_code}, sign(mine, their_key, their_code))
    yield "no merchant", form({k: v for k, v in mine.items() if k != "merchantCode"}, sign(mine))
    yield "replay of another order", case.of(body=case.paid["body"].encode())
    yield "to another account", {**form(mine, sign(mine)), "account": another}
    for name, order in odd_orders(case.victim):
        changed = {**mine, "merchantOrderId": order}
        yield name, form(changed, sign(changed))
    for name, changed in odd_bodies(case.paid["body"].encode()):
        yield name, case.of(body=changed)
    yield "as JSON", case.of(body=json.dumps({**mine, "signature": sign(mine)}).encode())
    twice = urllib.parse.urlencode({**mine, "signature": real["signature"]}).encode()
    for field in ("merchantOrderId", "amount", "signature", "resultCode"):
        yield f"{field} twice", case.of(body=twice + f"&{field}={real[field]}".encode())
        yield f"{field} twice, in capitals", case.of(body=twice + f"&{field.upper()}={real[field]}".encode())
    # The parts stand without separators: amount and order, shifted.
    joined = mine["amount"] + mine["merchantOrderId"]
    for at in (1, 3, 5, 7, 8):
        yield f"shifted to {joined[:at]}|{joined[at:][:4]}", form({**mine, "amount": joined[:at], "merchantOrderId": joined[at:]}, sign(mine))
    for amount in ("1", "149999", "150001", "1500000", "0150000", "150000.00", "-150000"):
        changed = {**mine, "amount": amount}
        yield f"an amount of {amount}, digest right", form(changed, sign(changed))
    yield "flipped status, digest right", form(mine, sign(mine))
    yield "flipped status, another payment's id", form({**mine, "reference": real["reference"]}, sign(mine))

ALL = {"klink": klink, "ipaymu": ipaymu, "duitku": duitku, "duitku-hmac": duitku_hmac, "biller": biller, "midtrans": midtrans}
