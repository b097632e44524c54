"""nginx of one instance: its configuration, and its process.

var/nginx/current is a symbolic link to the configuration in force; a new one
is written beside it, tested by nginx itself, and only then linked in, so a
refused change leaves the running site as it was.
"""
import contextlib
import errno
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from settings import TOP, Mistake, alive, from_template, runs

SOURCE = TOP / "nginx"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:"
                     + os.environ.get("PATH", ""))
KEPT = 64       # idle connections of one nginx process to one program
NEW_TRIES = 8   # new connections to it that one request may lose
TRIES = KEPT + NEW_TRIES  # fastcgi_next_upstream_tries in nginx.conf.in
DRAIN_S = 35    # a little more than worker_shutdown_timeout in nginx.conf.in


class Edge:
    def __init__(self, settings):
        self.settings = settings
        self.folder = settings.var / "nginx"
        self.current = self.folder / "current"
        self.pid_file = settings.run / "nginx.pid"

    def pid(self):
        return alive(self.pid_file, self.current)

    # -- configuration ----------------------------------------------------

    def write(self, routes_text, programs):
        """Writes a whole new configuration folder and gives its path."""
        folder = next(
            path for path in (self.folder / f"{n:06}"
                              for n in itertools.count(self._last() + 1))
            if not path.exists())
        folder.mkdir()
        for source in SOURCE.iterdir():
            if source.suffix == ".conf" and source.name != "routes.conf":
                shutil.copy(source, folder)
            elif source.suffix == ".in":
                (folder / source.stem).write_text(self._filled(source))
        (folder / "routes.conf").write_text(routes_text)
        (folder / "upstreams.conf").write_text("".join(
            self._upstream(prog) for prog in programs.values()))
        (folder / "proxies.conf").write_text(self._proxies())
        (folder / "origins.conf").write_text(self._origins())
        (folder / "sampling.conf").write_text(self._sampling())
        return folder

    def _last(self):
        return max((int(p.name) for p in self.folder.iterdir()
                    if p.name.isdigit()), default=0)

    def _filled(self, template):
        s = self.settings
        return from_template(
            template, SERVERS=self._servers(), LIMITS=s.limits,
            TELEMETRY=s.telemetry,
            NGINX_WORKERS=s.nginx_workers, VAR=s.var, RUN=s.run,
            STATIC=s.get("STATIC", TOP / "static"), COVERS=s.covers)

    def _upstream(self, prog):
        # Each listing of the socket is one try: when a worker is killed,
        # a request may meet all its kept connections, dead, before a
        # living one.  max_fails=0 because a death says nothing about the
        # other workers behind the socket.
        server = (f"\tserver unix:{prog.socket(self.settings)} "
                  "max_fails=0;\n")
        if prog.slow:
            # A busy worker delays what is kept on it, so slow programs
            # get a new connection for each request.
            return f"upstream {prog.name} {{\n{server * NEW_TRIES}}}\n"
        # Idle connections close soon, so that a worker that drains can leave.
        return (f"upstream {prog.name} {{\n{server * TRIES}"
                f"\tkeepalive {KEPT};\n\tkeepalive_timeout 2s;\n}}\n")

    def _proxies(self):
        proxies = self.settings.trusted_proxies
        lines = [f"set_real_ip_from {proxy};" for proxy in proxies]
        if lines:
            lines += ["real_ip_header X-Forwarded-For;",
                      "real_ip_recursive on;"]
        lines += ["geo $realip_remote_addr $trusted_proxy {", "\tdefault 0;"]
        lines += [f"\t{proxy} 1;" for proxy in proxies if proxy != "unix:"]
        lines += ["}",
                  "map $trusted_proxy:$http_x_forwarded_proto $client_https {",
                  "\t1:https on;", "\tdefault $https;", "}"]
        return "\n".join(lines) + "\n"

    def _origins(self):
        """Whose pages may read the API's answers, also those of nginx."""
        origins = self.settings.cors_origins
        return ("map $http_origin $listed_origin {\n\tdefault \"\";\n"
                + "".join(f'\t"{origin}" $http_origin;\n'
                          for origin in origins) + "}\n")

    def _sampling(self):
        """Which traces are kept, by their ids: all parts of one decide
        alike.  nginx knows no 0 %."""
        percent = round(float(self.settings.trace_rate) * 100, 2)
        kept = f"\t{percent:.2f}% 1;\n" if percent else ""
        return ("split_clients $trace_id $sampled_by_rate {\n"
                f"{kept}\t* \"\";\n}}\n")

    def _servers(self):
        return f"{self._public()}\n{self._private()}"

    def _private(self):
        """What is for monitoring: the same site, and private.conf lets in."""
        s = self.settings
        listen = "".join(f"\t\tlisten {address}:{s.private_port};\n"
                         for address in s.private_bind)
        return (f"\tserver {{\n{listen}\t\tset $side private;\n"
                "\t\tinclude site.conf;\n\t}")

    def _public(self):
        s = self.settings
        listen = "".join(f"\t\tlisten {address}:{s.port} backlog=1024;\n"
                         for address in s.bind)
        if not s.tls_cert:
            return (f"\tserver {{\n{listen}"
                    "\t\tinclude site.conf;\n\t}")
        port = "" if s.tls_port == 443 else f":{s.tls_port}"
        listen_tls = "".join(
            f"\t\tlisten {address}:{s.tls_port} ssl http2 backlog=1024;\n"
            for address in s.bind)
        return (f"\tserver {{\n{listen}"
                "\t\tinclude headers.conf;\n"
                f"\t\treturn 308 https://$host{port}$request_uri;\n\t}}\n"
                f"\tserver {{\n{listen_tls}"
                f"\t\tssl_certificate {s.tls_cert};\n"
                f"\t\tssl_certificate_key {s.tls_key};\n"
                "\t\tssl_protocols TLSv1.2 TLSv1.3;\n"
                "\t\tssl_session_cache shared:tls:2m;\n"
                "\t\tssl_session_tickets off;\n"
                "\t\tinclude site.conf;\n\t}")

    def check_ports(self):
        """Before a start: nginx's own check does not tell a taken port."""
        s = self.settings
        for address in s.bind:
            _check_port(address, s.port, "./bootstrap run --port N, or the "
                        "setting SEOGA_PORT,")
            if s.tls_cert:
                _check_port(address, s.tls_port, "the setting SEOGA_TLS_PORT")
        for address in s.private_bind:
            _check_port(address, s.private_port,
                        "the setting SEOGA_PRIVATE_PORT")

    def test(self, folder):
        """nginx's own check; a mistake in the routes is told by its line."""
        done = subprocess.run(
            [NGINX, "-t", "-q", "-e", "stderr", "-p", f"{folder}/",
             "-c", f"{folder}/nginx.conf"],
            capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        for line in done.stderr.splitlines():
            found = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*) in \S*"
                              r"/routes\.conf:(\d+)$", line)
            if found:
                raise Mistake(f"routes.conf line {found[2]}: {found[1]}")
            self._blame_zone(line, folder)
        raise Mistake("nginx refuses its configuration:\n"
                      + done.stderr.strip())

    @staticmethod
    def _blame_zone(complaint, folder):
        """A limit without a zone: nginx does not tell where it stands."""
        found = re.search(r'zero size shared memory zone "(.*)"', complaint)
        lines = (folder / "routes.conf").read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if line.lstrip().startswith("#"):
                continue
            if found and re.search(rf"zone={re.escape(found[1])}\b", line):
                raise Mistake(f"routes.conf line {number}: there is no zone "
                              f'"{found[1]}" in limits.conf')

    def switch(self, folder):
        """Makes folder the configuration in force; gives the former one."""
        former = self.current.resolve() if self.current.exists() else None
        new = self.folder / f"next.{os.getpid()}"
        new.unlink(missing_ok=True)
        new.symlink_to(folder.name)
        new.rename(self.current)
        return former

    def remove_unused(self):
        in_force = self.current.resolve()
        for path in self.folder.iterdir():
            if path.name.isdigit() and path != in_force:
                shutil.rmtree(path)

    # -- process ----------------------------------------------------------

    def start(self):
        done = subprocess.run(
            [NGINX, "-p", f"{self.current}/",
             "-c", f"{self.current}/nginx.conf",
             "-e", f"{self.settings.var}/log/error.log"],
            env={**os.environ, "TZ": "UTC"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Mistake("nginx did not start:\n" + done.stderr.strip())

    def reload(self):
        """Takes over the configuration in force.  Returns when the last
        process of the old one has gone."""
        master = self.pid()
        old = _children(master)
        os.kill(master, signal.SIGHUP)
        if not _wait(lambda: set(_children(master)) - set(old), 10):
            raise Mistake("nginx did not take over the new configuration; "
                          f"see {self.settings.var}/log/error.log")
        _wait(lambda: not set(_children(master)) & set(old), DRAIN_S)

    def reopen(self):
        os.kill(self.pid(), signal.SIGUSR1)

    def stop(self):
        """Lets running requests end, but not for long."""
        pid = self.pid()
        pids = [pid] if pid else self._left_behind()
        for how, seconds in ((signal.SIGQUIT, 4), (signal.SIGTERM, 2),
                             (signal.SIGKILL, 1)):
            for pid in filter(runs, pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            _wait(lambda: not any(map(runs, pids)), seconds)

    def _left_behind(self):
        """Workers whose master was killed go on with its sockets.  It is by
        their logs that they are ours."""
        logs = f"{self.settings.var.resolve()}/log/"
        return [int(path.parent.name)
                for path in Path("/proc").glob("[0-9]*/comm")
                if _read(path) == "nginx\n" and any(
                    name.startswith(logs) for name in _open_files(path.parent))]


def _check_port(address, port, remedy):
    family = socket.AF_INET6 if address.startswith("[") else socket.AF_INET
    host = "" if address == "*" else address.strip("[]")
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake(f"another program has port {port} of {address}; "
                          f"{remedy} chooses another port") from None
        raise Mistake(f"cannot listen on {address}, port {port}: "
                      f"{error.strerror}") from None


def _read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def _open_files(process):
    try:
        return [os.readlink(link) for link in (process / "fd").iterdir()]
    except OSError:
        return []


def _children(pid):
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def _wait(condition, seconds):
    """Until condition() or the time is over; gives whether it was met."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
