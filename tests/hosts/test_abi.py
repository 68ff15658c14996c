"""The C ABI itself: headers, exported symbols, the twin, and a C program under valgrind."""

import ctypes
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import bayar
from bayar import _errors, _native
from support import CONFIG, ROOT, TARGET, new_order

LIBRARY = TARGET / "libbayar.so"
INCLUDE = ROOT / "include"
TWIN = INCLUDE / "bayar.ffi.h"
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


def run(*command, **named):
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, **named
    ).stdout


class Compiled(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory(prefix="bayar-abi-")
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)

    def compile(self, source, program):
        link = [f"-L{TARGET}", "-lbayar", f"-Wl,-rpath,{TARGET}"]
        run("cc", "-std=c99", "-g", *STRICT, f"-I{INCLUDE}", "-o", program, source, *link)
        return program


class Headers(Compiled):
    def test_alone_and_twice_in_every_language(self):
        for compiler, language, suffix in (("cc", "c99", "c"), ("cc", "c11", "c"), ("c++", "c++11", "cpp")):
            for name, count in (("bayar.h", 1), ("bayar.h", 2), ("bayar.ffi.h", 1)):
                with self.subTest(language=language, name=name, count=count):
                    source = self.work / f"header.{suffix}"
                    # The twin has no preprocessor of its own: its user brings the types.
                    types = "#include <stddef.h>\n#include <stdint.h>\n" if name == "bayar.ffi.h" else ""
                    source.write_text(types + f"#include <{name}>\n" * count + "int unused_here;\n")
                    run(compiler, f"-std={language}", *STRICT, "-fsyntax-only", f"-I{INCLUDE}", source)

    def test_linked_from_cplusplus(self):
        source = self.work / "linked.cpp"
        source.write_text(
            "#include <bayar.h>\nint main() { return bayar_abi_version() == BAYAR_ABI ? 0 : 1; }\n"
        )
        program = self.work / "linked"
        run(
            "c++",
            "-std=c++11",
            *STRICT,
            f"-I{INCLUDE}",
            "-o",
            program,
            source,
            f"-L{TARGET}",
            "-lbayar",
            f"-Wl,-rpath,{TARGET}",
        )
        run(program)


