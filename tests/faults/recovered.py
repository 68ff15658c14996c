"""What recovery makes of an unknown intent (RELIABILITY, \"At each point of failure\")."""

#: State and whether it waits for a review, by who settles it and whether it was executed.
RECOVERED = {
    ("read", True): ("{fine}", False),
    # Once is not enough to say that it never arrived.
    ("read", False): ("unknown", False),
    # A page is no order of Midtrans' or iPaymu's before its payer has chosen how to pay.
    ("read, once chosen", True): ("unknown", False),
    ("read, once chosen", False): ("unknown", False),
    ("read of order", True): ("{fine}", False),
    ("read of order", False): ("unknown", False),
    ("resend", True): ("{fine}", False),
    ("resend", False): ("{fine}", False),
    ("callback", True): ("unknown", False),
    ("callback", False): ("unknown", False),
    ("review", True): ("unknown", True),
    ("review", False): ("unknown", True),
    ("record", True): ("unknown", False),
    ("record", False): ("unknown", False),
}
