"""Where everything is and how it is set: one instance of Seoga.

doc/configuration.md has the table of settings.  A setting comes from the
environment; else, while the site runs, from what it was started with; else
it has a default.
"""
import hashlib
import json
import os
import re
import secrets
import socket
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 107   # sun_path of unix(7), without its NUL
LONGEST_SOCKET_NAME = 44    # "/" program "-" hash ".sock"

# What the programs and servers read when they start, and never again.
READ_AT_START = tuple("SEOGA_" + name for name in (
    "EVENTS_MAX", "EVENTS_RETRY_MS", "EVENTS_KEEP_S",
    "DB_HOSTS", "DB_NAME", "DB_USER", "REDIS_HOSTS", "REDIS_DB",
    "CONNECT_MS", "COMMAND_MS", "SESSION_S", "REMEMBER_S", "LOCK_S",
    "ORDER_EXPIRY_S", "CACHE_S", "BREAKER_FAILURES", "BREAKER_TIMEOUT_S",
    "BREAKER_PROBE_MS", "BREAKER_RESET_S", "BREAKER_FILE",
    "TELEMETRY", "TRACE_RATE", "TRACE_PER_S", "TRACE_KEEP_S",
    "SQL_COMMENTS",
    "TRACE_MAX", "TRACE_BYTES", "RING_FILE", "METRIC_FILE", "HISTORY_FILE",
    "HISTORY_STEP_S", "ATTACK_FILE", "TREND_FILE",
    "MONITORING", "SCRAPE_S", "ALERT_WAIT_S", "ALERT_INTERVAL_S",
    "ALERT_SMTP", "ALERT_SMTP_TLS", "ALERT_SMTP_USER", "ALERT_TO",
    "ALERT_FROM", "ALERT_WEBHOOK", "PROMETHEUS_PORT", "ALERTMANAGER_PORT",
    "NODE_EXPORTER_PORT", "NGINX_EXPORTER_PORT", "REDIS_EXPORTER_PORT",
    "MYSQLD_EXPORTER_PORT", "MONITOR_DB_USER",
    "FORM_LIMIT", "COVER_DIR", "S3_URL", "S3_REGION",
    "S3_KEY_ID", "S3_MS", "TEMPLATES", "STATIC", "LOCALE", "LOG_FILE"))


class Mistake(Exception):
    """A sentence for the administrator; the command ends with status 1."""


def from_template(template, **values):
    """The text of a control/ or nginx/ template with every @NAME@ filled."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def alive(pid_file, mark):
    """The pid in pid_file if such a process runs and its command line has
    mark (a path of this instance), else None: pids are used again."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(mark).encode() in command else None


def runs(pid):
    """Whether there is such a process.  Daemons remove their pid files some
    time before they end: who stops one waits for this."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def default_var():
    """In the tree, or, when installed, in the system's place for it."""
    in_tree = (TOP / "configure.ac").exists()
    return TOP / "var" if in_tree else "/var/lib/seoga/site"


