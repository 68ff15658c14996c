"""A provider that fails where it is told to: it stands before the sandbox, hands requests on to
it, and breaks the exchange that is armed."""

import http.client
import socket
import struct
import threading
from urllib.parse import urlsplit


class Faulty:
    """Listens on a port of 127.0.0.1. Each exchange passes, except one that :meth:`arm` chose."""

    def __init__(self, behind):
        self._behind = urlsplit(behind).netloc
        self._lock = threading.Lock()
        self._open, self._armed, self.arrived = set(), [], 0
        self._port = 0
        self.listen()
        self.url = f"http://127.0.0.1:{self._port}"

    def arm(self, *faults):
        """The next exchanges meet these faults, one each; `None` passes, and so do those after them."""
        self._armed = list(faults)

    def listen(self):
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self):
        """From now on nothing listens, and what was open is closed, until :meth:`listen`."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                # Not only closed: a thread that waits for it would keep it open.
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # it was closed
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while (request := peek_request(connection)) is not None:
                with self._lock:
                    self.arrived += 1
                    fault = self._armed.pop(0) if self._armed else None
                if fault is None:
                    connection.recv(len(request), socket.MSG_WAITALL)
                    connection.sendall(self.forward(request))
                elif not fault(self, connection, request):
                    break
        except OSError:
            pass  # the client went away, which is what some of these faults make it do
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def forward(self, request):
        """Has the sandbox execute it; gives its whole answer as bytes."""
        head, _, body = request.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        headers = [tuple(part.strip() for part in one.split(":", 1)) for one in lines]
        upstream = http.client.HTTPConnection(self._behind, timeout=30)
        upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            upstream.putheader(name, value)
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        return message(answer.status, content, answer.getheader("content-type"))


def peek_request(connection):
    """The whole next request, still to be read; nothing at the end of the connection."""
    while True:
        found = connection.recv(1 << 18, socket.MSG_PEEK)
        if not found:
            return None
        head, end, body = found.partition(b"\r\n\r\n")
        if not end:
            continue
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        wanted = len(head) + 4 + int(lengths[0] if lengths else 0)
        if len(found) >= wanted:
            return found[:wanted]


def message(status, body, kind="application/json", headers=()):
    lines = [f"HTTP/1.1 {status} Said", f"content-type: {kind}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def reset(connection):
    """Closes by a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
