"""The pay page with Chromium: with scripts and without them, on a phone and on a desk, light and dark."""

import json
import os
import unittest
from pathlib import Path

import zxingcpp
from PIL import Image
from person import Browser
from selenium.common.exceptions import WebDriverException
from world import Client, Gateway, World, new_app, new_order, until

PICTURES = os.environ.get("BAYAR_PICTURES")
AXE = Path(os.environ["BAYAR_AXE"]).read_text()
CUSTOMER = {"first_name": "Budi", "email": "budi@example.com", "phone": "081298765432"}


class PayPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.stop)
        cls.config = cls.world.config(public_url="http://localhost:1", recover_seconds=0)
        key = new_app(cls.config, "toko", "--operations", "*", "--name", "Toko Contoh")
        cls.gateway = Gateway(cls.config)
        cls.addClassCleanup(cls.gateway.stop)
        cls.client = Client(cls.gateway.port, "toko", key)

    def opened(self, **more):
        # A clipboard is there on localhost alone.
        browser = Browser(f"http://localhost:{self.gateway.port}", **more)
        self.addCleanup(browser.close)
        return browser

    def charged(self, **more):
        order = new_order()
        made = self.client.post("/charge", {"order_id": order, "amount": 150000, "customer_details": CUSTOMER, **more})
        self.assertEqual(made.status, 201, made)
        return order, made.json(), made.json()["redirect_url"].removeprefix("http://localhost:1")

    def shows(self, browser, word):
        """Whether a page says so that may be drawn anew just now."""
        try:
            return word in browser.text("[role='status']")
        except WebDriverException:
            return False

    def picture(self, browser, name):
        if PICTURES:
            Path(PICTURES).mkdir(exist_ok=True)
            browser.picture(name, PICTURES)

    def pay(self, order):
        self.world.control.act(order)
        known = self.client.get(f"/v1/charges?order_id={order}").json()["data"][0]
        answer = self.client.get(f"/v1/charges/{known['id']}?fresh=true")
        self.assertEqual(answer.json()["status"], "paid", answer)

    def test_a_payer_without_scripts(self):
        browser = self.opened(language="id", width=390)
        _, made, path = self.charged(channel="bca_va")
        browser.open(path)
        self.assertEqual(browser.text("code"), made["instruction"]["number"])
        self.assertIn("Menunggu pembayaran", browser.text("[role='status']"))
        self.assertFalse(browser.one("button[data-copy]").is_displayed(), "nothing would copy")
        self.assertEqual(browser.one("code").value_of_css_property("user-select"), "all")
        browser.press("English")
        self.assertIn("Waiting for your payment", browser.text("[role='status']"))

    def test_without_scripts_the_browser_asks_again(self):
        browser = self.opened()
        order, _, path = self.charged(channel="bca_va")
        browser.open(path)
        self.assertIn("Waiting", browser.text("[role='status']"))
        self.pay(order)
        until(lambda: self.shows(browser, "Paid"), "the page shows it by itself")

    def test_with_scripts_the_number_is_copied_and_the_page_stays_until_it_changes(self):
        browser = self.opened(scripts=True)
        permission = {"origin": browser.base, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        browser.driver.execute_cdp_cmd("Browser.grantPermissions", permission)
        order, made, path = self.charged(channel="bca_va")
        browser.open(path)
        button = browser.one("button[data-copy]")
        button.click()
        until(lambda: button.text == "Copied", "it is said")
        self.assertEqual(browser.text("#said"), "Copied")
        self.assertEqual(browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])"), made["instruction"]["number"])
        marked = "getSelection().selectAllChildren(document.querySelector('code')); return String(getSelection())"
        self.assertEqual(browser.driver.execute_script(marked), made["instruction"]["number"], "by hand it is whole, too")
        browser.driver.execute_script("window.stayed = true; document.dispatchEvent(new Event('visibilitychange'))")
        self.assertEqual(browser.driver.execute_script("return window.stayed"), True)
        self.pay(order)
        browser.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        until(lambda: self.shows(browser, "Paid"), "the page shows it by itself")
        refused = [one for one in browser.driver.get_log("browser") if "Content Security Policy" in one["message"]]
        self.assertEqual(refused, [])

    def test_a_phone_reads_the_code(self):
        _, made, path = self.charged(channel="qris")
        for width, dark in ((390, False), (390, True), (320, True), (1280, False)):
            with self.subTest(width=width, dark=dark):
                browser = self.opened(width=width, dark=dark)
                browser.open(path)
                browser.picture("qr", self.world.path(""))
                (read,) = zxingcpp.read_barcodes(Image.open(self.world.path("qr.png")))
                self.assertEqual(read.text, made["instruction"]["text"])

    def test_everybody_can_use_it(self):
        ways = {
            "va": {"channel": "bca_va", "item_details": [{"name": "Cloud VPS Basic", "price": 75000, "quantity": 2}]},
            "mandiri": {"channel": "mandiri_va"},
            "qr": {"channel": "qris", "description": "Hosting Januari"},
            "wallet": {"channel": "gopay"},
            "shop": {"channel": "indomaret"},
            "transfer": {"provider": "ipaymu", "channel": "banktransfer_bca"},
        }
        orders = {name: self.charged(**body) for name, body in ways.items()}
        orders["paid"] = self.charged(channel="bca_va", return_url="https://shop.example.com/thanks")
        self.pay(orders["paid"][0])
        orders["nowhere"] = (None, None, "/pay/nothing")
        browser = self.opened(scripts=True)
        for width in (390, 1280):
            for dark in (False, True):
                browser.look(width, dark)
                for name, (_, _, path) in orders.items():
                    with self.subTest(name, width=width, dark=dark):
                        browser.open(f"{path}?lang={'id' if dark else 'en'}")
                        wide = browser.driver.execute_script("return document.documentElement.scrollWidth")
                        self.assertLessEqual(wide, width, "nothing sticks out")
                        self.picture(browser, f"pay-{name}-{width}{'-dark' if dark else ''}")
                        self.assertEqual(self.violations(browser), [])

    def violations(self, browser):
        """What axe finds. Run by the driver, which the page's policy does not bind."""
        browser.driver.execute_script(AXE)
        found = browser.driver.execute_async_script("axe.run().then(arguments[0])")
        return [json.dumps([one["id"], one["help"], [node["html"] for node in one["nodes"]]]) for one in found["violations"]]


if __name__ == "__main__":
    unittest.main()