def default_bind():
    """What "localhost" may mean on this machine."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return "127.0.0.1"      # IPv6 is off
    return "127.0.0.1 [::1]"


def _any_port(probe):
    """A free port: nobody else gets it until the probe is closed."""
    probe.bind(("127.0.0.1", 0))
    return probe.getsockname()[1]


class Settings:
    def __init__(self):
        env = os.environ
        self.var = Path(env.get("SEOGA_VAR") or default_var()).absolute()
        self.remembered_file = self.var / "settings.json"
        remembered = self._recall()
        self.values = {**remembered, **{
            name: value for name, value in env.items()
            if name.startswith("SEOGA_")}}
        self.values["SEOGA_VAR"] = str(self.var)
        # "Any free port" was decided when the site started.
        for name in ("SEOGA_PORT", "SEOGA_PRIVATE_PORT"):
            if env.get(name) == "0" and name in remembered:
                self.values[name] = remembered[name]

        self.build = Path(self.get("BUILD", TOP)).absolute()
        self.routes = Path(
            self.get("ROUTES", TOP / "nginx" / "routes.conf")).absolute()
        self.jobs = Path(
            self.get("JOBS", TOP / "control" / "jobs.conf")).absolute()
        self.port = self._number("PORT", 8080, 0, 65535)
        self.bind = (self.get("BIND", "") or default_bind()).replace(
            ",", " ").split()
        self.private_port = self._number("PRIVATE_PORT", 9180, 0, 65535)
        self.private_bind = (
            self.get("PRIVATE_BIND", "") or default_bind()).replace(
            ",", " ").split()
        self.limits = self._choice("LIMITS", "on", ("on", "off"))
        self.trusted_proxies = self.get("TRUSTED_PROXIES", "").replace(
            ",", " ").split()
        self.cors_origins = self.get("CORS_ORIGINS", "").replace(
            ",", " ").split()
        for origin in self.cors_origins:
            if not re.fullmatch(r"[a-z]+://[a-z0-9.:\[\]-]+", origin):
                raise Mistake(f"SEOGA_CORS_ORIGINS has {origin!r}; an origin "
                              "is like https://app.example.org or "
                              "http://localhost:3000.")
        self.telemetry = self._choice("TELEMETRY", "on", ("on", "off"))
        self.trace_rate = str(self.get("TRACE_RATE", "1.0"))
        if not re.fullmatch(r"0(\.[0-9]{1,4})?|1(\.0{1,4})?",
                            self.trace_rate):
            raise Mistake(f"SEOGA_TRACE_RATE is {self.trace_rate!r}; it must "
                          "be a part of 1, with up to four decimals: 0.05 is "
                          "one request of twenty.")
        self.log_keep = self._number("LOG_KEEP", 14, 1, 3650)
        self.log_max_mb = self._number("LOG_MAX_MB", 100, 1, 100000)
        self.nginx_workers = self._number("NGINX_WORKERS", 2, 1, 64)
        self._read_monitoring()
        self.tls_cert = self.get("TLS_CERT", "")
        self.tls_key = self.get("TLS_KEY", "")
        self.tls_port = self._number("TLS_PORT", 8443, 1, 65535)
        if bool(self.tls_cert) != bool(self.tls_key):
            raise Mistake("SEOGA_TLS_CERT and SEOGA_TLS_KEY go together: "
                          "set both or neither.")
        if self.private_port and self.private_port in (
                self.port, self.tls_port if self.tls_cert else None):
            raise Mistake(f"SEOGA_PRIVATE_PORT is {self.private_port}, as is "
                          "the port of the site: what is private needs one "
                          "of its own.")

    def _read_monitoring(self):
        self.monitoring = self._choice(
            "MONITORING", "off", ("on", "off")) == "on"
        self.scrape_s = self._number("SCRAPE_S", 15, 1, 3600)
        self.alert_wait_s = self._number("ALERT_WAIT_S", 30, 0, 3600)
        self.alert_interval_s = self._number("ALERT_INTERVAL_S", 300, 1, 86400)
        self.alert_tls = self._choice("ALERT_SMTP_TLS", "on", ("on", "off"))

    def port_of(self, name, default):
        return self._number(name, default, 0, 65535)

    def get(self, name, default):
        return self.values.get("SEOGA_" + name) or default

    def _number(self, name, default, least, most):
        text = str(self.get(name, default))
        if not text.isascii() or not text.isdigit() or \
                not least <= int(text) <= most:
            raise Mistake(f"SEOGA_{name} is {text!r}; it must be a number "
                          f"from {least} to {most}.")
        return int(text)

    def _choice(self, name, default, choices):
        value = self.get(name, default)
        if value not in choices:
            raise Mistake(f"SEOGA_{name} is {value!r}; it must be one of "
                          f"{', '.join(choices)}.")
        return value

    # -- what belongs to this instance ------------------------------------

    @property
    def run(self):
        """The folder of sockets and pid files: short, because the path of
        a socket is."""
        run = self.var / "run"
        if len(str(run)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
            return run
        mark = hashlib.sha256(str(self.var).encode()).hexdigest()
        return Path("/tmp") / f"seoga-{mark[:12]}"

    def make_folders(self):
        self.var.mkdir(parents=True, exist_ok=True)
        self.run.mkdir(exist_ok=True, mode=0o700)
        if self.run.is_symlink() or self.run.stat().st_uid != os.geteuid():
            raise Mistake(f"{self.run} belongs to somebody else")
        os.chmod(self.run, 0o700)
        for name in ("log", "groups", "nginx", "nginx/tmp", "secret",
                     "redis"):
            (self.var / name).mkdir(exist_ok=True, mode=0o700)

    def remove_sockets(self):
        """When nothing runs any more."""
        for path in self.run.iterdir():
            path.unlink()
        if self.run.parent != self.var:
            self.run.rmdir()

    @property
    def covers(self):
        """The uploaded covers of this host."""
        return Path(self.get("COVER_DIR", self.var / "covers")).absolute()

    @property
    def private_db(self):
        return not self.get("DB_HOSTS", "")

    @property
    def private_redis(self):
        return not self.get("REDIS_HOSTS", "")

    @property
    def url(self):
        host = self.bind[0] if self.bind else "127.0.0.1"
        if host in ("127.0.0.1", "0.0.0.0", "*", "[::]", "[::1]"):
            host = "localhost"
        if self.tls_cert:
            return f"https://{host}:{self.tls_port}/"
        return f"http://{host}:{self.port}/"

    def program_file(self, name):
        """The executable of a FastCGI program, or None."""
        for folder in self._folders("PROGRAM_DIR", "cgi-bin",
                                    "libexec/seoga/cgi-bin"):
            path = folder / name
            if path.is_file() and os.access(path, os.X_OK):
                return path
        return None

    def command_file(self, name):
        """The executable of a command, seoga-NAME, or None."""
        for folder in self._folders("COMMAND_DIR", "bin",
                                    "libexec/seoga"):
            path = folder / f"seoga-{name}"
            if path.is_file() and os.access(path, os.X_OK):
                return path
        return None

    def _command_dir(self):
        """Where programs find the commands that do a part of their work."""
        command = self.command_file("shrink")
        return command.parent if command else ""

    def _folders(self, setting, built, installed):
        if self.get(setting, ""):
            return [Path(self.get(setting, ""))]
        # Installed, control/ is PREFIX/share/seoga/control.
        return [self.build / built, TOP / built,
                TOP.parent.parent / installed]

    def secret_file(self, name):
        """A file with a random secret of this instance, made once."""
        path = self.var / "secret" / name
        if not path.exists():
            self.make_folders()
            new = path.with_suffix(f".{os.getpid()}")
            new.touch(mode=0o600)
            new.write_text(secrets.token_hex(24) + "\n")
            new.rename(path)
        return path

    def environment(self, admin=False):
        """What programs and commands get to see.  Only commands (admin)
        know the account that may change tables."""
        env = {**os.environ, **self.values}
        env.update(SEOGA_BUILD=str(self.build), SEOGA_URL=self.url)
        defaults = {
            "SEOGA_TEMPLATES": TOP / "templates",
            "SEOGA_STATIC": TOP / "static",
            "SEOGA_SQL": TOP / "sql",
            "SEOGA_LOCALE": self._locale_dir(),
            "SEOGA_DOC": self._doc_dir(),
            "SEOGA_BREAKER_FILE": self.run / "breaker",
            "SEOGA_RING_FILE": self.run / "ring",
            "SEOGA_METRIC_FILE": self.run / "metric",
            "SEOGA_HISTORY_FILE": self.run / "history",
            "SEOGA_ATTACK_FILE": self.run / "attack",
            "SEOGA_TREND_FILE": self.run / "trend",
            "SEOGA_LOG_FILE": self.var / "log" / "seoga.log",
            "SEOGA_COVER_DIR": self.covers,
            "SEOGA_COMMAND_DIR": self._command_dir(),
        }
        if self.private_db:
            defaults.update({
                "SEOGA_DB_HOSTS": self.run / "mariadb.sock",
                "SEOGA_DB_NAME": "seoga",
                "SEOGA_DB_USER": "seoga",
            })
            self._secret(defaults, "SEOGA_DB_PASSWORD", "db")
            if admin:
                defaults["SEOGA_DB_ADMIN_USER"] = "seoga_admin"
                self._secret(defaults, "SEOGA_DB_ADMIN_PASSWORD", "db-admin")
        if self.private_redis:
            defaults["SEOGA_REDIS_HOSTS"] = self.run / "redis.sock"
        self._secret(defaults, "SEOGA_SECRET", "key")
        for name, value in defaults.items():
            if not env.get(name):
                env[name] = str(value)
        if not admin:
            for name in [n for n in env if n.startswith("SEOGA_DB_ADMIN_")]:
                del env[name]
        return env

    def secret_text(self, name):
        """A secret that this command itself needs, or ""."""
        value = self.get(name, "")
        file = self.get(name + "_FILE", "")
        if value or not file:
            return value
        try:
            return Path(file).read_text().partition("\n")[0]
        except OSError as error:
            raise Mistake(f"SEOGA_{name}_FILE: {error}") from None

    def _secret(self, defaults, name, file):
        if not self.values.get(name):
            defaults[name + "_FILE"] = self.secret_file(file)

    def _locale_dir(self):
        for folder in (self.build / "locale", TOP / "locale"):
            if folder.is_dir():
                return folder
        return TOP.parent / "locale"

    def _doc_dir(self):
        if (TOP / "doc").is_dir():
            return TOP / "doc"
        return TOP.parent / "doc" / "seoga" / "doc"

    # -- what the running site was started with ---------------------------

    def remember(self):
        """Later commands (reload, user, ...) use the same settings.
        Secrets are not written down: only the names of their files are."""
        keep = {name: value for name, value in self.values.items()
                if not name.endswith(("_PASSWORD", "_SECRET", "_HEADERS"))}
        keep["SEOGA_PORT"] = str(self.port)
        keep["SEOGA_PRIVATE_PORT"] = str(self.private_port)
        keep["SEOGA_BUILD"] = str(self.build)
        self.remembered_file.touch(mode=0o600)
        self.remembered_file.write_text(json.dumps(keep, indent=1) + "\n")

    def refuse_late(self):
        """A reload reaches nginx only: it must not seem to do more, nor may
        later commands go by what is not in force."""
        started_with = self._recall()
        for name in READ_AT_START + self._private_side():
            if self.values.get(name, "") != started_with.get(name, ""):
                raise Mistake(f"{name} is read when the site starts; "
                              "for another value stop it and start it again")

    def _private_side(self):
        """Who reads figures there was told where it is."""
        return ("SEOGA_PRIVATE_PORT", "SEOGA_PRIVATE_BIND") \
            if self.monitoring else ()

    def forget(self):
        self.remembered_file.unlink(missing_ok=True)

    def _recall(self):
        if not alive(self.run / "supervisord.pid",
                     self.var / "supervisord.conf"):
            return {}   # nothing runs; what a crash left does not count
        try:
            return json.loads(self.remembered_file.read_text())
        except (OSError, ValueError):
            return {}

    def choose_ports(self):
        """Port 0 means any free one."""
        with socket.socket() as probe, socket.socket() as private_probe:
            if self.port == 0:
                self.port = _any_port(probe)
                self.values["SEOGA_PORT"] = str(self.port)
            if self.private_port == 0:
                self.private_port = _any_port(private_probe)
                self.values["SEOGA_PRIVATE_PORT"] = str(self.private_port)
