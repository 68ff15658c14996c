"""Runs the snippets of README.md against the sandbox.

A fenced block of python, php, c, rust or sh after a line `<!-- test:NAME -->` is run as a program
of its own, in a directory that holds a bayar.toml. A snippet that lacks what its language
needs around it (PHP's `<?php`, C's and Rust's `main`) gets it here. Ends with a line
`N passed, N failed`.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RUST_EXAMPLE = ROOT / "engine/examples/readme_snippet.rs"
SNIPPET = re.compile(r"(?ms)^<!-- test:([\w-]+) -->\s*^```(\w+)\n(.*?)^```$")


# What calls the host's function that a snippet shows: a genuine callback, and the same forged.
RECEIVING = """

from support import CONTROL, charge, new_order

with bayar.Engine({"file": "bayar.toml"}) as engine:
    order = new_order()
    charge(engine, order)
    CONTROL.act(order)
    sent = CONTROL.callback(order)
    for body, status in ((sent["body"], 200), (sent["body"].replace("150000", "150001"), 401)):
        answer = received(engine, "POST", "/callback", "", sent["headers"], body.encode(), "127.0.0.1")
        assert answer["status"] == status, answer
"""


# What calls the one that credits: twice for one payment, and once for one that nobody has paid.
CREDITING = """
import bayar
from support import CONTROL, charge, new_order

with bayar.Engine({"file": "bayar.toml"}) as engine:
    order = new_order()
    credit(engine, charge(engine, order))
    CONTROL.act(order)
    for _ in range(2):
        sent = CONTROL.callback(order)
        credit(engine, engine.callback("midtrans", headers=sent["headers"], body=sent["body"].encode()))
"""

# The same in PHP.
CREDITING_IN_PHP = """
$bayar = Bayar\\Client::open(['file' => 'bayar.toml']);
$order = 'README-' . getmypid() . '-' . dechex(hrtime(true));
$made = $bayar->charge('midtrans', ['order_id' => $order, 'amount' => 150000, 'channel' => 'bca_va'], $order);
credit($bayar, $made);
$control = fn(string $method, string $path) => json_decode(file_get_contents(getenv('BAYAR_SANDBOX') . "/_sandbox/$path", false,
    stream_context_create(['http' => ['method' => $method]])), true);
$control('POST', "midtrans/$order/paid");
for ($i = 0; $i < 2; $i++) {
    $sent = $control('GET', "midtrans/$order/callback");
    credit($bayar, $bayar->callback('midtrans', $sent['body'], $sent['headers'])->outcome);
}
"""


def python(text, work):
    text += RECEIVING if "def received(" in text else ""
    text += CREDITING if "def credit(" in text else ""
    (work / "snippet.py").write_text(text)
    return [[sys.executable, "snippet.py"]]


def php(text, work):
    text = text if text.startswith("<?php") else f"<?php\n{text}"
    text += CREDITING_IN_PHP if "function credit(" in text else ""
    # Where a program has composer's autoloader, the package in this repository has its own.
    loader = f"require {str(ROOT / 'bindings/php/bayar.php')!r};"
    text = re.sub(r"(?m)^require(_once)?\b.*(autoload|bayar)\.php.*;.*$", "", text)
    (work / "snippet.php").write_text(text.replace("<?php", f"<?php {loader}", 1))
    return [["php", "snippet.php"]]


def c(text, work):
    if "main(" not in text:
        includes = "".join(re.findall(r"(?m)^#include.*\n", text))
        rest = re.sub(r"(?m)^#include.*\n", "", text)
        common = "#include <bayar.h>\n#include <stdio.h>\n#include <string.h>\n"
        text = f"{common}{includes}int main(void) {{\n{rest}\nreturn 0;\n}}\n"
    (work / "snippet.c").write_text(text)
    target = os.environ["BAYAR_TARGET"]
    link = [f"-L{target}", "-lbayar", f"-Wl,-rpath,{target}"]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
    return [["cc", *flags, "-o", "snippet", "snippet.c", *link], ["./snippet"]]


def rust(text, work):
    if "fn main" not in text:
        text = f"fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{text}\nOk(())\n}}\n"
    # For the moment an example of the engine's crate: its dependencies are what such a program has.
    RUST_EXAMPLE.write_text(f"//! A snippet of README.md.\n{text}")
    target = Path(os.environ["BAYAR_TARGET"])
    profile = "dev" if target.name == "debug" else target.name
    build = ["cargo", "build", "--quiet", "--locked", "--manifest-path", ROOT / "Cargo.toml"]
    build += [
        "--target-dir",
        target.parent,
        "--profile",
        profile,
        "-p",
        "bayar",
        "--example",
        "readme_snippet",
    ]
    return [build, [target / "examples/readme_snippet"]]


def sh(text, work):
    # Where Bayar is installed, the command is on the path.
    (work / "snippet.sh").write_text(f"PATH={os.environ['BAYAR_TARGET']}:$PATH\n{text}")
    return [["sh", "-eu", "snippet.sh"]]


LANGUAGES = {"python": python, "php": php, "c": c, "rust": rust, "sh": sh}


def run(name, language, text):
    """What went wrong, or nothing."""
    if language not in LANGUAGES:
        return f"a snippet in {language!r}; known: {', '.join(LANGUAGES)}"
    with tempfile.TemporaryDirectory(prefix="bayar-readme-") as work:
        work = Path(work)
        # Without the setting the journal is beside the configuration.
        config = Path(os.environ["BAYAR_CONFIG"]).read_text()
        (work / "bayar.toml").write_text(config.replace('journal = "none"\n', ""))
        try:
            for command in LANGUAGES[language](text, work):
                ran = subprocess.run(command, cwd=work, capture_output=True, text=True)
                if ran.returncode:
                    return f"ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
            if name == "credit" and not re.fullmatch(r"credit \S+ 150000 as X\w+\n", ran.stdout):
                return f"expected one credit, found {ran.stdout!r}"
        finally:
            RUST_EXAMPLE.unlink(missing_ok=True)
    return None


def main():
    # A repository without a README yet has no snippets; one whose marks are misspelt has failed.
    if not README.exists():
        print("README.md is not there yet\n1 passed, 0 failed")
        return 0
    snippets = SNIPPET.findall(README.read_text())
    marks = README.read_text().count("<!-- test:")
    wrong = [] if snippets and len(snippets) == marks else [f"{marks} marks, {len(snippets)} snippets"]
    for name, language, text in snippets:
        problem = run(name, language, text)
        if problem:
            wrong.append(f"{name} ({language}): {problem}")
    for problem in wrong:
        print(f"FAILED: README.md, {problem}")
    print(f"{max(len(snippets) - len(wrong), 0)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
