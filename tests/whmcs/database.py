"""A MariaDB of the tests' own: on a socket in a temporary directory, gone with it."""

import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

STANDIN = Path(__file__).resolve().parent / "standin"


class Database:
    """Started here, ended by :meth:`stop`."""

    def __init__(self):
        self._home = tempfile.TemporaryDirectory(prefix="bayar-mariadb-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        home = Path(self._home.name)
        self.socket = home / "mariadb.sock"
        self._process = None
        own = ["--no-defaults", f"--datadir={home / 'data'}"] + (["--user=root"] if os.geteuid() == 0 else [])
        try:
            quietly("mariadb-install-db", *own, "--skip-test-db", "--auth-root-authentication-method=normal")
            ready, told = os.pipe()
            # Nobody else reaches its socket, so it asks for no password. A disk is not what these tests are about.
            command = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", *own, f"--socket={self.socket}", "--skip-networking", "--skip-grant-tables", f"--pid-file={home / 'pid'}"]
            command += ["--innodb-flush-log-at-trx-commit=2", "--skip-log-bin"]
            self._process = subprocess.Popen(command, stdout=told, stderr=told)
            os.close(told)
            self._log = open(ready, errors="replace")
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        """Reads its log until it says that it serves."""
        lines = []
        for line in self._log:
            lines.append(line)
            if "ready for connections" in line:
                # What it says from now on must not fill the pipe.
                threading.Thread(target=self._log.read, daemon=True).start()
                return
        raise RuntimeError("MariaDB did not start:\n" + "".join(lines))

    def create(self, name):
        """A new database with WHMCS's tables."""
        self.run(f"CREATE DATABASE {name}")
        self.run((STANDIN / "schema.sql").read_text(), name)

    def run(self, sql, database=None):
        """Rows as dictionaries of texts; NULL is None."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--batch", "--default-character-set=utf8", "--execute", sql]
        ran = subprocess.run(command + ([database] if database else []), capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{ran.stderr}\n{sql}")
        lines = ran.stdout.splitlines()
        names = lines[0].split("\t") if lines else []
        return [dict(zip(names, map(value, line.split("\t")))) for line in lines[1:]]

    @contextmanager
    def readable_only(self, table, database):
        """Others read a table and wait with what they write."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--batch", "--skip-column-names", "--unbuffered", database]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            session.stdin.write(f"LOCK TABLES {table} READ; SELECT 'locked';\n")
            session.stdin.flush()
            assert session.stdout.readline() == "locked\n"
            yield
            session.stdin.close()

    def waiting(self, table):
        """How many wait with what they write into a table."""
        sql = f"SELECT COUNT(*) AS waiting FROM information_schema.processlist WHERE state LIKE 'Waiting for table%' AND info LIKE '%{table}%'"
        return int(self.run(sql)[0]["waiting"])

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait()
        self._home.cleanup()


def value(cell):
    if cell == "NULL":
        return None
    return cell.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def quietly(*command):
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ran.stdout}")
