"""The pay page: what a payer sees of each way to pay, how it changes, who may see it, and what stands on it that
must not. And what programs of the gateway's document get for every provider."""

import base64
import hashlib
import html
import http.client
import re
import urllib.parse
from html.parser import HTMLParser

import bayar
from world import TARGET, Case, Client, Gateway, new_app, new_order, until

CUSTOMER = {"first_name": "Budi", "last_name": "Santoso", "email": "budi@example.com", "phone": "081298765432"}
PUBLIC = "https://pay.example.com/bayar"
#: What ends a void element or stands without an end.
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """A page taken apart; every element must be closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.elements, self.words, self.raw = [], [], [], [], {"style": "", "script": ""}
        self.in_code = False
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), (tag, attributes)
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag == "a":
            self.links.append(attributes["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag
        self.in_code &= "code" in self.open

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
        elif self.in_code and "code" in self.open:
            self.words[-1] += data  # a number in groups is one number
        elif data.strip():
            self.in_code = "code" in self.open
            self.words.append(" ".join(data.split()))

    @property
    def text(self):
        return " ".join(self.words)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def standing(self):
        return self.all("html")[0]["data-standing"]

    @property
    def refreshes(self):
        return [one["content"] for one in self.all("meta") if one.get("http-equiv") == "refresh"]


class Pay(Case):
    gateway_settings = {"public_url": PUBLIC, "recover_seconds": 0}
    app_options = ("--operations", "*", "--name", "Toko <Contoh>")

    @property
    def control(self):
        return self.world.control

    def charged(self, client=None, **more):
        order = more.pop("order", None) or new_order()
        made = (client or self.client).post("/charge", {"order_id": order, "amount": 150000, "customer_details": CUSTOMER, **more})
        self.assertEqual(made.status, 201, made)
        return order, made.json()

    def path(self, url):
        self.assertTrue(url.startswith(f"{PUBLIC}/pay/"), url)
        return url.removeprefix(PUBLIC)

    def fetched(self, path, language="en", status=200, **more):
        answer = Client(self.gateway.port).get(path, headers={"Accept-Language": language}, **more)
        self.assertEqual(answer.status, status, answer)
        self.assertTrue(answer.headers["content-type"].startswith("text/html"), answer.headers)
        return answer

    def page(self, path, *arguments, **more):
        return Page(self.fetched(path, *arguments, **more).body.decode())

    def paged(self, language="en", **more):
        order, made = self.charged(**more)
        return order, made, self.page(self.path(made["redirect_url"]), language)

    def known(self, order):
        path = "/v1/charges?" + urllib.parse.urlencode({"order_id": order})
        return self.client.get(path).json()["data"][0]


class Ways(Pay):
    """Each kind of instruction."""

    def test_a_virtual_account(self):
        order, made, page = self.paged(channel="bca_va")
        self.assertIsNone(made["token"])
        number = made["instruction"]["number"]
        self.assertIn(f"Virtual account number {number} Copy", page.text)
        self.assertIn("Bank BCA", page.text)
        self.assertIn("Rp 150.000", page.text.replace("\u00a0", " "))
        self.assertIn(order, page.text)
        self.assertIn("Payment to Toko <Contoh>", page.text)
        (button,) = page.all("button")
        self.assertEqual((button["data-copy"], button["aria-label"]), (number, "Copy: Virtual account number"))
        self.assertIn("hidden", button, "without scripts there is nothing to press")

    def test_mandiris_two_numbers(self):
        _, made, page = self.paged(channel="mandiri_va")
        self.assertIn(f"Biller code {made['instruction']['biller_code']}", page.text)
        self.assertIn(f"Bill key {made['instruction']['number']}", page.text)

    def test_a_qr_code(self):
        _, made, page = self.paged(channel="qris")
        (drawing,) = page.all("svg")
        (path,) = page.all("path")
        self.assertEqual(modules(drawing, path)[0][:7], [1] * 7, "a finder's upper edge")
        self.assertIn({"class": "qr", "role": "img", "aria-label": "QR code to pay with"}, page.all("div"))
        # The provider's own picture is not loaded, nor linked where there is one of ours.
        self.assertNotIn(made["instruction"]["image_url"], self.fetched(self.path(made["redirect_url"])).body.decode())

    def test_a_wallet(self):
        _, made, page = self.paged(channel="gopay")
        self.assertIn(made["instruction"]["url"], page.links)
        self.assertIn("Open the app", page.text)

    def test_a_shop(self):
        _, made, page = self.paged(channel="indomaret")
        self.assertIn("Shop Indomaret", page.text)
        self.assertIn(f"Payment code {made['instruction']['code']}", page.text)

    def test_a_transfer_of_an_exact_amount(self):
        order, made, page = self.paged(provider="ipaymu", channel="banktransfer_bca")
        owed, text = made["payable_amount"], page.text.replace("\u00a0", " ")
        self.assertTrue(150000 < owed <= 150999, owed)
        self.assertIn(f"Account number {made['instruction']['number']}", text)
        self.assertIn(f"The bill is Rp 150.000. To pay are Rp {owed:,}".replace(",", "."), text)
        self.assertIn(str(owed), [button["data-copy"] for button in page.all("button")])
        self.assertIn("to the last digit", text)
        self.control.act(self.known(order)["reference"], provider="ipaymu")
        paid = self.client.get(f"/v1/charges/{self.known(order)['id']}?fresh=true").json()
        self.assertEqual((paid["status"], paid.get("review")), ("paid", None), paid)
        self.assertEqual(self.page(self.path(made["redirect_url"])).standing, "paid")

    def test_a_transfer_says_to_whom(self):
        _, made, page = self.paged(provider="klink", channel="va:008:MANDIRIMANUAL")
        self.assertIn("Account holder PT TOKO CONTOH", page.text)
        self.assertIn("Branch Jakarta", page.text)
        self.assertIn(made["instruction"]["number"], page.text)

    def test_the_courier(self):
        params = {
            "order_id": new_order(),
            "amount": 150000,
            "account": "ipaymu",
            "channel": "cod",
            "customer": {"name": "Budi Santoso", "email": "budi@example.com", "phone": "081298765432"},
            "items": [{"name": "Buku", "price": 150000, "quantity": 1}],
            "options": {"weight": [1], "length": [10], "width": [10], "height": [10], "delivery_area": "76111", "delivery_address": "Jl. Denpasar 1"},
        }
        made = self.client.post("/v1/charges", params, key=new_order("key"))
        self.assertEqual(made.status, 201, made)
        page = self.page(self.path(made.json()["pay_url"]))
        self.assertIn("Pay the courier when the goods arrive", page.text)
        self.assertNotIn("Denpasar", page.text)

    def test_a_page_of_the_providers_own(self):
        """redirect_url is the provider's, as ever; ours, which API v1 names, leads there."""
        order, made = self.charged()
        self.assertEqual(sorted(made), ["redirect_url", "token"])
        self.assertIn("/snap/", made["redirect_url"])
        page = self.page(self.path(self.known(order)["pay_url"]))
        self.assertIn(made["redirect_url"], page.links)

    def test_what_is_paid_for(self):
        items = [{"id": "1", "name": "Cloud & <b>VPS</b>", "price": 50000, "quantity": 2}, {"id": "2", "name": "Domain", "price": 50000, "quantity": 1}]
        _, _, page = self.paged(channel="bca_va", item_details=items)
        text = page.text.replace("\u00a0", " ")
        self.assertIn("Cloud & <b>VPS</b> × 2 Rp 100.000 Domain Rp 50.000", text)
        _, _, page = self.paged(channel="bca_va", description="Hosting Januari")
        self.assertIn("Hosting Januari", page.text)

    def test_until_when_in_jakarta(self):
        params = {"order_id": new_order(), "amount": 150000, "channel": "bca_va", "expires_in": 3600}
        made = self.client.post("/v1/charges", params, key=new_order("key")).json()
        for language, separator in (("en", ":"), ("id", ".")):
            page = self.page(self.path(made["pay_url"]), language)
            clock = made["expires_at"][11:16].replace(":", separator)
            self.assertRegex(page.text, rf"\d+ \w+ 20\d\d, {re.escape(clock)} WIB")
            self.assertEqual([one["datetime"] for one in page.all("time")], [made["expires_at"]])


