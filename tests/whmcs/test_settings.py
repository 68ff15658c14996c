"""What the shop's people type in, and what they are told."""

import difflib
import json
import os
import re
from pathlib import Path

from shop import CREDENTIALS
from world import Case

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"


class Snapshots(Case):
    """What WHMCS is given. BAYAR_BLESS=1 writes them anew."""

    def same(self, name, text):
        file = SNAPSHOTS / name
        if os.environ.get("BAYAR_BLESS"):
            file.write_text(text)
        expected = file.read_text() if file.exists() else ""
        self.assertEqual(expected, text, "\n".join(difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "found", lineterm="")))

    def test_config(self):
        for language in ("english", "indonesian"):
            self.addCleanup(self.shop.sql, "UPDATE tblconfiguration SET value = 'english' WHERE setting = 'Language'")
            self.shop.sql(f"UPDATE tblconfiguration SET value = '{language}' WHERE setting = 'Language'")
            config = {"MetaData": self.shop.drive("bayar_MetaData"), "config": self.shop.drive("bayar_config")}
            self.same(f"config.{language}.json", json.dumps(config, indent=1, ensure_ascii=False).replace(str(self.shop.home), "HOME").replace(self.shop.server.url, "https://shop.example.com") + "\n")

    def test_link(self):
        ways = ["choose", "midtrans", "midtrans/bca_va", "midtrans/qris", "midtrans/gopay", "klink/va:008:MANDIRIMANUAL", "ipaymu/cstore_indomaret"]
        for way in ways:
            invoice = self.shop.invoice()
            if way != "choose":
                self.shop.pay(invoice, way)
            self.same(f"link.{re.sub('[^a-z0-9_]+', '-', way.lower())}.html", self.plain(self.shop.box(invoice), invoice))

    def plain(self, box, invoice):
        """Without style and script, one element a line, and without what differs from run to run."""
        box = re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", box, flags=re.S)
        attempt = self.shop.attempt(invoice) or {}
        how = json.loads(attempt.get("instruction") or "{}")
        for shown in (how.get("url"), how.get("code"), how.get("number")):
            if shown:
                box = box.replace(shown, "SHOWN").replace(" ".join(shown[at : at + 4] for at in range(0, len(shown), 4)), "S H O W N")
        if attempt and attempt["payable_amount"] != attempt["amount"]:
            box = box.replace(f"{int(attempt['payable_amount']):,}".replace(",", "."), "EXACT").replace(attempt["payable_amount"], "EXACT")
        box = box.replace(self.shop.server.url, "https://shop.example.com").replace(self.sandbox.url, "https://sandbox.example.com")
        box = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", box)
        box = re.sub(r'(name="quote" value=")[^"]+', r"\1QUOTE", box)
        box = re.sub(r'(<path d=")[^"]+', r"\1CODE", box)
        box = re.sub(r'data-until="\d+"', 'data-until="UNTIL"', box)
        box = re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d WIB", "MOMENT", box)
        return box.replace("><", ">\n<") + "\n"


class Engines(Case):
    def test_a_configuration_file(self):
        file = self.shop.home / "bayar.toml"
        file.write_text(
            f'[engine]\njournal = "sqlite:{self.shop.home}/bayar/journal.db"\nplugins = "{self.shop.plugins}"\n'
            f'[providers.midtrans]\nserver_key = "{CREDENTIALS["midtrans_server_key"]}"\nbase_url = "{self.sandbox.url}/midtrans"\n'
        )
        self.change(engine="file", config_file=str(file), **{name: None for name in CREDENTIALS})
        invoice = self.shop.invoice()
        self.sandbox.act(self.shop.pay(invoice, "midtrans/qris")["order_id"])
        self.credited(invoice)

    def test_without_channels_the_pages_of_the_providers_are_offered(self):
        self.change(channels="")
        self.assertEqual(re.findall(r'value="pay ([^"]+)"', self.shop.box(self.shop.invoice())), ["midtrans", "ipaymu", "duitku"])

    def test_one_way_is_one_button_that_needs_no_choice(self):
        self.change(channels="# only this\n\nmidtrans/qris = QRIS semua bank\n")
        invoice = self.shop.invoice()
        box = self.shop.box(invoice)
        self.assertIn("QRIS semua bank", box)
        self.assertIn('type="hidden" name="do" value="pay midtrans/qris"', box)

    def test_without_anything_payers_read_a_sentence_and_the_shop_is_told(self):
        self.change(channels="midtrans/qris", **{name: None for name in CREDENTIALS})
        invoice = self.shop.invoice()
        self.assertEqual(self.shop.press(invoice, "pay midtrans/qris").status, 303)
        self.assertIsNone(self.shop.attempt(invoice))
        self.told("No credentials of a provider are set")
        self.change(channels="")
        self.assertIn("not available just now", self.shop.box(invoice))

    def test_a_setting_that_cannot_be_used_is_named(self):
        wrong = {
            "prefix": ("1NV", "The prefix is '1NV'"),
            "expires": ("0", "after '0' hours"),
            "engine": ("elsewhere", "allowed are: here, file, daemon, gateway"),
            "midtrans_server_key": ("env:NOT_THERE", "NOT_THERE"),
        }
        for name, (value, said) in wrong.items():
            with self.subTest(name=name):
                invoice = self.shop.invoice()
                box = self.shop.box(invoice)
                self.change(**{name: value})
                self.shop.press(invoice, "pay midtrans/qris", box)
                self.told(said)
                self.doCleanups()

    def told(self, words):
        descriptions = [row["description"] for row in self.shop.reminders("Payments by Bayar do not work")]
        self.assertTrue(any(words in text for text in descriptions), descriptions)
        self.shop.sql("DELETE FROM tbltodolist WHERE title LIKE 'Payments by Bayar%'")


