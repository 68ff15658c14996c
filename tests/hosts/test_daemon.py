"""The daemon: the engine over a Unix socket, and over standard input and output."""

import json
import os
import signal
import socket
import stat
import struct
import subprocess
import time
import unittest

from support import CONTROL, TARGET, new_order
from test_journal import Kept

#: How long anything may take, in seconds.
LIMIT = 30


class Client:
    """One conversation, in the bytes that the protocol says."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    def ask(self, document, body=b""):
        self.send(document, body)
        return self.answer()

    def send(self, document, body=b""):
        text = json.dumps(document).encode()
        self._writer.write(struct.pack(">I", len(text)) + text + struct.pack(">I", len(body)) + body)
        self._writer.flush()

    def answer(self):
        parts = []
        for _ in range(2):
            head = self._reader.read(4)
            if len(head) < 4:
                return None
            parts.append(self._reader.read(struct.unpack(">I", head)[0]))
        return json.loads(parts[0])

    def charge(self, order):
        params = {"order_id": order, "amount": 150000, "channel": "bca_va", "key": order}
        return {"do": "call", "account": "midtrans", "operation": "charge", "params": params}


class Daemon(Kept):
    """A test with a daemon of its own."""

    def setUp(self):
        super().setUp()
        self.engine.close()
        self.path = self.config.parent / "bayar.sock"
        self.daemon = self.start()

    def start(self, *arguments):
        command = [TARGET / "bayar", "--config", self.config, "daemon", "--socket", self.path, *arguments]
        daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.addCleanup(daemon.stderr.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        self.assertIn("listens at", daemon.stderr.readline())
        return daemon

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LIMIT)
        self.addCleanup(connection.close)
        connection.connect(str(self.path))
        stream = connection.makefile("rwb")
        self.addCleanup(stream.close)
        return Client(stream, stream)

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        return self.daemon.wait(LIMIT)


class TestDaemon(Daemon):
    def test_a_charge_is_paid_called_back_and_claimed_once(self):
        client, order = self.connect(), new_order("DMN")
        self.assertEqual(client.ask({"do": "hello", "protocol": 1})["document"]["abi"], 1)
        charged = client.ask(client.charge(order))
        self.assertEqual((charged["status"], charged["document"]["status"]), (0, "pending"))
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        envelope = {"method": "POST", "path": "/", "query": "", "headers": sent["headers"]}
        question = {"do": "callback", "account": "midtrans", "envelope": envelope}
        paid = client.ask(question, sent["body"].encode())
        self.assertEqual((paid["status"], paid["document"]["status"]), (0, "paid"), paid)
        self.assertEqual(paid["document"]["acknowledgement"]["status"], 200)
        forged = client.ask(question, sent["body"].replace("150000", "150001").encode())
        self.assertEqual((forged["document"]["code"], forged["status"]), ("callback_refused", -80))
        claim = {"do": "call", "account": "bayar", "operation": "claim"}
        claim["params"] = {"intent": charged["document"]["intent"], "effect": "credit"}
        granted = [self.connect().ask(claim)["document"] for _ in range(2)]
        self.assertTrue(granted[0]["data"]["granted"])
        self.assertEqual(granted[1]["code"], "in_progress")

    def test_the_log_is_that_of_the_own_calls(self):
        client, other = self.connect(), self.connect()
        order = new_order("DMN")
        client.ask(client.charge(order))
        CONTROL.act(order)
        sent = CONTROL.callback(order)
        envelope = {"headers": sent["headers"]}
        client.ask({"do": "callback", "account": "midtrans", "envelope": envelope}, sent["body"].encode())
        self.assertEqual(other.ask({"do": "drain_log"})["document"]["records"], [])
        records = client.ask({"do": "drain_log"})["document"]["records"]
        self.assertIn(f"callback for {order} is genuine", records[-1]["message"])
        self.assertEqual(client.ask({"do": "drain_log"})["document"]["records"], [])

    def test_only_the_user_and_the_group_may_open_the_socket(self):
        mode = os.stat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(oct(stat.S_IMODE(mode)), "0o660")

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_another_user_is_refused_even_where_the_mode_is_open(self):
        os.chmod(self.path, 0o666)
        os.chmod(self.path.parent, 0o755)
        say = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); sys.stdout.buffer.write(s.recv(65536))"
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/env", "python3", "-c", say, self.path]
        said = subprocess.run(command, capture_output=True, timeout=LIMIT)
        self.assertIn(b'"code":"untrusted"', said.stdout, said.stderr)
        self.assertIn(b"--allow", said.stdout)
        self.assertEqual(self.connect().ask({"do": "hello", "protocol": 1})["status"], 0)

    def test_a_second_daemon_is_refused_and_the_first_goes_on(self):
        said = self.bayar("daemon", "--socket", self.path, ends=2)
        self.assertEqual(said, "")
        self.assertIn("another daemon serves", self.said)
        self.assertEqual(self.connect().ask({"do": "hello", "protocol": 1})["status"], 0)

    def test_what_is_left_of_a_killed_daemon_is_in_nobodys_way(self):
        self.stop(signal.SIGKILL)
        self.assertTrue(self.path.exists())
        self.daemon = self.start()
        self.assertEqual(self.connect().ask({"do": "hello", "protocol": 1})["status"], 0)

    def test_a_stop_waits_for_the_call_in_flight(self):
        client, order = self.connect(), new_order("DMN")
        fault = {"fault": "delay", "ms": 1000, "when": "after", "path_contains": "/v2/charge"}
        status, waiting = CONTROL.ask("POST", "faults", fault)
        self.assertEqual(status, 200, waiting)
        client.send(client.charge(order))
        self.wait_until_sent(order)
        self.assertEqual(self.stop(), 0)
        self.assertEqual(client.answer()["document"]["status"], "pending")
        self.assertFalse(self.path.exists())

    def wait_until_sent(self, order):
        """Until the sandbox has the request: it speaks of those that arrived."""
        end = time.monotonic() + LIMIT
        while not any(order in json.dumps(request) for request in CONTROL.get("requests?direction=in")):
            self.assertLess(time.monotonic(), end, "the request never arrived")

    def test_a_message_that_is_too_long_or_ends_early_ends_that_connection_only(self):
        for bytes_ in (struct.pack(">I", 2**20 + 1), struct.pack(">I", 10) + b"{"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(LIMIT)
                connection.connect(str(self.path))
                connection.sendall(bytes_)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(connection.recv(1), b"")
        self.assertEqual(self.connect().ask({"do": "hello", "protocol": 1})["status"], 0)


class TestOverStdio(Kept):
    def talk(self, *arguments):
        command = [TARGET / "bayar", *arguments, "daemon", "--stdio"]
        unnamed = {name: value for name, value in os.environ.items() if name != "BAYAR_CONFIG"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=unnamed)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        return Client(process.stdout, process.stdin)

    def test_the_configuration_comes_from_the_command_line(self):
        client, order = self.talk("--config", self.config), new_order("STD")
        self.assertEqual(client.ask(client.charge(order))["document"]["order_id"], order)
        refused = client.ask({"do": "open", "config": "{}"})
        self.assertEqual(refused["document"]["code"], "invalid_argument")

    def test_or_from_the_client(self):
        client, order = self.talk(), new_order("STD")
        self.assertEqual(client.ask(client.charge(order))["document"]["code"], "invalid_argument")
        self.assertEqual(client.ask({"do": "open", "config": self.config.read_text()})["status"], 0)
        self.assertEqual(client.ask(client.charge(order))["document"]["order_id"], order)


if __name__ == "__main__":
    unittest.main()