def modules(drawing, path):
    """The squares of a QR code, by its drawing: rows of 0 and 1, without the quiet zone."""
    dark, at = set(), (0, 0)
    for command, numbers in re.findall(r"([MmhvHVlz])([-\d.,\s]*)", path["d"]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            at = tuple(values)
        elif command == "h" and values[0] > 0:
            dark.add((at, values[0]))
    size = min(width for _, width in dark)
    left, top = min(x for (x, _), _ in dark), min(y for (_, y), _ in dark)
    side = round((max(x for (x, _), _ in dark) - left) / size) + 1
    found = {(round((y - top) / size), round((x - left) / size)) for (x, y), _ in dark}
    return [[int((row, column) in found) for column in range(side)] for row in range(side)]


class States(Pay):
    def begun(self, channel="bca_va", **more):
        order, made = self.charged(channel=channel, **more)
        return order, self.path(made["redirect_url"])

    def changed(self, order, act, path):
        """Something happens at the provider, and its callback, or asking, moves the state."""
        self.control.act(order, act=act)
        answer = self.client.get(f"/v1/charges/{self.known(order)['id']}?fresh=true")
        self.assertEqual(answer.status, 200, answer)
        return self.page(path)

    def test_it_waits_and_asks_for_itself(self):
        order, path = self.begun()
        arrived = self.control.get(f"midtrans/{order}")["arrived"]
        for _ in range(3):
            page = self.page(path)
        self.assertEqual((page.standing, page.refreshes), ("waiting", ["15"]))
        self.assertEqual(page.all("html")[0]["data-again"], "15")
        self.assertEqual(self.control.get(f"midtrans/{order}")["arrived"], arrived, "nobody asked Midtrans")

    def test_paid(self):
        order, path = self.begun(return_url="https://shop.example.com/thanks?a=1&b=2")
        self.assertNotIn("https://shop.example.com/thanks?a=1&b=2", self.page(path).links)
        page = self.changed(order, "paid", path)
        self.assertEqual((page.standing, page.refreshes), ("paid", []))
        self.assertIn("Paid Thank you", page.text)
        self.assertIn("https://shop.example.com/thanks?a=1&b=2", page.links)
        self.assertNotIn("How to pay", page.text)
        # The way back of our own is no way back to the shop.
        order, path = self.begun("gopay")
        self.assertFalse([link for link in self.changed(order, "paid", path).links if "/pay/" in link])

    def test_other_ends(self):
        for act, standing, words in (("failed", "failed", "The payment failed"), ("expired", "expired", "It was not paid in time")):
            with self.subTest(act):
                order, path = self.begun("gopay")
                page = self.changed(order, act, path)
                self.assertEqual((page.standing, page.refreshes), (standing, []))
                self.assertIn(words, page.text)
                self.assertNotIn("How to pay", page.text)
        order, path = self.begun()
        self.assertEqual(self.client.post(f"/v1/charges/{self.known(order)['id']}/cancel").status, 200)
        self.assertEqual(self.page(path).standing, "cancelled")

    def test_what_waits_for_a_person_is_never_paid(self):
        order, _ = self.charged()
        path = self.path(self.known(order)["pay_url"])
        page = self.changed(order, "challenge", path)
        self.assertEqual((page.standing, page.refreshes), ("checking", ["15"]))
        self.assertIn("Being checked", page.text)
        for word in ("Paid", "How to pay"):
            self.assertNotIn(word, page.text)

    def test_an_answer_that_was_lost(self):
        self.control.ask("POST", "faults", {"fault": "reset", "provider": "midtrans", "when": "after", "times": 1})
        order = new_order()
        self.assertEqual(self.client.post("/charge", {"order_id": order, "amount": 150000, "channel": "qris"}).status, 500)
        page = self.page(self.path(self.known(order)["pay_url"]))
        self.assertEqual(page.standing, "checking")
        self.assertIn("Please do not pay a second time", page.text)

    def test_only_the_web_is_a_way_back(self):
        for url in ("javascript:alert(1)", "javascript://shop.example.com/%0aalert(1)", "//shop.example.com", "shop", "https://a b/"):
            with self.subTest(url):
                order, path = self.begun(return_url=url)
                links = self.changed(order, "paid", path).links
                self.assertEqual([link for link in links if not link.startswith("?lang=")], [])


class Door(Pay):
    """Who gets in, and what the page lets out."""

    def begun(self, **more):
        order, made = self.charged(channel="bca_va", **more)
        return order, self.path(made["redirect_url"])

    def test_an_address_cannot_be_made_up(self):
        order, path = self.begun()
        other, another = self.begun()
        token = path.removeprefix("/pay/")
        intent, digest = token.split(".")
        self.assertEqual(intent, self.known(order)["id"])
        self.assertRegex(digest, "^[a-p]{32}$", "128 bits, and nothing that looks like a card's number")
        flipped = digest[:-1] + ("a" if digest[-1] != "a" else "b")
        for forged in (
            intent,
            f"{intent}.",
            f"{intent}.{'a' * 32}",
            f"{intent}.{flipped}",
            f"{intent}.{digest[:16]}",
            f"{intent}.{digest.upper()}",
            f"{another.removeprefix('/pay/').split('.')[0]}.{digest}",
            f"{order}.{digest}",
            f"{intent}.{digest}.",
            "%FF",
            "x" * 5000,
        ):
            answer = Client(self.gateway.port).get(f"/pay/{forged}")
            self.assertIn(answer.status, (400, 404), forged)
            self.assertNotIn(b"150.000", answer.body)
            self.assertEqual(answer.headers["referrer-policy"], "no-referrer")
        page = self.page(f"/pay/{intent}.{flipped}", status=404)
        self.assertIn("belongs to no payment", page.text)

    def test_another_gateway_makes_other_addresses(self):
        _, path = self.begun()
        config = self.world.config(journal=re.search(r'journal = "(.*)"', self.config.read_text()).group(1), secret_key="another one of the tests")
        gateway = self.started(config)
        self.assertEqual(Client(gateway.port).get(path).status, 404)

    def test_an_address_that_asks_too_often(self):
        gateway = self.started(self.world.config(rate_per_address=2))
        statuses = [Client(gateway.port).get(f"/pay/I{number}.{'a' * 32}").status for number in range(12)]
        self.assertEqual(set(statuses), {404, 429}, statuses)

    def test_nothing_of_the_payer(self):
        """Whoever has the address sees the page: a forwarded message, a shared computer."""
        for more in ({"channel": "bca_va"}, {"channel": "qris"}, {"provider": "ipaymu", "channel": "va_bca"}, {"provider": "klink", "channel": "va:008:MANDIRIMANUAL"}, {"provider": "ipaymu", "channel": "banktransfer_bca"}, {"channel": "bca_va", "description": "Hosting of Budi Santoso (081298765432)"}):
            with self.subTest(**more):
                _, made = self.charged(**more)
                text = html.unescape(self.fetched(self.path(made["redirect_url"])).body.decode()).lower()
                for word in ("budi", "santoso", "081298765432", "8129876"):
                    self.assertNotIn(word, text)

    def test_its_headers(self):
        _, path = self.begun()
        answer = self.fetched(path)
        page = Page(answer.body.decode())
        digest = lambda text: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual(policy["style-src"], digest(page.raw["style"]))
        self.assertEqual(policy["script-src"], digest(page.raw["script"]))
        self.assertEqual((policy["frame-ancestors"], policy["form-action"], policy["base-uri"]), ("'none'",) * 3)
        for name, value in {
            "referrer-policy": "no-referrer",
            "x-robots-tag": "noindex, nofollow",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }.items():
            self.assertEqual(answer.headers.get_all(name), [value])
        self.assertIsNone(answer.headers["set-cookie"])
        # Neither styles nor handlers in attributes: the policy would refuse them.
        for tag, attributes in page.elements:
            self.assertFalse([name for name in attributes if name == "style" or name.startswith("on")], tag)

    def test_the_log_does_not_open_it(self):
        _, path = self.begun()
        self.fetched(path)
        log = until(lambda: "GET /pay/…" in self.gateway.logged() and self.gateway.logged(), "the request is logged")
        self.assertNotIn(path.split(".")[1], log)

    def test_two_languages(self):
        _, path = self.begun()
        self.assertEqual(self.page(path, "id-ID,id;q=0.9,en;q=0.8").all("html")[0]["lang"], "id")
        self.assertIn("Nomor virtual account", self.page(path, "id").text)
        self.assertIn("Virtual account number", self.page(path, "id", ).text + self.page(f"{path}?lang=en", "id").text)
        self.assertEqual(self.page(f"{path}?lang=en&lang=x&%ff", "id").all("html")[0]["lang"], "en")
        self.assertIn("?lang=en", self.page(path, "id").links)

    def test_a_head_is_answered(self):
        _, path = self.begun()
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port)
        self.addCleanup(connection.close)
        connection.request("HEAD", path)
        self.assertEqual(connection.getresponse().status, 200)

    def test_without_a_public_address_there_is_none(self):
        config = self.world.config()
        client = Client(self.started(config).port, "biling", new_app(config, "biling"))
        made = client.post("/charge", {"order_id": new_order(), "amount": 150000, "channel": "bca_va"}).json()
        self.assertIsNone(made["redirect_url"])
        self.assertEqual(made["instruction"]["kind"], "virtual_account")
        wallet = client.post("/charge", {"order_id": new_order(), "amount": 150000, "channel": "gopay"}).json()
        self.assertEqual(wallet["redirect_url"], wallet["instruction"]["url"])
        self.assertNotIn("pay_url", client.get("/v1/charges").json()["data"][0])