class Journal(Case):
    def test_it_lies_beside_the_web_root_and_is_nobody_elses(self):
        self.shop.pay(self.shop.invoice(), "midtrans/qris")
        folder = self.shop.home / "bayar"
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertEqual((folder / "journal.db").stat().st_mode & 0o777, 0o600)

    def test_where_a_browser_could_fetch_it_it_is_refused(self):
        inside = self.shop.root / "data"
        link = self.shop.home / "looks-safe"
        link.symlink_to(self.shop.root / "modules")
        self.addCleanup(link.unlink)
        refused = {
            str(inside): "which the web server hands out",
            str(self.shop.root): "which the web server hands out",
            f"{link}/journal": "which the web server hands out",
            f"{self.shop.home}/bayar/../public_html/x": "an absolute path without '..'",
            "journal": "an absolute path without '..'",
            "/proc/nothing/here": "cannot be made",
        }
        for folder, why in refused.items():
            with self.subTest(folder=folder):
                self.change(journal=folder)
                invoice = self.shop.invoice()
                self.shop.press(invoice, "pay midtrans/qris")
                self.assertIsNone(self.shop.attempt(invoice))
                [reminder] = self.shop.reminders("Payments by Bayar do not work")
                self.assertIn(why, reminder["description"])
                self.shop.sql("DELETE FROM tbltodolist WHERE title LIKE 'Payments by Bayar%'")
        self.assertFalse(inside.exists())

    def test_another_folder_outside(self):
        folder = self.shop.home / "private" / "bayar"
        self.change(journal=str(folder))
        self.shop.pay(self.shop.invoice(), "midtrans/qris")
        self.assertTrue((folder / "journal.db").exists())


class Aliases(Case):
    def test_an_alias_offers_its_one_way_and_credits_under_its_own_name(self):
        name = "bayar_klink_va_014_bcaatm"
        file = self.shop.root / f"modules/gateways/{name}.php"
        file.write_text((self.shop.package / f"aliases/{name}.php").read_text())
        self.addCleanup(file.unlink)
        self.shop.activate(name)
        invoice = self.shop.invoice(gateway=name)
        box = self.shop.box(invoice)
        self.assertEqual(re.findall(r'value="pay ([^"]+)"', box), ["klink/va:014:BCAATM"])
        self.shop.press(invoice, "pay midtrans/qris", box)
        self.assertIsNone(self.shop.attempt(invoice))
        self.sandbox.act(self.shop.pay(invoice, "klink/va:014:BCAATM")["order_id"], provider="klink")
        self.assertEqual(self.credited(invoice)[0]["gateway"], name)

    def test_one_is_made_on_the_command_line(self):
        made = self.shop.run("modules/gateways/bayar/alias.php", "klink/midtrans:gopay:e_money = GoPay lewat K-Link").strip()
        self.addCleanup(Path(made).unlink)
        self.assertEqual(made, str(self.shop.root / "modules/gateways/bayar_klink_midtrans_gopay_e_money.php"))
        self.assertIn("'GoPay lewat K-Link'", Path(made).read_text())
        self.shop.run("-l", made)

    def test_it_is_not_for_browsers(self):
        self.assertEqual(self.shop.browser.get(f"{self.shop.server.url}/modules/gateways/bayar/alias.php").status, 404)
