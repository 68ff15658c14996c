"""The ways in which one exchange breaks. Each is called with the faulty provider, the connection
and the request, and says whether the connection goes on. `executes` tells whether the sandbox
carried the request out."""

import select
import socket

from faulty import message, reset

PAGE = b"<!doctype html><html><body>We will be back soon</body></html>"


class Breakage:
    executes = False

    def take(self, connection, request):
        connection.recv(len(request), socket.MSG_WAITALL)


class RequestCut(Breakage):
    """Reads so much of the request, then resets."""

    def __init__(self, place):
        self.place = place

    def __call__(self, provider, connection, request):
        head = request.index(b"\r\n\r\n") + 4
        line = request.index(b"\r\n")
        length = {
            "first byte": 1,
            "in the request line": line // 2,
            "in the header": (line + head) // 2,
            "before the body": head,
            "in the body": (head + len(request)) // 2,
            "before the last byte": len(request) - 1,
            "whole": len(request),
        }[self.place]
        connection.recv(length, socket.MSG_WAITALL)
        reset(connection)
        return False


class AnswerCut(Breakage):
    """Sends so much of the answer, then resets or closes."""

    executes = True

    def __init__(self, place, by):
        self.place, self.by = place, by

    def __call__(self, provider, connection, request):
        self.take(connection, request)
        answer = provider.forward(request)
        head = answer.index(b"\r\n\r\n") + 4
        length = {
            "before it": 0,
            "first byte": 1,
            "in the status line": 11,
            "in the header": head // 2,
            "before the header's last byte": head - 1,
            "before the body": head,
            "first byte of the body": head + 1,
            "in the body": (head + len(answer)) // 2,
            "before the last byte": len(answer) - 1,
        }[self.place]
        connection.sendall(answer[:length])
        if self.by == "reset":
            reset(connection)
        return False


class Drip(Breakage):
    """Sends a byte of the answer now and then, until the client has had enough."""

    executes = True

    def __call__(self, provider, connection, request):
        self.take(connection, request)
        for byte in provider.forward(request):
            connection.sendall(bytes([byte]))
            if select.select([connection], [], [], 0.05)[0]:
                break
        return False


class Answers(Breakage):
    """Answers this instead of what the provider says."""

    def __init__(self, status, body=b"{}", kind="application/json", headers=(), executes=True):
        self.answer, self.executes = message(status, body, kind, headers), executes

    def __call__(self, provider, connection, request):
        self.take(connection, request)
        if self.executes:
            provider.forward(request)
        connection.sendall(self.answer)
        return True


class Says(Breakage):
    """Answers with one text in place of another."""

    executes = True

    def __init__(self, found, instead):
        self.found, self.instead = found.encode(), instead.encode()

    def __call__(self, provider, connection, request):
        self.take(connection, request)
        answer = provider.forward(request)
        assert self.found in answer and len(self.found) == len(self.instead), answer
        connection.sendall(answer.replace(self.found, self.instead))
        return True


REQUEST_PLACES = ["first byte", "in the request line", "in the header", "before the body", "in the body", "before the last byte", "whole"]
ANSWER_PLACES = ["before it", "first byte", "in the status line", "in the header", "before the header's last byte", "before the body", "first byte of the body", "in the body", "before the last byte"]

#: By name, how each is made for an order's reference.
ALL = {
    **{f"request cut: {place}": (lambda _, place=place: RequestCut(place)) for place in REQUEST_PLACES},
    **{f"answer reset: {place}": (lambda _, place=place: AnswerCut(place, "reset")) for place in ANSWER_PLACES},
    **{f"answer truncated: {place}": (lambda _, place=place: AnswerCut(place, "close")) for place in ANSWER_PLACES},
    "drip past the deadline": lambda _: Drip(),
    **{f"{status} executed": (lambda _, status=status: Answers(status)) for status in (500, 503, 429)},
    **{f"{status} not executed": (lambda _, status=status: Answers(status, executes=False)) for status in (500, 503, 429)},
    **{f"{status} with a page": (lambda _, status=status: Answers(status, PAGE, "text/html")) for status in (200, 502, 503)},
    **{f"{status} to another place": (lambda _, status=status: Answers(status, PAGE, "text/html", ["location: /elsewhere"])) for status in (301, 302, 307)},
    "not JSON": lambda _: Answers(200, b'{"status": "succ'),
    "nothing in the body": lambda _: Answers(200, b""),
    "another JSON": lambda _: Answers(200, b"[]"),
    "an empty object": lambda _: Answers(200, b"{}"),
    "null": lambda _: Answers(200, b"null"),
    "a wrong echo": lambda order: Says(order, order[:-1] + "0"),
}