class WayBack(Pay):
    def test_the_provider_sends_the_payer_back_to_the_page(self):
        order, made = self.charged(provider="duitku", channel="BC")
        stored = self.charged(provider="duitku", channel="BC", order=order)[1]
        self.assertEqual(stored, made)
        back = self.url_sent("duitku", "/inquiry", "returnUrl", order)
        path = self.path(back)
        self.assertTrue(path.startswith("/pay/back/"), path)
        for method in ("GET", "POST"):
            answer = Client(self.gateway.port).ask(method, f"{path}?merchantOrderId={order}&resultCode=00&lang=id")
            self.assertEqual(answer.status, 303, answer)
            self.assertEqual(urllib.parse.urljoin(back, answer.headers["location"]), made["redirect_url"])
        self.fetched(f"{path[:-1]}x", status=404)

    def test_the_page_of_ipaymu_has_both_ways_back(self):
        order, made = self.charged(provider="ipaymu")
        self.assertRegex(made["redirect_url"], r"^http://\S+/ipaymu/payment/\S+$")
        for name in ("returnUrl", "cancelUrl"):
            self.assertIn("/pay/back/", self.url_sent("ipaymu", "/payment", name, order))
        order, _ = self.charged(provider="ipaymu", return_url="https://shop.example.com/")
        self.assertEqual(self.url_sent("ipaymu", "/payment", "returnUrl", order), "https://shop.example.com/")
        self.assertIn("/pay/back/", self.url_sent("ipaymu", "/payment", "cancelUrl", order))

    def test_midtrans_page_returns_where_its_dashboard_says(self):
        order, _ = self.charged()
        self.assertNotIn("/pay/", str(self.sent("midtrans", "/snap/", order)))

    def test_a_new_public_address_changes_no_order_of_before(self):
        """A repeat must be the same request, whatever the configuration has become."""
        config = self.world.config(public_url="https://one.example.com")
        key = new_app(config, "biling")
        body = {"order_id": new_order(), "amount": 150000, "provider": "duitku", "channel": "BC", "customer_details": CUSTOMER}
        gateway = self.started(config)
        first = Client(gateway.port, "biling", key).post("/charge", body)
        self.assertEqual(first.status, 201, first)
        gateway.stop()
        config.write_text(config.read_text().replace("https://one.example.com", "https://two.example.com"))
        again = Client(self.started(config).port, "biling", key).post("/charge", body)
        self.assertEqual(again.status, 201, again)
        self.assertEqual(again.json()["instruction"], first.json()["instruction"])

    def sent(self, provider, path, order):
        """The requests that came to a provider about an order."""
        requests = self.control.get("requests")
        requests = requests.get("requests", requests) if isinstance(requests, dict) else requests
        found = [one for one in requests if path in str(one.get("path")) and order in str(one)]
        self.assertTrue(found, (path, order))
        return found[-1]

    def url_sent(self, provider, path, name, order):
        match = re.search(rf'\\*"{name}\\*"\s*:\s*\\*"([^"\\]+)', str(self.sent(provider, path, order)))
        self.assertIsNotNone(match, self.sent(provider, path, order))
        return match.group(1)


