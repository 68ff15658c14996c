"""The dashboard, used by a person with Chromium: without scripts, by what stands on the pages."""

import hashlib
import hmac
import json
import os
import re
import unittest
import urllib.request
from pathlib import Path

from person import PASSWORD, Authenticator, Browser, MailServer, set_up
from world import TARGET, Client, Gateway, Receiver, World, until

PICTURES = os.environ.get("BAYAR_PICTURES")
AXE = Path(os.environ["BAYAR_AXE"]).read_text()

PAGES = ["", "/payments", "/reviews", "/deliveries", "/providers", "/apps", "/apps/new", "/apps/biling", "/people", "/audit", "/me"]


class Dashboard(unittest.TestCase):
    """One gateway; each test takes it a step further, in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.stop)
        cls.mails = MailServer()
        cls.addClassCleanup(cls.mails.stop)
        cls.config = cls.world.config(
            allow_private_callbacks=True,
            review_two_people_above=100_000,
            public_url="https://pay.example.com",
            smtp=f"smtp://127.0.0.1:{cls.mails.port}",
            mail_from="Bayar <bayar@example.com>",
        )
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.ani, cls.codes = set_up(TARGET / "bayar", cls.config, "Ani Lestari", "ani@example.com")
        cls.gateway = Gateway(cls.config)
        cls.addClassCleanup(cls.gateway.stop)
        cls.browser = cls.opened()
        cls.keys = []

    @classmethod
    def opened(cls, **more):
        # Chromium keeps a cookie for TLS alone also on this machine without it.
        browser = Browser(f"http://localhost:{cls.gateway.port}", **more)
        cls.addClassCleanup(browser.close)
        return browser

    def says(self, text, css="main"):
        self.assertIn(text, self.browser.text(css))

    def picture(self, name):
        if PICTURES:
            Path(PICTURES).mkdir(exist_ok=True)
            self.browser.picture(name, PICTURES)

    def client(self):
        return Client(self.gateway.port, "biling", self.keys[-1])

    def order(self, path):
        """Opens a payment by searching for its order."""
        self.browser.open(f"/dashboard/payments?q={path}")
        self.browser.follow(self.browser.one("tbody th a"))

    def test_01_nobody_gets_in_without_all_three(self):
        browser = self.browser
        browser.open("/")
        self.assertTrue(browser.driver.current_url.endswith("/dashboard/sign-in"))
        self.picture("sign-in")
        refusal = "E-mail address, password or code are not right"
        for email, password, code in [
            ("ani@example.com", "not the password", self.ani.code()),
            ("ani@example.com", PASSWORD, "000000"),
            ("budi@example.com", PASSWORD, "123456"),
        ]:
            browser.sign_in(email, password, code)
            self.says(refusal)
            self.assertEqual(browser.driver.get_cookies(), [])
        # The code that was given with a wrong password was not used up: it is used now.
        self.ani.used -= 1
        code = self.ani.code()
        browser.sign_in("Ani@Example.com", PASSWORD, code)
        self.assertEqual(browser.text("h1"), "Overview")
        (cookie,) = browser.driver.get_cookies()
        self.assertEqual(
            {name: cookie[name] for name in ("name", "path", "secure", "httpOnly", "sameSite")},
            {"name": "__Host-bayar", "path": "/", "secure": True, "httpOnly": True, "sameSite": "Strict"},
        )
        browser.press("Sign out")
        browser.driver.add_cookie({name: cookie[name] for name in ("name", "value", "path", "secure", "httpOnly", "sameSite")})
        browser.open("/dashboard/payments")
        self.assertEqual(browser.text("h1"), "Sign in", "a session that ended opens nothing")
        browser.fill(email="ani@example.com", password=PASSWORD, code=code)
        browser.press("Sign in")
        self.says(refusal)
        # A recovery code takes the place of a code, once; and it leads to where one wanted to go.
        browser.fill(email="ani@example.com", password=PASSWORD, code=self.codes[0].upper())
        browser.press("Sign in")
        self.assertEqual(browser.text("h1"), "Payments")

    def test_02_an_application_and_its_key(self):
        browser = self.browser
        browser.open("/dashboard/apps")
        browser.press("New application")
        browser.fill(code="biling", name="Billing", account="midtrans", callback_url=self.receiver.url)
        self.picture("app-new")
        browser.fill(operations="transfers")
        browser.press("Make the application")
        self.says("did you mean transfer?")
        browser.fill(operations="")
        browser.press("Make the application")
        self.assertEqual(browser.text("h1"), "biling")
        browser.press("Create a key")
        self.says("It is shown now and never again")
        self.keys.append(browser.text("#x-api-key"))
        self.picture("key")
        browser.press("I have kept it")
        self.assertNotIn(self.keys[0], browser.driver.page_source)
        self.says(f"…{self.keys[0][-4:]}")

    def test_03_a_payment_is_made_paid_and_told(self):
        browser = self.browser
        for order, amount, channel in [("INV-1", 150_000, "qris"), ("INV-2", 99_000, "bca_va"), ("INV-3", 1_250_000, None)]:
            body = {"order_id": order, "amount": amount, "customer": {"name": "Budi Santoso", "email": "budi@example.com"}}
            answer = self.client().post("/v1/charges", {**body, **({"channel": channel} if channel else {})}, key=order)
            self.assertEqual(answer.status, 201, answer)
        browser.open("/dashboard/payments")
        self.assertEqual([one.text for one in browser.all("tbody th")], ["INV-3", "INV-2", "INV-1"])
        self.says("midtrans · payer chooses")
        self.order("INV-1")
        self.says("pending", ".sum")
        self.says("Budi Santoso")
        for name in ("QR text", "QR picture"):
            self.says(name)
        self.assertNotIn("image_url", browser.text("main"))
        # For whoever helps a payer on the phone.
        (charge,) = self.client().get("/v1/charges?order_id=INV-1").json()["data"]
        self.says(charge["pay_url"])
        self.assertEqual(browser.one("dd a[rel=noreferrer]").get_attribute("href"), charge["pay_url"])
        self.world.control.act("INV-1")
        browser.press("Ask the provider now")
        self.says("The provider was asked")
        self.says("paid", ".sum")
        self.says("E2", ".timeline")
        (_, told), = until(lambda: self.receiver.of("INV-1"), "the application is told")
        self.assertEqual(told["type"], "charge.paid")
        self.picture("payment")

    def test_04_a_delivery_is_sent_again(self):
        browser = self.browser
        browser.open("/dashboard/deliveries")
        self.says("INV-1", "tbody th")
        browser.follow(browser.one("tbody th a"))
        self.assertEqual(browser.text("h1"), "charge.paid")
        before = len(self.receiver.all())
        browser.press("Send again now")
        self.says("It is sent again now.")
        again = until(lambda: self.receiver.all()[before:], "it comes again")
        first = self.receiver.of("INV-1")[0][0]
        self.assertEqual(again[0]["headers"]["webhook-id"], first["headers"]["webhook-id"])

        def tried_twice():
            browser.driver.refresh()
            return len(browser.all("main table tbody tr")) == 2

        until(tried_twice, "both tries are listed")
        self.picture("delivery")

    def test_05_money_is_given_back_when_the_amount_is_typed_again(self):
        browser = self.browser
        self.order("INV-1")
        browser.press("Refund …")
        browser.fill(amount="50.000", again="5000", reason="a wrong item")
        browser.press("Give the money back")
        self.says("The amount that was typed again is not Rp 50.000")
        self.says("Nothing was sent to the provider. Correct it and send the form again.")
        self.picture("refund")
        browser.fill(amount="50.000", again="50000")
        browser.press("Give the money back")
        self.says("The money is on its way back.")
        self.says("partly refunded", ".sum")
        orders = self.world.control.get("midtrans/INV-1")
        self.assertEqual(orders["executed"].get("refund"), 1, orders)
        browser.open("/dashboard/audit")
        self.says("payment.refund")
        self.says("50000: a wrong item")
        # What is open is cancelled, likewise.
        self.order("INV-2")
        browser.press("Cancel …")
        browser.fill(again="99000", reason="ordered twice")
        browser.press("Cancel the payment")
        self.says("The payment was cancelled.")
        # What its payer has not begun cannot be, and that is said; once begun, the same form cancels it.
        made = self.client().post("/charge", {"order_id": "INV-OPEN", "amount": 70000})
        self.assertEqual(made.status, 201, made)
        self.order("INV-OPEN")
        browser.press("Cancel …")
        browser.fill(again="70000", reason="ordered twice")
        browser.press("Cancel the payment")
        self.says("has not chosen a way to pay on this order's page yet")
        self.picture("cancel-not-begun")
        chosen = urllib.request.Request(made.json()["redirect_url"], b"method=bca_va")
        urllib.request.urlopen(chosen).close()
        browser.fill(again="70000", reason="ordered twice")
        browser.press("Cancel the payment")
        self.says("The payment was cancelled.")

    def doubtful(self, order, amount):
        """A payment of which K-Link says that another amount was paid; its callback goes to the address
        that the dashboard shows."""
        customer = {"name": "Budi Santoso", "email": "budi@example.com", "phone": "081234567890"}
        body = {"order_id": order, "amount": amount, "account": "klink", "channel": "va:014:BCAATM", "customer": customer}
        made = self.client().post("/v1/charges", body, key=order)
        self.assertEqual(made.status, 201, made)
        self.world.control.act(order, provider="klink")
        sent = self.world.control.callback(order, "klink")
        said = json.loads(sent["body"])
        self.assertIn("tot_bayar", said)
        raw = json.dumps({**said, "tot_bayar": str(amount - 1000)}).encode()
        key = re.search(r'pid_key = "(.*)"', self.config.read_text()).group(1)
        signature = hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()
        headers = [(name, signature if name.lower() == "x-servicepayment" else value) for name, value in sent["headers"]]
        self.browser.open("/dashboard/providers")
        shown = re.search(r"https://pay\.example\.com(/callbacks/klink/\S+)", self.browser.text("main")).group(1)
        answer = Client(self.gateway.port).post(shown, raw, headers=headers)
        self.assertEqual(answer.status, 200, answer)

    def test_06_one_person_decides_what_is_small(self):
        browser = self.browser
        self.doubtful("KL-1", 50_000)
        mail = until(lambda: [mail for mail in self.mails.all() if "KL-1" in mail], "a mail tells of it")[0]
        self.assertIn("To: ani@example.com", mail)
        self.assertNotIn("Budi", mail)
        intent = re.search(r"https://pay\.example\.com/dashboard/reviews/(I\w+)", mail).group(1)
        browser.open("/dashboard/reviews")
        self.says("KL-1")
        self.assertIn(intent, browser.one("tbody th a").get_attribute("href"))
        self.picture("reviews")
        browser.follow(browser.one("tbody th a"))
        browser.fill(status="paid", reason="the bank's statement says so")
        self.picture("review")
        browser.press("Decide")
        self.says("The review is decided.")
        self.says("paid", ".sum")
        self.says("ani@example.com: resolve as paid: the bank's statement says so E3", ".timeline")

    def test_07_two_people_decide_what_is_large(self):
        browser = self.browser
        browser.open("/dashboard/people")
        browser.fill(name="Budi", email="budi@example.com", role="operator")
        self.picture("people")
        browser.press("Invite")
        link = browser.text("#link")
        self.assertTrue(link.startswith("https://pay.example.com/dashboard/join/"))
        self.doubtful("KL-2", 500_000)
        browser.open("/dashboard/reviews")
        browser.follow(browser.one("tbody th a"))
        self.says("A second person has to confirm this amount.")
        browser.fill(status="paid", reason="seen at the bank")
        browser.press("Decide")
        self.says("It counts when a second person confirms it.")
        browser.follow(browser.one("tbody th a"))
        self.assertNotIn("Confirm", [button.text for button in browser.all("button")])

        other = self.opened(language="id")
        other.open(link.removeprefix("https://pay.example.com"))
        self.assertEqual(other.text("h1"), "Selamat datang, Budi")
        if PICTURES:
            other.picture("join", PICTURES)
        budi = Authenticator(other.text(".secret").replace(" ", ""))
        other.fill(password=PASSWORD, again=PASSWORD, code=budi.code())
        other.press("Bergabung")
        self.assertEqual(len(other.all(".codes li")), 10)
        other.press("Masuk")
        other.sign_in("budi@example.com", PASSWORD, budi.code())
        self.assertEqual(other.text("h1"), "Ikhtisar")
        self.assertNotIn("Orang", other.text("nav"), "people are for owners")
        other.open("/dashboard/people")
        self.assertIn("Ini memerlukan peran pemilik.", other.text("main"))
        other.open("/dashboard/reviews")
        other.follow(other.one("tbody th a"))
        if PICTURES:
            other.picture("review-confirm", PICTURES)
        other.press("Konfirmasi")
        self.assertIn("Tinjauan sudah diputuskan.", other.text("main"))
        self.assertIn("ani@example.com, budi@example.com: resolve as paid", other.text(".timeline"))

        # Whoever is locked out is out at once.
        browser.open("/dashboard/people")
        browser.press("Budi")
        browser.press("Lock out now")
        other.open("/dashboard")
        self.assertEqual(other.text("h1"), "Masuk")

    def test_08_lists_can_be_taken_away(self):
        (cookie,) = self.browser.driver.get_cookies()
        asker = Client(self.gateway.port)
        headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
        answer = asker.get("/dashboard/payments.csv?account=midtrans", headers=headers)
        lines = answer.body.decode().splitlines()
        self.assertTrue(lines[0].startswith("intent,account,"), lines[0])
        self.assertEqual(sorted(line.split(",")[6] for line in lines[1:] if ",charge," in line), ["INV-1", "INV-2", "INV-3", "INV-OPEN"])
        self.assertNotIn(b"Budi", answer.body)
        for path in ("deliveries", "audit"):
            self.assertGreater(len(asker.get(f"/dashboard/{path}.csv", headers=headers).body.splitlines()), 1)
        self.assertEqual(asker.get("/dashboard/payments.csv").status, 303)

    def test_09_every_page_says_that_no_script_may_run(self):
        headers = Client(self.gateway.port).get("/dashboard/sign-in").headers
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("script-src", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertEqual(
            [headers[name] for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control")],
            ["nosniff", "same-origin", "no-store"],
        )

    def test_10_pages_of_others_change_nothing(self):
        (cookie,) = self.browser.driver.get_cookies()
        self.browser.open("/dashboard/me")
        token = self.browser.one("input[name='token']").get_attribute("value")
        asker = Client(self.gateway.port)
        ours = {
            "Cookie": f"{cookie['name']}={cookie['value']}",
            "Host": f"localhost:{self.gateway.port}",
            "Origin": f"http://localhost:{self.gateway.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = f"token={token}&theme=dark&back=/dashboard/me"
        self.assertEqual(asker.post("/dashboard/me/look", form, headers=ours).status, 303)
        for change in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Content-Type": "text/plain"}):
            self.assertEqual(asker.post("/dashboard/me/look", form, headers={**ours, **change}).status, 403, change)
        without = {name: value for name, value in ours.items() if name != "Origin"}
        self.assertEqual(asker.post("/dashboard/me/look", form, headers=without).status, 403)
        self.assertEqual(asker.post("/dashboard/me/look", form.replace(token[:8], "00000000"), headers=ours).status, 403)

    def test_11_a_phone_and_the_dark(self):
        browser = self.browser
        self.order("INV-1")
        payment = browser.driver.current_url.removeprefix(browser.base).removeprefix("/dashboard")
        for language, width, dark in [("en", 1280, False), ("id", 360, True), ("en", 360, False), ("id", 1280, True)]:
            browser.look(width, dark)
            browser.open("/dashboard/me")
            browser.press("Indonesia" if language == "id" else "English")
            browser.press("Ikut sistem" if language == "id" else "As the system")
            self.assertEqual(browser.one("html").get_attribute("lang"), language)
            for path in [*PAGES, payment, f"{payment}/refund"]:
                browser.open(f"/dashboard{path}")
                page = browser.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
                self.assertLessEqual(page["width"], width, f"{path} is wider than the screen")
                name = path.replace(payment, "/payment").replace("/", "-") or "-overview"
                self.picture(f"{language}-{width}-{'dark' if dark else 'light'}{name}")
        browser.look(1280, False)
        browser.open("/dashboard/me")
        browser.press("English")
        # What a person chose goes before what the system says.
        browser.press("Dark")
        ground = browser.one("body").value_of_css_property("background-color")
        self.assertEqual(ground, "rgba(20, 23, 28, 1)")
        browser.press("As the system")
        self.assertEqual(browser.one("body").value_of_css_property("background-color"), "rgba(246, 247, 249, 1)")

    def test_12_nobody_is_kept_out(self):
        """axe finds nothing on any page, in light and dark."""
        checker = self.opened(scripts=True)
        checker.sign_in("ani@example.com", PASSWORD, self.codes[1])
        checker.open("/dashboard/payments?q=INV-1")
        checker.follow(checker.one("tbody th a"))
        payment = checker.driver.current_url.removeprefix(checker.base).removeprefix("/dashboard")
        for dark in (False, True):
            checker.look(1280, dark)
            for path in [*PAGES, payment, f"{payment}/refund", "/me/authenticator"]:
                checker.open(f"/dashboard{path}")
                checker.driver.execute_script(AXE)
                found = checker.driver.execute_async_script("axe.run().then(arguments[0])")["violations"]
                told = [(one["id"], one["help"], [node["html"] for node in one["nodes"]]) for one in found]
                self.assertEqual(told, [], f"{path}, {'dark' if dark else 'light'}")
        checker.press("Sign out")
        checker.driver.execute_script(AXE)
        self.assertEqual(checker.driver.execute_async_script("axe.run().then(arguments[0])")["violations"], [])

    def test_13_a_revoked_key_opens_nothing(self):
        browser = self.browser
        self.assertEqual(self.client().get("/v1/charges").status, 200)
        browser.open("/dashboard/apps/biling")
        # It asks first, and nothing has happened yet.
        browser.press("Revoke …")
        self.says("cannot be brought back")
        self.says(f"…{self.keys[-1][-4:]}")
        self.picture("revoke")
        self.assertEqual(self.client().get("/v1/charges").status, 200)
        browser.press("Back")
        browser.press("Stop the application …")
        self.says("Its keys open nothing until it is let in again")
        self.picture("stop")
        self.assertEqual(self.client().get("/v1/charges").status, 200)
        browser.press("Stop")
        self.says("This application is stopped")
        self.assertEqual(self.client().get("/v1/charges").status, 401)
        browser.press("Let its keys open again")
        self.assertEqual(self.client().get("/v1/charges").status, 200)
        browser.press("Revoke …")
        browser.press("Revoke")
        self.says("The key opens nothing any more.")
        self.assertEqual(self.client().get("/v1/charges").status, 401)

    def test_14_who_tries_too_often_waits(self):
        stranger = self.opened()
        for _ in range(10):
            stranger.sign_in("ani@example.com", "a guess of somebody's", "123456")
        self.assertIn("not right", stranger.text("main"))
        # Where Ani has signed in from before she is not locked out; all of them are on this machine.
        stranger.sign_in("cici@example.com", "a guess of somebody's", "123456")
        self.assertIn("not right", stranger.text("main"))
        stranger.sign_in("ani@example.com", "a guess of somebody's", "123456")
        self.assertIn("Too many tries", stranger.text("main"))
        stranger.sign_in("ani@example.com", PASSWORD, self.codes[2])
        self.assertIn("Too many tries", stranger.text("main"))


if __name__ == "__main__":
    unittest.main()
