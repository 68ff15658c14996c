"""The payment box in a real browser: looked at, clicked, paid."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import world
from world import Case

NEEDED = ["selenium", "zxing-cpp", "pillow"]
# Where a person may look at them afterwards.
SHOTS = Path(os.environ["BAYAR_SHOTS"]) if "BAYAR_SHOTS" in os.environ else None
SIZES = {"desktop": (1280, 1000), "phone": (390, 844)}


def setUpModule():
    home = world.SHOP.home / "python"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([home / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *NEEDED], check=True)
    sys.path[:0] = map(str, home.glob("lib/python3*/site-packages"))


class Browser(Case):
    def setUp(self):
        super().setUp()
        from selenium import webdriver

        self.profile = self.shop.home / f"chromium-{time.time_ns():x}"
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
        for flag in ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.profile}", *quiet]:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.addCleanup(self.driver.quit)

    def open(self, invoice, size="desktop", language="indonesian"):
        self.resize(size)
        self.driver.get(f"{self.shop.server.url}/sign_in.php?client=1&language={language}")
        self.driver.get(f"{self.shop.server.url}/viewinvoice.php?id={invoice}")

    def resize(self, size):
        width, height = SIZES[size]
        # The window of a headless browser is no narrower than 500 pixels; its page can be.
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})

    def find(self, css):
        return self.driver.find_element("css selector", css)

    def press(self, value):
        """Presses a button of the box, and waits until its page has gone."""
        from selenium.webdriver.support.expected_conditions import staleness_of
        from selenium.webdriver.support.ui import WebDriverWait

        button = self.find(f'.bayar button[value="{value}"]')
        button.click()
        WebDriverWait(self.driver, 20).until(staleness_of(button))

    def shot(self, name):
        for size in SIZES:
            self.resize(size)
            # Nothing of the box is cut off, and the page does not scroll sideways.
            wide = self.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            self.assertLessEqual(wide, 0, f"{name}, {size}")
            if SHOTS:
                SHOTS.mkdir(parents=True, exist_ok=True)
                (SHOTS / f"{name}-{size}.png").write_bytes(self.driver.get_screenshot_as_png())
        self.resize("desktop")

    def until(self, what, wanted):
        """Waits until the page says so."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 20).until(lambda _: what() == wanted)

    def test_a_virtual_account_from_the_choice_to_paid(self):
        invoice = self.shop.invoice()
        self.open(invoice)
        self.shot("choose")
        self.press("pay midtrans/bca_va")
        shown = self.find(".bayar-number").text
        number = self.instruction(self.shop.attempt(invoice))["number"]
        self.assertEqual(shown.replace(" ", ""), number)
        self.shot("virtual-account")
        self.counts_down()
        self.copies(number)
        # In the bank's application.
        self.sandbox.act(f"INV-{invoice}-A")
        self.press("check")
        self.assertEqual(self.find("#status").get_attribute("data-status"), "Paid")
        self.assertEqual(self.driver.find_elements("css selector", ".bayar"), [])
        self.shot("paid")
        self.credited(invoice)

    def counts_down(self):
        clock = self.find(".bayar-left")
        self.assertTrue(clock.is_displayed())
        self.assertRegex(clock.text, r"^(24:00:00|23:59:\d\d)$")
        before = clock.text
        self.until(lambda: clock.text != before, True)
        self.assertLess(clock.text, before)

    def copies(self, number):
        button = self.find(f'.bayar-copy[data-copy="{number}"]')
        self.assertEqual(button.text, "Salin")
        self.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
        button.click()
        self.until(lambda: button.text, "Tersalin")
        self.assertEqual(self.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])"), number)
        self.until(lambda: button.text, "Salin")

    def test_a_qr_code_that_a_phone_can_read(self):
        import zxingcpp
        from PIL import Image

        invoice = self.shop.invoice()
        self.open(invoice)
        self.press("pay midtrans/qris")
        self.shot("qris")
        for size in SIZES:
            self.resize(size)
            picture = Image.open(io.BytesIO(self.find(".bayar-qr").screenshot_as_png))
            self.assertEqual([code.text for code in zxingcpp.read_barcodes(picture)], [self.instruction(self.shop.attempt(invoice))["text"]], size)
        self.sandbox.act(f"INV-{invoice}-A")
        self.driver.refresh()
        self.assertEqual(self.find("#status").get_attribute("data-status"), "Paid")

    def test_the_page_of_a_provider_and_back(self):
        invoice = self.shop.invoice()
        self.open(invoice)
        self.press("pay midtrans")
        self.assertTrue(self.driver.current_url.startswith(self.sandbox.url), self.driver.current_url)
        self.open(invoice, language="english")
        link = self.find(".bayar a.bayar-main")
        self.assertEqual(link.text, "Go on to the payment page")
        self.shot("page")

    def test_shop_codes_and_exact_transfers(self):
        for way, name in [("ipaymu/cstore_indomaret", "shop"), ("klink/va:008:MANDIRIMANUAL", "transfer"), ("midtrans/gopay", "wallet")]:
            invoice = self.shop.invoice()
            self.open(invoice)
            self.press(f"pay {way}")
            self.assertTrue(self.find(".bayar-state").is_displayed())
            self.shot(name)

    def test_without_javascript_all_but_countdown_and_copying(self):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        invoice = self.shop.invoice()
        self.open(invoice, size="phone")
        self.press("pay midtrans/bca_va")
        shown = self.find(".bayar-number").text
        number = self.instruction(self.shop.attempt(invoice))["number"]
        self.assertEqual(shown.replace(" ", ""), number)
        for script in (".bayar-copy", ".bayar-left"):
            self.assertFalse(self.find(script).is_displayed())
        self.sandbox.act(f"INV-{invoice}-A")
        self.press("check")
        self.assertEqual(self.find("#status").get_attribute("data-status"), "Paid")

    def test_it_can_be_used_by_keyboard(self):
        from selenium.webdriver.common.keys import Keys

        invoice = self.shop.invoice()
        self.open(invoice)
        self.driver.execute_script("document.querySelector('.bayar').scrollIntoView()")
        self.find("body").send_keys(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("value"), "pay midtrans")
        self.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = self.driver.switch_to.active_element
        self.assertEqual(active.get_attribute("value"), "pay midtrans/qris")
        self.assertNotEqual(active.value_of_css_property("outline-style"), "none")
        active.send_keys(Keys.ENTER)
        self.assertTrue(self.find(".bayar-qr svg").is_displayed())
