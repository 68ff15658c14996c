"""docs/php.md as a reader follows it: its blocks, carried out under a root of their own.

A fenced block after a line `<!-- test:NAME -->` belongs to the step NAME. A shell block is run; any other
is a file if its first comment names one, else a program. The directories and addresses that the page names are
replaced by ones of this place; `sudo`, `apt-get`, `make` and `systemctl` by what they bring about.
"""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import front
from masters import another_user, pool_user
from place import ROOT, end

PAGE = ROOT / "docs/php.md"
BLOCK = re.compile(r"(?ms)^<!-- test:([\w-]+) -->\s*^```(\w+)\n(.*?)^```$")
#: The comment at the beginning of a file that names it; whether it is to be added to one.
NAMED = re.compile(r"\A(?:<\?php\n)?(?://|;|#) (/[\w./-]+)(, at its end)?")
DIRECTORIES = ["etc/php/8.2/fpm/conf.d", "etc/php/8.2/fpm/pool.d", "etc/nginx/conf.d", "run/php", "run/bayar", "srv", "var/lib", "usr/local/bin"]
SYSTEM = re.compile(r"(?<![\w.])/(etc|srv|run|var/lib|usr/local)/")

#: What composer would download comes from Debian's packages.
COMPOSER = """{"repositories": {"packagist.org": false,
  "log": {"type": "package", "package": {"name": "psr/log", "version": "1.1.4",
    "dist": {"type": "path", "url": "/usr/share/php/Psr/Log"}, "autoload": {"psr-4": {"Psr\\\\Log\\\\": ""}}}},
  "message": {"type": "package", "package": {"name": "psr/http-message", "version": "1.0.1",
    "dist": {"type": "path", "url": "/usr/share/php/Psr/Http/Message"}, "autoload": {"psr-4": {"Psr\\\\Http\\\\Message\\\\": ""}}}}}}
"""

COMMANDS = {
    # The page is followed by root: only another user makes a difference.
    "sudo": 'if [ "$1" = -u ]; then user=$2; shift 2; exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; fi\nexec "$@"',
    # They are there, or the page names one that does not exist.
    "apt-get": 'shift\nfor package; do apt-cache show "$package" >/dev/null; done',
    "adduser": ":",
    # What was built is what is tested.
    "make": 'for target; do case $target in\n'
    '    php-package) php bindings/php/package.php "$BUILT" ;;\n'
    '    dist) env -u MAKEFLAGS make -C "$REPOSITORY" --silent BUILT="$BUILT" DESTDIR="$PWD/target/dist" copy ;;\n'
    '    *) echo "make $target?" >&2; exit 1 ;;\nesac; done',
    # Asked of the reader, who has the processes.
    "systemctl": 'echo "$@" >"$ROOT_HERE/asked"\nread -r answer <"$ROOT_HERE/answered"\n[ "$answer" = done ] || { echo "$answer" >&2; exit 1; }',
}


def blocks():
    """The page's blocks by their step's name: language and text."""
    text, found = PAGE.read_text(), {}
    for name, language, block in BLOCK.findall(text):
        found.setdefault(name, []).append((language, block))
    if sum(map(len, found.values())) != text.count("<!-- test:"):
        raise RuntimeError(f"{PAGE}: a mark without a block")
    return found


