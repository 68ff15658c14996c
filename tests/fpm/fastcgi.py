"""A FastCGI client: enough of the protocol to ask PHP-FPM as a web server does, one request at a
time on a connection, which may be kept."""

import socket
import struct
from dataclasses import dataclass

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
RESPONDER, KEEP = 1, 1
HEADER = struct.Struct("!BBHHBx")
MOST = 0xFFFF


class Broken(Exception):
    """The connection ended before the answer did: the worker is gone."""


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    stderr: bytes


class Client:
    """Speaks to the pool that listens on a Unix socket."""

    def __init__(self, path, keep=False, timeout=60):
        self._path, self._keep, self._timeout = str(path), keep, timeout
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def ask(self, script, method="GET", query="", headers=(), body=b"", uri=None):
        """Has the pool run a script; gives its answer."""
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX)
            self._connection.settimeout(self._timeout)
            self._connection.connect(self._path)
        try:
            self._connection.sendall(message(parameters(script, method, query, headers, body, uri), body, self._keep))
            out, errors = self._read()
        except ConnectionError as error:
            self.close()
            raise Broken(str(error)) from error
        except BaseException:
            self.close()
            raise
        if not self._keep:
            self.close()
        return parse(out, errors)

    def _read(self):
        said = {STDOUT: bytearray(), STDERR: bytearray()}
        while True:
            _, kind, _, length, padding = HEADER.unpack(self._exactly(HEADER.size))
            content = self._exactly(length + padding)[:length]
            if kind == END:
                return bytes(said[STDOUT]), bytes(said[STDERR])
            said[kind] += content

    def _exactly(self, length):
        parts = bytearray()
        while len(parts) < length:
            part = self._connection.recv(length - len(parts))
            if not part:
                raise Broken(f"the connection ended after {len(parts)} of {length} bytes")
            parts += part
        return bytes(parts)


def parameters(script, method, query, headers, body, uri):
    """The environment of a CGI request (RFC 3875), as nginx's fastcgi_params gives it."""
    given = {
        "SCRIPT_FILENAME": str(script),
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "REQUEST_URI": uri or "/",
        "SCRIPT_NAME": uri or "/",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
    }
    for name, value in headers:
        name = name.upper().replace("-", "_")
        given[name if name == "CONTENT_TYPE" else f"HTTP_{name}"] = value
    return given


def message(given, body, keep):
    """One request as bytes."""
    pairs = b"".join(pair(name.encode(), value.encode()) for name, value in given.items())
    begin = struct.pack("!HB5x", RESPONDER, KEEP if keep else 0)
    return record(BEGIN, begin) + stream(PARAMS, pairs) + stream(STDIN, body)


def stream(kind, content):
    """A stream in records, the empty one at its end included."""
    parts = [content[at : at + MOST] for at in range(0, len(content), MOST)]
    return b"".join(record(kind, part) for part in [*parts, b""])


def record(kind, content):
    return HEADER.pack(1, kind, 1, len(content), 0) + content


def pair(name, value):
    return b"".join(length(len(one)) for one in (name, value)) + name + value


def length(number):
    return struct.pack("!B", number) if number < 128 else struct.pack("!I", number | 1 << 31)


def parse(out, errors):
    head, _, body = out.partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(int(headers.pop("status", "200").split()[0]), headers, body, errors)
