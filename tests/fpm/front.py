"""nginx, started on ports of its own: in front of PHP-FPM, and with TLS in front of a provider."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from masters import ROOT_RUNS, pool_user

COMMON = """
daemon off;
pid {directory}/pid;
error_log {directory}/error.log warn;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/octet-stream;
    keepalive_requests 1000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    log_format requests '$connection $request_method $uri';
{servers}
}}
"""

#: A site: the first part of a path names the pool, the rest the script.
SITE = """
    server {{
        listen 127.0.0.1:{port};
        location ~ ^/(?<pool>[a-z_]+)/(?<script>[a-z_]+[.]php)$ {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {root}/$script;
            fastcgi_pass unix:{sockets}/$pool.sock;
        }}
    }}
"""

#: Something else that speaks HTTP.
PLAIN = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{behind};
            proxy_set_header Host $http_host;
        }}
    }}
"""

#: TLS in front of something that speaks HTTP.
TLS = """
    upstream behind{port} {{ server {behind}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        access_log {directory}/requests{port} requests;
        location / {{
            proxy_pass http://behind{port};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }}
    }}
"""

#: A provider that answers at once, always the same.
STUB = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        access_log {directory}/requests{port} requests;
        location / {{
            default_type application/json;
            return {status} '{answer}';
        }}
    }}
"""


class Nginx:
    """An nginx of our own. `servers` are templates with their values; each gets a free port, or listens
    where `listeners` do."""

    def __init__(self, directory, *servers, listeners=None):
        self.directory = Path(directory)
        self.directory.mkdir(mode=0o755)
        # Bound here and inherited there, so that nobody else gets the port in between: nginx takes
        # over the sockets that this variable names, as in a change of its binary.
        self._listeners = listeners or [listener() for _ in servers]
        self.ports = [one.getsockname()[1] for one in self._listeners]
        texts = [template.format(port=port, directory=self.directory, **values) for (template, values), port in zip(servers, self.ports)]
        user = f"user {pool_user().pw_name};" if ROOT_RUNS else ""
        config = self.directory / "nginx.conf"
        config.write_text(COMMON.format(directory=self.directory, user=user, servers="".join(texts)))
        handed = [one.fileno() for one in self._listeners]
        command = [program(), "-p", self.directory, "-c", config, "-e", self.directory / "error.log"]
        environment = {**os.environ, "NGINX": "".join(f"{number};" for number in handed)}
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, pass_fds=handed)
        for one in self._listeners:
            one.close()

    def requests(self, port):
        """What came to this port, in order: the number of its connection, method and path. Complete
        but for the last one answered: its one worker writes a line before it takes the next request."""
        log = self.directory / f"requests{port}"
        return [tuple(line.split()) for line in log.read_text().splitlines()]

    def said(self):
        return (self.directory / "error.log").read_text()

    def stop(self):
        self._process.terminate()
        self._process.wait()


def program():
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not found:
        raise RuntimeError("nginx is missing. On Debian and Ubuntu: sudo apt-get install nginx-light")
    return found


def listener():
    made = socket.create_server(("127.0.0.1", 0), backlog=511)
    made.set_inheritable(True)
    return made


class Authority:
    """A certificate authority, and a certificate of 127.0.0.1 and localhost from it."""

    def __init__(self, directory):
        directory = Path(directory)
        directory.mkdir(mode=0o755)
        self.file, self.certificate, self.key = (directory / name for name in ("ca.pem", "server.pem", "server.key"))
        ca_key, request, names = (directory / name for name in ("ca.key", "server.csr", "names"))
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *new, "-keyout", ca_key, "-out", self.file, "-days", "2", "-subj", "/CN=Test authority")
        openssl("req", *new, "-keyout", self.key, "-out", request, "-subj", "/CN=localhost")
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", ca_key, "-CAcreateserial", "-out", self.certificate, "-days", "2", "-extfile", names)


def openssl(*arguments):
    ran = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {ran.stderr}")
