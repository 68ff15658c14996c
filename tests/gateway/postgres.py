"""A PostgreSQL of the tests' own: a fresh cluster in a temporary directory, reached through a Unix socket,
that ends with the program which started it, however that ends."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

RUN = r"""
set -eu
bin=$1 dir=$2
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" -D "$dir/data" -U bayar -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=100 >"$dir/log" 2>&1 </dev/null &
server=$!
n=0
until "$bin/pg_isready" -q -h "$dir" -U bayar -d postgres; do
    n=$((n + 1))
    if [ $n -gt 600 ] || ! kill -0 $server; then cat "$dir/log" >&2; exit 1; fi
    sleep 0.05
done
echo ready
read -r _ || :
kill -QUIT $server # at once: nothing of it is kept
wait $server || :
"""


class Cluster:
    def __init__(self):
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        # Short, for a socket's path has at most 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="bayar-pg-"))
        self.directory.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        # PostgreSQL refuses to run as root: the user of Debian's package then runs it.
        user = None
        if os.getuid() == 0:
            user = "postgres"
            os.chown(self.directory, pwd.getpwnam(user).pw_uid, -1)
        self.process = subprocess.Popen(
            ["sh", "-c", RUN, "sh", self.programs, self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            user=user,
            env={**os.environ, "PGPORT": str(self.port)},
        )
        if self.process.stdout.readline() != "ready\n":
            self.stop()
            raise RuntimeError("PostgreSQL did not start; what it said is above")

    def database(self, name):
        """Makes an empty database, and gives its URL."""
        self.sql(f"CREATE DATABASE {name}")
        return f"postgres://bayar@{str(self.directory).replace('/', '%2F')}:{self.port}/{name}"

    def sql(self, statement, database="postgres"):
        command = [self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "bayar", "-d", database, "-c", statement]
        ran = subprocess.run([*command, "-h", self.directory], env={**os.environ, "PGPORT": str(self.port)}, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)
