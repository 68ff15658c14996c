"""php-fpm masters of our own, with the pools that a test wants, in a directory of theirs."""

import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

ROOT_RUNS = os.geteuid() == 0


def pool_user():
    """Whom the pools run as: never root."""
    if not ROOT_RUNS:
        return pwd.getpwuid(os.geteuid())
    for name in ("www-data", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is neither www-data nor nobody to run pools as")


def as_pool_user():
    """What has subprocess start a program as the pool's user."""
    if not ROOT_RUNS:
        return {}
    return {"user": pool_user().pw_uid, "group": pool_user().pw_gid, "extra_groups": []}


def another_user():
    """Somebody else than the pool's user, who shares its group: whom a daemon runs as."""
    return pwd.getpwnam("nobody") if ROOT_RUNS and pool_user().pw_name != "nobody" else pool_user()


def php_fpm():
    """The php-fpm of the php that is on the path."""
    version = subprocess.run(["php", "-r", 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;'], check=True, capture_output=True, text=True).stdout
    for name in (f"php-fpm{version}", "php-fpm"):
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if found:
            return found
    raise RuntimeError(f"php-fpm{version} is missing. On Debian and Ubuntu: sudo apt-get install php-fpm")


class NotStarted(Exception):
    """php-fpm ended, or never took requests; says what it logged."""


class Master:
    """A php-fpm master; its pools listen on `directory/NAME.sock`.

    `pools` gives each pool's directives by its name, over those that every pool has; `ini` the lines of
    php.ini; `without` names extensions that its PHP does not load. As root, the pools run as somebody
    else; with `root` false the master does, too.
    """

    def __init__(self, directory, pools, ini="", without=(), root=ROOT_RUNS):
        self.directory, self._root = Path(directory), root
        self.directory.mkdir(mode=0o755)
        self._said, self._heard = [], threading.Condition()
        self._configure(pools, ini)
        self._environment = {**os.environ, **extensions(self.directory, without)}
        self.start()

    def _configure(self, pools, ini):
        (self.directory / "php.ini").write_text(f"error_reporting = E_ALL\nlog_errors = On\ndisplay_errors = Off\n{ini}")
        # Without the timeout a reload ends workers in the middle of their requests.
        lines = {"pid": self.directory / "pid", "error_log": self.directory / "log", "process_control_timeout": "20s"}
        sections = [section("global", lines), *(section(name, {**self._every(name), **own}) for name, own in pools.items())]
        (self.directory / "fpm.conf").write_text("".join(sections))

    def _every(self, name):
        """What every pool has."""
        user = pool_user()
        whose = {"user": user.pw_name, "group": user.pw_gid, "listen.owner": user.pw_name} if self._root else {}
        return {**whose, "listen": self.socket(name), "pm": "static", "pm.max_children": 1, "catch_workers_output": "yes"}

    def start(self):
        command = [php_fpm(), "--nodaemonize", "--force-stderr", "--fpm-config", self.directory / "fpm.conf", "-c", self.directory / "php.ini"]
        whose = {}
        if ROOT_RUNS and not self._root:
            os.chown(self.directory, pool_user().pw_uid, pool_user().pw_gid)
            whose = as_pool_user()
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", env=self._environment, **whose)
        self._ended = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._wait_ready(1)

    def _listen(self):
        for line in self._process.stderr:
            with self._heard:
                self._said.append(line)
                self._heard.notify_all()
        with self._heard:
            self._ended = True
            self._heard.notify_all()

    def _wait_ready(self, times):
        """Until the log says for the so many-th time that requests are taken."""
        with self._heard:
            self._heard.wait_for(lambda: self._ended or self._readies() >= times, timeout=30)
            ready = self._readies() >= times
        if not ready:
            self.stop()
            raise NotStarted(self.said())

    def _readies(self):
        return sum("ready to handle connections" in line for line in self._said)

    def reload(self):
        """As `systemctl reload` does; comes back once the new workers take requests."""
        before = self._readies()
        self._process.send_signal(signal.SIGUSR2)
        self._wait_ready(before + 1)

    def socket(self, pool):
        return self.directory / f"{pool}.sock"

    def said(self):
        """The log, what workers wrote to standard error included."""
        return "".join(self._said)

    @property
    def pid(self):
        return self._process.pid

    def workers(self):
        """The ids of the workers that live now."""
        return [int(pid) for path in glob.glob(f"/proc/{self.pid}/task/*/children") for pid in Path(path).read_text().split()]

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._listener.join()
        self._process.stderr.close()


def section(name, lines):
    def line(key, value):
        return f'{key} = "{value}"\n' if key.startswith("env[") else f"{key} = {value}\n"

    return f"[{name}]\n" + "".join(line(key, value) for key, value in lines.items()) + "\n"


def extensions(directory, without):
    """What has PHP load the system's extensions but these."""
    if not without:
        return {}
    scan = directory / "conf.d"
    scan.mkdir()
    listed = subprocess.run([php_fpm(), "-i"], check=True, capture_output=True, text=True).stdout
    system = re.search(r"(?m)^Scan this dir for additional \.ini files => (.*)$", listed).group(1)
    for path in Path(system).glob("*.ini"):
        if re.sub(r"^\d+-", "", path.stem) not in without:
            (scan / path.name).symlink_to(path)
    return {"PHP_INI_SCAN_DIR": str(scan)}
