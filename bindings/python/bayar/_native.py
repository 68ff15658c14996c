"""libbayar.so: where it is, its functions, and what it hands out.

Everything that the library gives is held by an object that frees it once: a document for the
length of one function, a handle or an operation as long as anything refers to it. There is no
lock here, so nothing of this file can hang in a forked child.
"""

from __future__ import annotations

import ctypes
import json
import os
import sysconfig
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_uint32, c_void_p
from typing import Any, Dict, List, Optional, Tuple

from ._errors import error_of, refused

#: The version of the ABI that this file is written for.
ABI = 1

NEED_HTTP = 1
WAIT = 2

#: For :meth:`bayar.Operation.failure`: certainly no byte of the request was written.
NOT_SENT = 1
#: For :meth:`bayar.Operation.failure`: anything else.
MAYBE_SENT = 2

_OUT = POINTER(c_void_p)
_TEXT = (c_char_p, c_size_t)

#: ``bayar_log_fn``. Never used from Python: records are drained instead, for a callback into
#: the interpreter from inside a call would be one more way to meet a lock.
LOG_FN = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p, c_char_p)

#: Every function of include/bayar.ffi.h: what it returns and takes. A test compares the two.
FUNCTIONS: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "bayar_abi_version": (c_uint32, ()),
    "bayar_version": (c_char_p, ()),
    "bayar_status_name": (c_char_p, (c_int32,)),
    "bayar_engine_open": (c_int32, (c_uint32, *_TEXT, _OUT, _OUT)),
    "bayar_engine_free": (None, (c_void_p,)),
    "bayar_describe": (c_int32, (c_void_p, c_char_p, _OUT)),
    "bayar_call": (c_int32, (c_void_p, c_char_p, c_char_p, *_TEXT, _OUT)),
    "bayar_callback": (c_int32, (c_void_p, c_char_p, *_TEXT, c_void_p, c_size_t, _OUT)),
    "bayar_set_log": (c_int32, (c_void_p, c_int32, LOG_FN, c_void_p)),
    "bayar_drain_log": (c_int32, (c_void_p, _OUT)),
    "bayar_op_start": (c_int32, (c_void_p, c_char_p, c_char_p, *_TEXT, _OUT, _OUT)),
    "bayar_op_callback": (c_int32, (c_void_p, c_char_p, *_TEXT, c_void_p, c_size_t, _OUT, _OUT)),
    "bayar_op_next": (c_int32, (c_void_p, _OUT)),
    "bayar_op_response": (c_int32, (c_void_p, c_uint32, c_int32, *_TEXT, c_void_p, c_size_t, _OUT)),
    "bayar_op_failure": (c_int32, (c_void_p, c_uint32, c_int32, c_char_p, _OUT)),
    "bayar_op_free": (None, (c_void_p,)),
    # Addresses, not strings: ctypes would copy them up to the first NUL.
    "bayar_doc_json": (c_void_p, (c_void_p,)),
    "bayar_doc_json_len": (c_size_t, (c_void_p,)),
    "bayar_doc_body": (c_void_p, (c_void_p, POINTER(c_size_t))),
    "bayar_doc_free": (None, (c_void_p,)),
}