class Providers(Pay):
    """A program of the document, unchanged, with an application set to any provider and channel."""

    def test_every_channel_of_every_provider(self):
        wanted = {
            # It lists the bank without an account, so nobody could pay it.
            ("klink", "va:002:BRIMANUAL"): "not_possible",
            # Goods have weight and size, which the document's body has no place for.
            ("ipaymu", "cod"): "item_details",
            ("ipaymu", "cod:rpx"): "item_details",
            # A linked account pays, and the body cannot name it.
            ("duitku", "OL"): "options.account_link",
            ("duitku", "SL"): "options.account_link",
            ("klink", None): "channel",
        }
        kinds = set()
        for provider in ("midtrans", "ipaymu", "duitku", "klink", "template"):
            listed = self.client.get(f"/v1/channels?account={provider}")
            self.assertEqual(listed.status, 200, listed)
            channels = [None, *(channel["id"] for channel in listed.json()["data"])]
            key = new_app(self.config, f"of-{provider}", "--account", provider)
            client = Client(self.gateway.port, f"of-{provider}", key)
            for channel in channels:
                with self.subTest(provider, channel=channel):
                    body = {"order_id": new_order(), "amount": 150000, "customer_details": CUSTOMER, **({"channel": channel} if channel else {})}
                    made = client.post("/charge", body)
                    document = made.json()
                    if (provider, channel) in wanted:
                        self.assertEqual(made.status, 400, made)
                        self.assertIn(wanted[provider, channel], (document.get("field"), document["code"]), made)
                        continue
                    self.assertEqual(made.status, 201, made)
                    self.assertRegex(document["redirect_url"], r"^https?://")
                    self.assertEqual(client.post("/charge", body).json(), document)
                    kind = document["instruction"]["kind"] if document.get("instruction") else "snap"
                    kinds.add(kind)
                    if kind not in ("snap", "redirect"):
                        page = self.page(self.path(document["redirect_url"]))
                        self.assertEqual(page.standing, "waiting")
        self.assertLessEqual({"snap", "redirect", "virtual_account", "qr", "deeplink", "retail", "manual_transfer"}, kinds)

    def test_what_is_missing_is_named_as_the_document_names_it(self):
        bare = {"order_id": new_order(), "amount": 150000}
        for more, field in (
            ({"provider": "duitku"}, "customer_details.email"),
            ({"provider": "ipaymu", "channel": "va_bca"}, "customer_details.first_name"),
            ({"provider": "klink", "channel": "va:014:BCAATM", "customer_details": {"first_name": "Budi", "email": "budi@example.com"}}, "customer_details.phone"),
            ({"item_details": [{"name": "x", "price": 1, "quantity": 1}]}, "item_details"),
        ):
            with self.subTest(**more):
                answer = self.client.post("/charge", {**bare, **more})
                self.assertEqual((answer.status, answer.json().get("field")), (400, field), answer)
                self.assertTrue(answer.json()["message"].startswith(field), answer)

    def test_a_payer_of_the_gateways_own(self):
        config = self.world.config(public_url=PUBLIC, payer_name="Pelanggan", payer_email="kasir@example.com", payer_phone="0211234567")
        client = Client(self.started(config).port, "biling", new_app(config, "biling"))
        for provider, channel in (("klink", "va:014:BCAATM"), ("ipaymu", "va_bca"), ("duitku", "BC"), ("duitku", None)):
            with self.subTest(provider):
                body = {"order_id": new_order(), "amount": 150000, "provider": provider, **({"channel": channel} if channel else {})}
                self.assertEqual(client.post("/charge", body).status, 201)
                # Named, the payer stays who they are.
                named = {**body, "order_id": new_order(), "customer_details": {"first_name": "Budi"}}
                self.assertEqual(client.post("/charge", named).status, 201)
        sent = [str(one) for one in self.control.get("requests") if "Budi" in str(one) and "kasir@example.com" in str(one)]
        self.assertTrue(sent)


    def test_a_host_behind_the_gateway_gets_a_page_too(self):
        """The plugin speaks the document's API, and an application may be set to a way without a token."""
        key = new_app(self.config, "static-qr", "--account", "midtrans", "--channel", "qris")
        settings = {"gateway_url": f"http://127.0.0.1:{self.gateway.port}", "app_code": "static-qr", "api_key": key}
        config = {"engine": {"plugins": str(TARGET), "journal": "none"}, "providers": {"midtrans": settings}}
        order = new_order()
        with bayar.Engine(config) as engine:
            made = engine.charge("midtrans", {"order_id": order, "amount": 150000}, key=order)
        self.assertEqual((made["status"], made["instruction"]["kind"]), ("pending", "redirect"))
        self.assertEqual(self.page(self.path(made["instruction"]["url"])).standing, "waiting")


