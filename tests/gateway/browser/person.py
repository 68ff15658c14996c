"""A person at a browser: Chromium, an authenticator, and the terminal that the first owner is made at."""

import base64
import hashlib
import hmac
import os
import pty
import quopri
import re
import select
import socketserver
import struct
import tempfile
import threading
import time
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.ui import Select, WebDriverWait

PASSWORD = "kata sandi yang panjang"
#: Longer than anything takes here.
PATIENCE = 60


def code_of(secret, step):
    """The code of an authenticator (RFC 6238) in these thirty seconds."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Authenticator:
    """Gives each code once, as the gateway wants it; the next thirty seconds' code is taken early."""

    def __init__(self, secret):
        self.secret, self.used = secret, 0

    def code(self):
        now = int(time.time()) // 30
        # The step before, this one and the next are all right; waiting is for who needs a fourth.
        step = max(self.used + 1, now - 1)
        if step > now + 1:
            time.sleep((step - 1) * 30 - time.time())
        self.used = step
        return code_of(self.secret, step)


class Terminal:
    """A program at a terminal of its own: its questions are waited for and answered."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(command[0], [str(part) for part in command])
        self.shown = ""

    def asked(self, question):
        """Waits for a question; gives what was shown before it."""
        end = time.monotonic() + PATIENCE
        while question not in self.shown:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"the terminal did not ask {question!r}: {self.shown!r}")
            self.shown += self._read()
        before, self.shown = self.shown.split(question, 1)
        return before

    def answer(self, text):
        os.write(self.fd, f"{text}\n".encode())

    def end(self):
        """Waits for the program's end; gives what it showed last and how it ended."""
        while True:
            more = self._read()
            if not more:
                break
            self.shown += more
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return self.shown, os.waitstatus_to_exitcode(status)

    def _read(self):
        try:
            return os.read(self.fd, 65536).decode(errors="replace")
        except OSError:  # the program has gone
            return ""


def set_up(bayar, config, name, email, password=PASSWORD):
    """Makes an owner by `bayar serve --setup`; gives the authenticator and the recovery codes."""
    terminal = Terminal(bayar, "--config", config, "serve", "--setup")
    for question, given in [("Name: ", name), ("E-mail address: ", email), ("characters): ", password), ("again: ", password)]:
        terminal.asked(question)
        terminal.answer(given)
    shown = terminal.asked("shows now: ")
    authenticator = Authenticator(re.search(r"secret=([A-Z2-7]+)", shown).group(1))
    terminal.answer("000000")
    terminal.asked("shows now: ")
    terminal.answer(authenticator.code())
    shown, status = terminal.end()
    if status != 0 or password in shown:
        raise AssertionError(f"the setup ended with {status}: {shown}")
    return authenticator, re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", shown)


class MailServer:
    """Takes mails, and keeps them."""

    def __init__(self):
        self._mails, self._lock = [], threading.Lock()
        keep = self._keep

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 here\r\n")
                for line in self.rfile:
                    word = line[:4].upper().strip()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        keep(b"".join(iter(self.rfile.readline, b".\r\n")))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 yes\r\n")
                    if word == b"QUIT":
                        break

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Conversation)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _keep(self, mail):
        with self._lock:
            self._mails.append(quopri.decodestring(mail).decode())

    def all(self):
        with self._lock:
            return list(self._mails)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """One window of Chromium without scripts."""

    def __init__(self, base, language="en", width=1280, dark=False, scripts=False):
        self.base = base
        self._profile = tempfile.TemporaryDirectory(prefix="bayar-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--user-data-dir={self._profile.name}",
            f"--accept-lang={language}",
        ]:
            options.add_argument(argument)
        preferences = {"intl.accept_languages": language}
        if not scripts:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.look(width, dark)

    def look(self, width, dark):
        """As wide as this, and light or dark as the system would be."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})

    def open(self, path):
        self.driver.get(self.base + path)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css="body"):
        return self.one(css).text

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.one(f"[name='{name}']")
            if field.tag_name == "select":
                Select(field).select_by_value(value)
            else:
                field.clear()
                field.send_keys(value)

    def press(self, text):
        """Presses the button, or follows the link, that is called so; the next page is there afterwards."""
        found = [one for one in self.all("button, a") if one.text.strip() == text and one.is_displayed()]
        if not found:
            raise AssertionError(f"there is no {text!r} on {self.driver.current_url}: {self.text()}")
        self.follow(found[0])

    def follow(self, element):
        """Presses something that leads to another page, and waits until that is there."""
        before = self.one("html")

        def has_gone(_):
            try:
                return before.tag_name is None
            except WebDriverException:  # also while one page takes the other's place
                return True

        element.click()
        wait = WebDriverWait(self.driver, PATIENCE)
        wait.until(has_gone)
        # What stands last on a page: then all of it is there.
        wait.until(presence_of_element_located((By.CSS_SELECTOR, "footer, .languages")))

    def sign_in(self, email, password, code):
        self.open("/dashboard/sign-in")
        self.fill(email=email, password=password, code=code)
        self.follow(self.one("form button[type='submit']"))

    def picture(self, name, directory):
        """The whole page as a picture."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        Path(directory, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        return size["width"]

    def close(self):
        self.driver.quit()
        self._profile.cleanup()