class Reader:
    """Follows the page at a place of its own, step by step. `without` are extensions that the
    reader's PHP does not have."""

    def __init__(self, place, without=()):
        self._place, self._without = place, without
        self.root = place.path / "root"
        for name in DIRECTORIES:
            (self.root / name).mkdir(parents=True)
        self._listener = front.listener()
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        #: What the page says, and what it is here.
        self._gateway = front.listener()
        self._here = {"127.0.0.1:8080": self.address, "127.0.0.1:5000": "127.0.0.1:%d" % self._gateway.getsockname()[1]}
        # Where nobody else listens; which port that is, is known afterwards.
        self._here["[gateway]"] = '[gateway]\nlisten = "127.0.0.1:0"'
        self._running, self._state = {}, self.root / "state"
        self._commands()
        self._state.write_text("")
        self._directory = place.path / "checkout"

    def _commands(self):
        commands = self.root / "commands"
        commands.mkdir()
        for name, text in COMMANDS.items():
            (commands / name).write_text(f"#!/bin/sh\nset -eu\n{text}\n")
            (commands / name).chmod(0o755)
        # The real one is called by name, past the one that stands before it.
        make = commands / "make"
        make.write_text(make.read_text().replace("env -u MAKEFLAGS make", shutil.which("make")))
        (self.root / "composer").mkdir()
        (self.root / "composer/config.json").write_text(COMPOSER)
        for name in ("asked", "answered"):
            os.mkfifo(self.root / name)
        threading.Thread(target=self._systemd, daemon=True).start()

    def follow(self, *steps, user=None):
        """Carries out steps; gives what their commands printed."""
        said = ""
        for step in steps:
            for language, text in blocks()[step]:
                if step in ("sandbox", "serve"):
                    self._in_another_terminal(text)
                elif language == "sh":
                    said += self.run(text, user)
                elif NAMED.match(text):
                    self._write(text)
                else:
                    said += self._program(text)
        return said

    def _program(self, text):
        """A piece of PHP that stands for itself, in the shop."""
        shop = self.root / "srv/shop"
        program = f"<?php\nrequire '{shop}/vendor/autoload.php';\n{text}"
        return subprocess.run(["php"], input=program, check=True, capture_output=True, text=True).stdout

    def here(self, text):
        """The same text about this place."""
        text = SYSTEM.sub(rf"{self.root}/\1/", text)
        for there, here in self._here.items():
            text = text.replace(there, here)
        daemon = another_user()
        text = text.replace("bayar:bayar", f"{daemon.pw_name}:{daemon.pw_gid}")
        return text.replace("bayar sandbox", f"bayar sandbox --listen {self._here.get('127.0.0.1:8400', '127.0.0.1:0')}")

    def run(self, text, user=None):
        """A shell block, where the last one left off."""
        # Another user leaves nothing behind.
        keep = "" if user else f'export -p >"{self._state}"\npwd >"{self._state}.directory"\n'
        script = f'. "{self._state}"\n{self.here(text)}\n{keep}'
        ran = subprocess.run(["sh", "-euc", script], cwd=self._directory, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, **whose(user))
        if ran.returncode:
            raise RuntimeError(f"the page's commands ended with {ran.returncode}:\n{text}\n{ran.stdout}{ran.stderr}")
        if keep:
            self._directory = Path(f"{self._state}.directory").read_text().strip()
        return ran.stdout

    def _environment(self):
        return {
            **os.environ,
            "PATH": f"{self.root}/commands:{self.root}/usr/local/bin:{os.environ['PATH']}",
            "COMPOSER_HOME": str(self.root / "composer"),
            "COMPOSER_ALLOW_SUPERUSER": "1",
            "BUILT": str(self._place.target),
            "REPOSITORY": str(ROOT),
            "ROOT_HERE": str(self.root),
        }

    def _write(self, text):
        name, adds = NAMED.match(text).groups()
        with open(self.here(name), "a" if adds else "w") as file:
            file.write(self.here(text))

    def _in_another_terminal(self, text):
        """What runs until the end; its first line says where it listens."""
        program = subprocess.Popen(["sh", "-euc", f"exec {self.here(text)}"], env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._place.keep(end, program)
        address = re.search(r"http://(\S+)", program.stdout.readline()).group(1)
        if "sandbox" in text:
            self._here["127.0.0.1:8400"] = address
        else:
            # The world finds it at the address that it was told before it had one.
            self._place.nginx("world", (front.PLAIN, {"behind": address}), listeners=[self._gateway])

    def _systemd(self):
        while True:
            asked = (self.root / "asked").read_text().split()
            try:
                self.systemctl(*asked)
                answer = "done"
            except Exception as error:  # noqa: BLE001 the command that asked tells it
                answer = repr(error)
            (self.root / "answered").write_text(f"{answer}\n")

    def systemctl(self, verb, *units):
        services = {"php8.2-fpm": self._php_fpm, "nginx": self._nginx, "bayar": self._daemon}
        for unit in units:
            if unit != "--now":
                services[unit](verb)

    def _php_fpm(self, verb):
        if verb == "reload":
            return self._running["php8.2-fpm"].reload()
        etc = self.root / "etc/php/8.2/fpm"
        ini = "".join(one.read_text() for one in sorted(etc.glob("conf.d/*.ini")))
        www = etc / "pool.d/www.conf"
        added = dict(re.findall(r"(?m)^([\w.\[\]]+) = (.*)$", www.read_text())) if www.exists() else {}
        pools = {"www": {"listen": self.root / "run/php/php8.2-fpm.sock", "pm.max_children": 3, **added}}
        self._running["php8.2-fpm"] = self._place.master("php-fpm", pools, ini=ini, without=self._without)

    def _nginx(self, verb):
        server = (self.root / "etc/nginx/conf.d/shop.conf").read_text()
        server = server.replace("{", "{{").replace("}", "}}").replace("include fastcgi_params", "include /etc/nginx/fastcgi_params")
        self._running["nginx"] = self._place.nginx("nginx", (server, {}), listeners=[self._listener])

    def _daemon(self, verb):
        unit = (ROOT / "docs/daemon.md").read_text()
        command = self.here(re.search(r"(?m)^ExecStart=(.*)$", unit).group(1)).split()
        run, user = self.root / "run/bayar", another_user()
        run.chmod(0o750)
        os.chown(run, user.pw_uid, pool_user().pw_gid)
        # RuntimeDirectory is where a daemon listens that was told nothing else.
        self._place.started([*command, "--socket", run / "bayar.sock"], user)


def whose(user):
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