class NoMethodYet(Pay):
    """Midtrans knows no transaction of a Snap page before its payer chooses how to pay."""

    def unchosen(self):
        params = {"order_id": new_order(), "amount": 150000, "expires_in": 7200}
        made = self.client.post("/v1/charges", params, key=new_order("key"))
        self.assertEqual(made.status, 201, made)
        return made.json()

    def explained(self, answer, charge):
        document = self.refused(answer, 409, "not_possible")
        self.assertIn("has not chosen a way to pay", document["message"])
        self.assertIn("nothing was withdrawn", document["message"])
        self.assertIn(charge["expires_at"], document["message"])
        self.assertIn("take it as payable until it ends", document["advice"])
        self.assertEqual((document["stage"], document["provider"]["code"]), ("answered", "404"))
        self.assertEqual(self.client.get(f"/v1/charges/{charge['id']}").json()["status"], "pending", "it is not pretended")

    def choose(self, url, method):
        """As the payer does on Snap's page."""
        page = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(page.netloc)
        self.addCleanup(connection.close)
        connection.request("POST", page.path, f"method={method}", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(connection.getresponse().status, 303)

    def test_cancel(self):
        charge = self.unchosen()
        cancel = lambda: self.client.post(f"/v1/charges/{charge['id']}/cancel")
        self.explained(cancel(), charge)
        self.explained(cancel(), charge)
        # When the payer has chosen, the same call cancels: a refusal is not for ever.
        self.choose(charge["instruction"]["url"], "bca_va")
        answer = cancel()
        self.assertEqual((answer.status, answer.json().get("status")), (200, "cancelled"), answer)
        self.assertEqual(cancel().status, 200, "and twice is once")

    def test_expire(self):
        charge = self.unchosen()
        answer = self.client.post("/v1/accounts/midtrans/operations/expire", {"reference": charge["reference"]}, key=new_order("key"))
        self.explained(answer, charge)

    def test_without_a_time_of_its_own_the_usual_one_is_named(self):
        order, _ = self.charged()
        document = self.client.post(f"/v1/charges/{self.known(order)['id']}/cancel").json()
        self.assertIn("24 hours after it was made", document["message"])

    def test_an_order_that_there_is_not(self):
        answer = self.client.post("/v1/accounts/midtrans/operations/expire", {"order_id": "nobody"}, key=new_order("key"))
        self.refused(answer, 404, "order_not_found")


del Pay, Case, Gateway