class Library(unittest.TestCase):
    def test_exported_symbols_are_those_listed(self):
        exported = sorted(
            line.split()[-1] for line in run("nm", "-D", "--defined-only", LIBRARY).splitlines()
        )
        listed = (ROOT / "tests/hosts/symbols.txt").read_text().split()
        self.assertEqual(exported, listed, "symbols are only added within a SONAME, and then to the list")

    def test_soname_and_flags(self):
        dynamic = run("readelf", "-d", LIBRARY)
        self.assertIn("Library soname: [libbayar.so.1]", dynamic)
        self.assertRegex(dynamic, r"\(FLAGS_1\).*\bNODELETE\b")

    def test_it_needs_nothing_that_a_machine_may_lack(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", LIBRARY)))
        self.assertLessEqual(
            {name.split(".so")[0] for name in needed},
            {"libc", "libgcc_s", "libm", "libpthread", "libdl", "ld-linux-x86-64", "ld-linux-aarch64"},
        )


class Twin(unittest.TestCase):
    """include/bayar.ffi.h, Python's table and what PHP reads are the same."""

    def setUp(self):
        text = TWIN.read_text()
        self.constants = {name: int(value) for name, value in re.findall(r"\b(BAYAR_\w+) = (-?\d+)", text)}
        found = re.findall(r"(?m)^([a-z][\w ]*?\*?)\s*\b(bayar_\w+)\(([^;]*)\);", text)
        self.functions = {name: (result, self.parameters(text)) for result, name, text in found}

    @staticmethod
    def parameters(text):
        parts = [] if text.strip() == "void" else re.split(r",\s*", text)
        return [re.sub(r"\s*\w+$", "", part.strip()) for part in parts]

    TYPES = {
        "void": None,
        "uint32_t": ctypes.c_uint32,
        "int32_t": ctypes.c_int32,
        "bayar_status": ctypes.c_int32,
        "size_t": ctypes.c_size_t,
        "size_t *": ctypes.POINTER(ctypes.c_size_t),
        "const char *": ctypes.c_char_p,
        "const void *": ctypes.c_void_p,
        "void *": ctypes.c_void_p,
        "bayar_engine *": ctypes.c_void_p,
        "const bayar_engine *": ctypes.c_void_p,
        "bayar_op *": ctypes.c_void_p,
        "bayar_doc *": ctypes.c_void_p,
        "const bayar_doc *": ctypes.c_void_p,
        "bayar_engine **": ctypes.POINTER(ctypes.c_void_p),
        "bayar_op **": ctypes.POINTER(ctypes.c_void_p),
        "bayar_doc **": ctypes.POINTER(ctypes.c_void_p),
        "bayar_log_fn": _native.LOG_FN,
    }

    def test_python_functions(self):
        self.assertEqual(len(self.functions), len((ROOT / "tests/hosts/symbols.txt").read_text().split()))
        expected = {
            name: (self.TYPES[result], tuple(self.TYPES[parameter] for parameter in parameters))
            for name, (result, parameters) in self.functions.items()
        }
        # The address itself is wanted: ctypes would copy a string up to its first NUL.
        expected["bayar_doc_json"] = (ctypes.c_void_p, (ctypes.c_void_p,))
        self.assertEqual(_native.FUNCTIONS, expected)

    def test_python_constants(self):
        own = {f"BAYAR_{name.upper()}": value for name, value in _errors.CODES.items()}
        own.update(BAYAR_OK=0, BAYAR_NEED_HTTP=_native.NEED_HTTP, BAYAR_WAIT=_native.WAIT)
        own.update(BAYAR_NOT_SENT=bayar.NOT_SENT, BAYAR_MAYBE_SENT=bayar.MAYBE_SENT)
        self.assertEqual(own, self.constants)
        for code, cls in _errors.CLASSES.items():
            self.assertIs(getattr(bayar, cls.__name__), cls)
            self.assertIn(cls.__name__, bayar.__all__)

    def test_php(self):
        read = json.loads(run("php", Path(__file__).parent / "twin.php", TWIN, LIBRARY))
        self.assertEqual(read["constants"], self.constants)
        expected = {
            name: [self.kind(result), [self.kind(parameter) for parameter in parameters]]
            for name, (result, parameters) in _native.FUNCTIONS.items()
        }
        self.assertEqual(read["functions"], expected)

    @staticmethod
    def kind(ctype):
        if ctype is None:
            return "void"
        integer = ctype in (ctypes.c_uint32, ctypes.c_int32, ctypes.c_size_t)
        return f"integer of {ctypes.sizeof(ctype)}" if integer else "pointer"

    def test_names_of_all_statuses(self):
        library = _native.load()
        for name, value in self.constants.items():
            if name not in ("BAYAR_NOT_SENT", "BAYAR_MAYBE_SENT"):
                self.assertEqual(library.c.bayar_status_name(value).decode(), name[len("BAYAR_") :].lower())


class Programs(Compiled):
    # Only what nothing points to is a leak: engines are kept for their next opening, and much of
    # what they hold is reached by pointers into its middle, which valgrind calls "possibly lost".
    VALGRIND = ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9"]

    def test_abi_under_valgrind(self):
        """No error, no leak, and nothing kept that grows: ten rounds end with as much as two."""
        program = self.compile(ROOT / "tests/hosts/abi.c", self.work / "abi")
        kept = [self.run_clean(program, CONFIG, new_order("ABI"), rounds)[1] for rounds in (2, 10)]
        self.assertEqual(kept[0], kept[1])

    def test_the_example_under_valgrind(self):
        program = self.compile(ROOT / "bindings/c/charge.c", self.work / "charge")
        output, _ = self.run_clean(program, CONFIG, new_order("C"), "qris")
        self.assertIn('"status":"pending"', output)
        self.run_clean(program, CONFIG, "a/b", expect=1)
        self.run_clean(program, "/nonexistent/bayar.toml", "A1", expect=1)

    def run_clean(self, *command, expect=0):
        """Gives the program's output and the blocks that were in use when it ended."""
        ran = subprocess.run([*self.VALGRIND, *map(str, command)], capture_output=True, text=True)
        report = "\n".join(line for line in ran.stderr.splitlines() if "possibly lost" not in line)
        self.assertEqual(ran.returncode, expect, f"{ran.stdout}\n{report}")
        self.assertRegex(
            report, "definitely lost: 0 bytes|All heap blocks were freed|ERROR SUMMARY: 0 errors"
        )
        return ran.stdout, re.search(r"in use at exit: [\d,]+ bytes in ([\d,]+) blocks", report).group(1)

    def test_the_rust_example(self):
        output = run(TARGET / "examples/charge", CONFIG, new_order("RS"), "qris")
        self.assertEqual(json.loads(output)["status"], "pending")


del Compiled
