"""Operations of every class, each as a test calls it: what is set up first, what is called, and
what the provider counts."""

PERSON = {"name": "Budi Santoso", "phone": "081200000001", "email": "budi@example.com"}


class Operation:
    """`settles`: what recovery can do about an unknown one (RELIABILITY: "who settles")."""

    def __init__(self, name, account, operation, klass, settles, params, fine, prepare=None, echoes=False, named=None, first=0):
        self.name, self.account, self.operation, self.klass, self.settles = name, account, operation, klass, settles
        self._params, self.fine, self._prepare, self.echoes = params, fine, prepare, echoes
        self.named = named or (lambda order: order)
        #: How many exchanges come before the one that moves.
        self.first = first

    def params(self, order):
        return self._params(order)

    def prepare(self, engine, world, order):
        """What must be there before: an order that was paid, a session."""
        if self._prepare:
            self._prepare(engine, world, order)

    def call(self, engine, order, key=None, **own):
        key = None if self.klass == "read" else key or f"key-{order}"
        return engine.call(self.account, self.operation, self.params(order), key=key, **own)

    def executed(self, world, order):
        return world.executed(self.account, self.operation, self.named(order))

    def __repr__(self):
        return self.name


def logged_in(engine, world, order):
    engine.call("klink", "balance", {"id_member": order})


def gopay_paid(engine, world, order):
    engine.charge("midtrans", {"order_id": order, "amount": 25000, "channel": "gopay"}, key=f"made-{order}")
    world.control.act(order)


def va_pending(engine, world, order):
    engine.charge("midtrans", {"order_id": order, "amount": 150000, "channel": "bca_va"}, key=f"made-{order}")


def charge(channel=None, **more):
    return lambda order: {"order_id": order, "amount": 150000, **({"channel": channel} if channel else {}), **more}


def duitku_pending(engine, world, order):
    engine.charge("duitku", duitku_charge("BC")(order), key=f"made-{order}")


def duitku_charge(channel=None):
    return charge(channel, customer=PERSON, description="Invoice 17", return_url="https://shop.example.com/thanks", callback_url="https://shop.example.com/callback")


ALL = [
    Operation("midtrans charge", "midtrans", "charge", "keyed", "read", charge("bca_va"), "pending", echoes=True),
    Operation("midtrans Snap", "midtrans", "charge", "keyed", "read, once chosen", charge(), "pending"),
    Operation("midtrans refund", "midtrans", "refund", "keyed", "resend", lambda order: {"order_id": order, "amount": 10000, "reason": "half"}, "done", gopay_paid, echoes=True),
    Operation("midtrans cancel", "midtrans", "cancel", "keyed", "read of order", lambda order: {"order_id": order}, "cancelled", va_pending, echoes=True),
    Operation("midtrans expire", "midtrans", "expire", "change", "record", lambda order: {"order_id": order}, "expired", va_pending, echoes=True),
    Operation("midtrans status", "midtrans", "status", "read", None, lambda order: {"order_id": order}, "pending", va_pending, echoes=True),
    Operation("klink charge", "klink", "charge", "keyed", "callback", charge("va:014:BCAATM", customer=PERSON), "pending", logged_in, first=1),
    Operation("klink GoPay", "klink", "charge", "keyed", "callback", charge("midtrans:gopay:e_wallets", customer=PERSON), "pending", logged_in, echoes=True),
    Operation("klink pay", "klink", "pay", "keyed", "review", lambda order: {"order_id": order, "id_member": order, "amount": 90000, "description": "Paket"}, "paid", logged_in),
    Operation("klink transfer", "klink", "transfer", "once", "review", lambda order: {"id_member_send": order, "id_member_receipt": f"{order}b", "amount": 50000, "description": order}, "done", logged_in, named="*{}".format),
    Operation("klink voucher", "klink", "voucher", "once", "review", lambda order: {"voucher_code": order, "id_member_receipt": order, "amount": 250000, "description": "top-up"}, "done", logged_in, named="voucher-{}".format),
    Operation("klink register_va", "klink", "register_va", "change", "record", lambda order: {"id_member": order, **PERSON}, "done", logged_in, named="register_va-{}".format),
    Operation("klink balance", "klink", "balance", "read", None, lambda order: {"id_member": order}, "done", logged_in),
    Operation("ipaymu page", "ipaymu", "charge", "payable", "read, once chosen", charge(description="Invoice 17", return_url="https://shop.example.com/thanks", cancel_url="https://shop.example.com/cancel", callback_url="https://shop.example.com/callback"), "pending"),
    Operation("ipaymu direct", "ipaymu", "charge", "payable", "read", charge("va_bca", customer=PERSON, callback_url="https://shop.example.com/callback"), "pending", echoes=True),
    Operation("duitku charge", "duitku", "charge", "keyed", "read", duitku_charge("BC"), "pending"),
    Operation("duitku page", "duitku", "charge", "keyed", "read", duitku_charge(), "pending"),
    Operation("duitku link", "duitku", "link", "change", "record", lambda order: {"channel": "OL", "customer_id": order, "phone": "081200000001", "return_url": "https://shop.example.com/linked"}, "done", named="link-OL-{}".format),
    Operation("duitku status", "duitku", "status", "read", None, lambda order: {"order_id": order}, "pending", duitku_pending, echoes=True),
    Operation("biller purchase", "biller", "purchase", "once", "callback", lambda order: {"order_id": order, "product": "s5", "destination": "081200000001"}, "pending"),
]
