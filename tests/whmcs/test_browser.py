"""The payment box in a real browser: looked at, clicked, paid."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import world
from shop import Standin, free_port
from world import Case

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# Where a person may look at them afterwards.
SHOTS = Path(os.environ["BAYAR_SHOTS"]) if "BAYAR_SHOTS" in os.environ else None
SIZES = {"desktop": (1280, 1000), "phone": (390, 844)}


def setUpModule():
    """What requirements.txt names, installed once beside what was built."""
    home, wanted = world.TARGET.parent / "whmcs-venv", REQUIREMENTS.read_text()
    had = home / "requirements.txt"
    if not had.exists() or had.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS], check=True)
        had.write_text(wanted)
    sys.path[:0] = map(str, home.glob("lib/python3*/site-packages"))


class Chromium(Case):
    """A test with a browser of its own."""

    def setUp(self):
        super().setUp()
        from selenium import webdriver

        profile = self.shop.home / f"chromium-{time.time_ns():x}"
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
        for flag in ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *quiet]:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.addCleanup(self.driver.quit)

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

    def until(self, what, wanted):
        """Waits until the page says so."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 20).until(lambda _: what() == wanted)


class Box(Chromium):
    def open(self, invoice, size="desktop", language="indonesian"):
        self.resize(size)
        self.driver.get(f"{self.shop.server.url}/sign_in.php?client=1&language={language}")
        self.driver.get(f"{self.shop.server.url}/viewinvoice.php?id={invoice}")

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


class Page(Chromium):
    """docs/whmcs.md, as its reader follows it."""

    def test_from_nothing_to_a_paid_invoice(self):
        shop = Standin(world.DATABASE, "walk")
        self.addCleanup(shop.stop)
        here = {"/home/shop": str(shop.home), "target/whmcs": str(self.shop.package)}
        self.follow("copy", here)
        port = free_port()
        simulator = subprocess.Popen(["sh", "-c", f"exec {self.block('sandbox', here).strip()} --listen 127.0.0.1:{port} --quiet"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(simulator.wait)
        self.addCleanup(simulator.terminate)
        self.assertIn(f"http://127.0.0.1:{port}", simulator.stdout.readline())
        shop.activate("bayar", **self.typed(shop, f"http://127.0.0.1:{port}"))
        self.driver.get(f"{shop.url}/sign_in.php?client=1&admin=1")
        self.driver.get(f"{shop.url}/modules/gateways/bayar/check.php")
        self.assertIn("runs, version", self.find("table").text)
        invoice = shop.invoice()
        self.driver.get(f"{shop.url}/viewinvoice.php?id={invoice}")
        self.press("pay midtrans/bca_va")
        self.assertTrue(self.find(".bayar-number").is_displayed())
        self.driver.get(f"http://127.0.0.1:{port}/")
        self.find(f'[aria-label="Pay INV-{invoice}-A"]').click()
        self.until(lambda: shop.one(f"SELECT status FROM tblinvoices WHERE id = {invoice}")["status"], "Paid")
        self.driver.get(f"{shop.url}/viewinvoice.php?id={invoice}")
        self.assertEqual(self.find("#status").get_attribute("data-status"), "Paid")
        self.assertEqual(self.follow("review", here), "none\n")
        made = subprocess.run(self.block("alias", here), shell=True, cwd=shop.root, check=True, capture_output=True, text=True).stdout
        self.assertTrue(made.startswith(str(shop.root)), made)
        self.assertEqual(shop.errors(), "")

    def typed(self, shop, simulator):
        """What its table says to type in, by the names that the module gives the fields."""
        rows = re.findall(r"(?m)^\| ([^|]+) \| ([^|]+) \|$", self.text.split("<!-- test:settings -->")[1].split("\n\n")[0])[1:]
        fields = {field["FriendlyName"]: (name, field) for name, field in shop.drive("bayar_config").items() if "FriendlyName" in field}
        values = {}
        for label, value in rows:
            name, field = fields[label]
            quoted = re.findall(r"`([^`]+)`", value)
            if field["Type"] == "dropdown":
                values[name] = next(key for key, shown in field["Options"].items() if shown == value)
            else:
                values[name] = "on" if value == "ticked" else "\n".join(quoted)
        self.assertEqual(values["simulator"], "http://127.0.0.1:8400")
        return {**values, "simulator": simulator}

    @property
    def text(self):
        return (Path(__file__).parents[2] / "docs/whmcs.md").read_text()

    def block(self, name, here):
        """A block of commands, at places of ours."""
        text = re.search(rf"<!-- test:{name} -->\n```sh\n(.*?)```", self.text, re.S).group(1)
        for theirs, ours in here.items():
            text = text.replace(theirs, ours)
        return text

    def follow(self, name, here):
        return subprocess.run(["sh", "-ec", self.block(name, here)], check=True, capture_output=True, text=True).stdout