class Library:
    """One loaded libbayar.so."""

    def __init__(self, path: str) -> None:
        try:
            self.c = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL)
            for name, (result, arguments) in FUNCTIONS.items():
                function = getattr(self.c, name)
                function.restype, function.argtypes = result, list(arguments)
        except (OSError, AttributeError) as error:
            raise refused(
                "library_not_found",
                f"{path} is no libbayar of this machine: {error}",
                "Install the library that belongs to this package.",
            ) from None
        if self.c.bayar_abi_version() != ABI:
            found = self.c.bayar_abi_version()
            raise refused(
                "abi_mismatch",
                f"{path} speaks ABI {found}, this package speaks {ABI}",
                "Install package and library of one version.",
            )
        self.path = path
        self.version: str = self.c.bayar_version().decode()

    def take(self, doc: c_void_p) -> Tuple[Dict[str, Any], bytes]:
        """Reads a document and the bytes beside it, and frees it."""
        try:
            text = ctypes.string_at(self.c.bayar_doc_json(doc), self.c.bayar_doc_json_len(doc))
            length = c_size_t()
            body = self.c.bayar_doc_body(doc, ctypes.byref(length))
            return json.loads(text), ctypes.string_at(body, length.value) if body else b""
        finally:
            self.c.bayar_doc_free(doc)

    def call(self, name: str, *arguments: Any) -> Dict[str, Any]:
        """Calls a function whose last argument takes its document, and reads that."""
        return self.step(name, *arguments)[1]

    def step(self, name: str, *arguments: Any) -> Tuple[int, Dict[str, Any], bytes]:
        """The same, with the status and the bytes beside the document."""
        out = c_void_p()
        status = getattr(self.c, name)(*arguments, ctypes.byref(out))
        document, body = self.take(out) if out else ({}, b"")
        if status < 0:
            raise self.error(status, document)
        return status, document, body

    def make(self, name: str, *arguments: Any) -> c_void_p:
        """Calls a function that gives an object, or an error document."""
        out, err = c_void_p(), c_void_p()
        status = getattr(self.c, name)(*arguments, ctypes.byref(out), ctypes.byref(err))
        document = self.take(err)[0] if err else {}
        if status < 0:
            raise self.error(status, document)
        return out

    def error(self, status: int, document: Dict[str, Any]) -> Exception:
        name = self.c.bayar_status_name(status).decode()
        return error_of({"code": name, "message": "the library gave no reason", **document})


class Held:
    """An object of the library, freed when nothing refers to it any more.

    A call keeps a reference for its duration, so that closing an engine while another thread
    is in a call frees the handle after that call.
    """

    __slots__ = ("pointer", "_free")

    def __init__(self, pointer: c_void_p, free: Any) -> None:
        self.pointer, self._free = pointer, free

    def __del__(self) -> None:
        self._free(self.pointer)


_loaded: Dict[str, Library] = {}


def load(path: Optional[str] = None) -> Library:
    """The library at ``path``, else at BAYAR_LIB, beside this package, or of the system."""
    found = find(path)
    # Two threads that come at the same time get the same library from the linker anyway.
    return _loaded.setdefault(found, _loaded.get(found) or Library(found))


def find(path: Optional[str] = None) -> str:
    """Where the library is. What is named explicitly is taken, or refused; nothing else is tried."""
    for source, named in (("library", path), ("BAYAR_LIB", os.environ.get("BAYAR_LIB"))):
        if not named:
            continue
        named = os.fspath(named)
        if not os.path.isabs(named):
            raise refused(
                "library_not_found",
                f"{source} is {named!r}, expected an absolute path",
                "Name the library by an absolute path.",
            )
        if not os.path.isfile(named):
            raise refused(
                "library_not_found",
                f"{source} names {named}, which is not there",
                "Correct the path, or leave it out.",
            )
        return named
    tried = _places()
    for place in tried:
        if os.path.isfile(place):
            return place
    raise refused(
        "library_not_found",
        f"libbayar.so was not found; tried: {', '.join(tried)}",
        "Install it, or set BAYAR_LIB to its absolute path.",
    )


def _places() -> List[str]:
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libbayar.so")
    multiarch = sysconfig.get_config_var("MULTIARCH")
    directories = [
        "/usr/local/lib",
        *([f"/usr/lib/{multiarch}"] if multiarch else []),
        "/usr/lib64",
        "/usr/lib",
    ]
    return [beside, *(f"{directory}/libbayar.so.{ABI}" for directory in directories)]


def name(value: str, what: str) -> bytes:
    """A name as C takes it: UTF-8, ending in NUL and holding none."""
    try:
        encoded = value.encode()
    except (AttributeError, UnicodeEncodeError):
        raise refused(
            "invalid_argument",
            f"{what}: found {value!r}, expected a string",
            "Correct the program that calls the engine.",
            what,
        ) from None
    if b"\0" in encoded:
        raise refused(
            "invalid_argument",
            f"{what}: found {value!r}, which holds a NUL",
            "Correct the program that calls the engine.",
            what,
        )
    return encoded


def text(document: Any, what: str) -> Tuple[bytes, int]:
    """A document as JSON with its length. A float stays a float: the engine refuses it by name."""
    try:
        encoded = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise refused(
            "invalid_params",
            f"{what}: {error}",
            "Give strings, integers, booleans, lists and dicts; amounts as integers.",
            what,
        ) from None
    return encoded, len(encoded)
