"""Where the tests of PHP-FPM take place: a sandbox, Bayar installed for an ordinary user, journals
that the pools may write, and whatever is started there, all of it gone at the end."""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import front
import masters

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/hosts"))

import sandbox  # noqa: E402

# An interrupted test stops what it started, however it is interrupted.
signal.signal(signal.SIGTERM, signal.default_int_handler)

SITE = Path(__file__).resolve().parent / "site"


class Place:
    """Files are readable by the pool's user and belong to root (or to who runs this); only the
    directories of journals are the pool's own."""

    def __init__(self, target, *settings, state=None):
        self.target = Path(target)
        with contextlib.ExitStack() as undo:
            self.path = directory(undo, None)
            # In memory where that is to be had: the tests end processes, not machines.
            memory = Path("/dev/shm")
            self._state = directory(undo, state or (memory if memory.is_dir() else None))
            self.sandbox = sandbox.Process(target, *settings)
            undo.callback(self.sandbox.stop)
            self.control = sandbox.Sandbox(self.sandbox.url)
            self.prefix = self.install("usr")
            self.library = self.prefix / "lib/libbayar.so.1"
            self.package = self.checkout("checkout")
            self.site = self.path / "site"
            shutil.copytree(SITE, self.site)
            self._undo = undo.pop_all()
        self._configs = 0
        atexit.register(self.close)

    def close(self):
        """Ends what was started here, the last first, and removes it all."""
        self._undo.close()

    def checkout(self, name):
        """A copy of the package, as it lies in a checkout of the repository; nothing is built in it."""
        package = self.path / name / "bindings/php"
        shutil.copytree(ROOT / "bindings/php", package, ignore=lambda *_: {"lib"})
        shutil.copytree(ROOT / "include", self.path / name / "include")
        # Only looked at, by whoever packs it.
        (self.path / name / "plugins").symlink_to(ROOT / "plugins")
        return package

    def install(self, name):
        """What `make install` puts under its PREFIX."""
        prefix = self.path / name
        for source, where in [("bayar", "bin/bayar"), ("libbayar.so", "lib/libbayar.so.1")]:
            link(self.target / source, prefix / where)
        for plugin in self.target.glob("libbayar_*.so"):
            link(plugin, prefix / "lib/bayar/plugins" / plugin.name)
        return prefix

    def pack(self, package, version=None):
        """Fills a package with what was built, as `make php-package` does. A `version` is one by name
        only: the same files under it."""
        built = self.target
        if version:
            built = self.path / f"built-{version}"
            built.mkdir()
            for library in self.target.glob("libbayar*.so"):
                (built / library.name).symlink_to(library)
            (built / "bayar").write_text(f"#!/bin/sh\necho bayar {version}\n")
            (built / "bayar").chmod(0o755)
        subprocess.run(["php", package / "package.php", built], check=True, stdout=subprocess.DEVNULL)

    def config(self, url=None, journal=True, user=None, **engine):
        """A configuration for the pool's user (or another), with a journal of its own; gives its path."""
        self._configs += 1
        where = self._state / str(self._configs)
        where.mkdir(mode=0o700)
        engine = {"plugins": str(self.prefix / "lib/bayar/plugins"), "deadline_ms": 5000, **engine}
        engine["journal"] = f"sqlite:{where / 'journal.db'}" if journal is True else journal
        text = self.sandbox.config(**engine)
        path = where / "bayar.toml"
        path.write_text(text.replace(self.sandbox.url, url) if url else text)
        for one in (where, path):
            give(one, user)
        return path

    def daemon(self, **engine):
        """A `bayar daemon` of another user, who lets the pool's group in; gives its socket."""
        user, pool = masters.another_user(), masters.pool_user()
        config = self.config(user=user, **engine)
        directory = self.path / f"run{self._configs}"
        directory.mkdir(mode=0o750)
        if masters.ROOT_RUNS:
            os.chown(directory, user.pw_uid, pool.pw_gid)
        path = directory / "bayar.sock"
        self.started([self.prefix / "bin/bayar", "--config", config, "daemon", "--socket", path], user)
        return path

    def gateway(self, config, callbacks):
        """A `bayar serve` with an application that is told at the address `callbacks`; gives the lines of a
        pool that knows it. The world, which is the sandbox, reaches it through an nginx."""
        listener = front.listener()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        section = {"listen": "127.0.0.1:0", "public_url": address, "allow_private_callbacks": True, "rate_per_key": 0, "rate_per_address": 0}
        with open(config, "a") as file:
            file.write("\n[gateway]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in section.items()))
        bayar = [self.prefix / "bin/bayar", "--config", config]
        made = self.told(*bayar, "app", "create", "shop", "--callback-url", callbacks)
        key = re.search(r"X-Api-Key: (\S+)", made).group(1)
        secret = self.told(*bayar, "app", "secret", "shop").strip()
        serving = subprocess.Popen([*bayar, "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **masters.as_pool_user())
        self.keep(end, serving)
        said = serving.stdout.readline()
        if "listening on http://" not in said:
            raise RuntimeError(f"the gateway did not start: {said}")
        url = said.split()[-1]
        self.nginx(f"{config.parent.name}-world", (front.PLAIN, {"behind": url.removeprefix("http://")}), listeners=[listener])
        return {"env[GATEWAY]": url, "env[GATEWAY_KEY]": key, "env[GATEWAY_SECRET]": secret}

    @staticmethod
    def told(*command):
        """What a command prints, run as the pool's user."""
        return subprocess.run(command, check=True, capture_output=True, text=True, **masters.as_pool_user()).stdout

    def started(self, command, user):
        """Starts a daemon as a user in the pool's group."""
        whose = {"user": user.pw_uid, "group": masters.pool_user().pw_gid, "extra_groups": []} if masters.ROOT_RUNS else {}
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **whose)
        self.keep(end, daemon)
        said = daemon.stderr.readline()
        if "listens at" not in said:
            raise RuntimeError(f"the daemon did not start: {said}{daemon.stderr.read()}")

    def keep(self, undo, *arguments):
        """Has something undone at the end."""
        self._undo.callback(undo, *arguments)

    def master(self, name, pools, **options):
        """A php-fpm master whose pools know where the package is."""
        every = {"env[BAYAR_PHP]": self.package}
        pools = {pool: {**every, **own} for pool, own in pools.items()}
        master = masters.Master(self.path / name, pools, **options)
        self._undo.callback(master.stop)
        return master

    def ffi(self, config):
        """The lines of a pool that has the engine in its workers."""
        return {"env[BAYAR_CONFIG]": config, "env[BAYAR_LIB]": self.library, "php_admin_value[ffi.enable]": 1}

    def nginx(self, name, *servers, listeners=None):
        nginx = front.Nginx(self.path / name, *servers, listeners=listeners)
        self._undo.callback(nginx.stop)
        return nginx

    @staticmethod
    def preload(file):
        """The lines of php.ini that have a file preloaded, and allow FFI to nothing else."""
        user = masters.pool_user().pw_name
        whose = f"opcache.preload_user = {user}\n" if masters.ROOT_RUNS else ""
        return f"ffi.enable = preload\nopcache.enable = 1\nopcache.preload = {file}\n{whose}"


def directory(undo, parent):
    """A new directory that everybody may enter, removed at the end."""
    made = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="bayar-fpm-", dir=parent)))
    made.chmod(0o755)
    return made


def end(process):
    process.terminate()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def give(path, user=None):
    """To the pool's user, or another one, and to nobody else."""
    if masters.ROOT_RUNS:
        user = user or masters.pool_user()
        os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700 if path.is_dir() else 0o600)


def link(source, where):
    """The same file under another name, or a copy of it where that cannot be."""
    where.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, where)
    except OSError:
        shutil.copy(source, where)
