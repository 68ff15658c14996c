"""Pythons with packages of PyPI, made once and made anew when what they are to have changes."""

import subprocess
import sys


def python_with(requirements, home):
    """The python of a virtual environment at `home` that has what the file names."""
    made_of = home / "requirements.txt"
    if not made_of.exists() or made_of.read_text() != requirements.read_text():
        print(f"installing what {requirements.parent.name} needs of PyPI", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [home / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        subprocess.run(install, check=True)
        made_of.write_text(requirements.read_text())
    return home / "bin/python"
