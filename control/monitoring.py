"""Prometheus, Alertmanager and the exporters beside one instance.

Only with SEOGA_MONITORING=on.  They are Debian's packages, run by the
instance's own supervisord, listen on this host alone and keep what they know
in var/monitoring.
"""
import json
import os
import re
import shlex
import shutil
import socket

from settings import TOP, Mistake, from_template

HERE = TOP / "monitoring"
HOST = "127.0.0.1"
GROUP = "monitor."      # no name of a program or a job has a dot
KEEP_DAYS, KEEP_SIZE = "15d", "512MB"

# Name, the package's program, the setting of its port, the port.
MEMBERS = (
    ("prometheus", "prometheus", "PROMETHEUS_PORT", 9090),
    ("alertmanager", "prometheus-alertmanager", "ALERTMANAGER_PORT", 9093),
    ("node-exporter", "prometheus-node-exporter", "NODE_EXPORTER_PORT", 9100),
    ("nginx-exporter", "prometheus-nginx-exporter", "NGINX_EXPORTER_PORT", 9113),
    ("redis-exporter", "prometheus-redis-exporter", "REDIS_EXPORTER_PORT", 9121),
    ("mysqld-exporter", "prometheus-mysqld-exporter", "MYSQLD_EXPORTER_PORT", 9104),
)


class Monitor:
    """One process, as Workers knows programs and jobs."""
    template = "monitor.conf.in"
    workers = 1

    def __init__(self, name, command):
        self.name = name
        self.binary = shlex.join(map(str, command))

    @property
    def group(self):
        return GROUP + self.name

    def socket(self, _settings):
        return ""


def is_monitor(group):
    return group.startswith(GROUP)


class Monitoring:
    def __init__(self, settings):
        self.settings = settings
        self.folder = settings.var / "monitoring"
        self.ports_file = self.folder / "ports.json"

    @property
    def on(self):
        return self.settings.monitoring

    def monitors(self):
        """Writes all configuration; gives the monitors to be run."""
        if not self.on:
            return []
        for folder in (self.folder, self.folder / "prometheus",
                       self.folder / "alertmanager"):
            folder.mkdir(exist_ok=True, mode=0o700)
        binaries = {name: _find(program) for name, program, *_ in MEMBERS}
        self._choose_ports()
        self._write_conf()
        return [Monitor(name, [binaries[name], *options])
                for name, options in self._options().items()]

    def addresses(self):
        """Name -> address of those that run, as they were started."""
        try:
            ports = json.loads(self.ports_file.read_text())
        except (OSError, ValueError):
            ports = {}
        return {name: f"http://{HOST}:{ports[name]}/"
                for name, *_ in MEMBERS if name in ports}

    # -- ports ------------------------------------------------------------

    def _choose_ports(self):
        """What is set is meant; else the usual one, or any if another
        program has that."""
        ports = {}
        for name, _, setting, usual in MEMBERS:
            port = self.settings.port_of(setting, usual)
            is_set = bool(self.settings.get(setting, ""))
            if port and not _is_free(port):
                if is_set:
                    raise Mistake(
                        f"another program has port {port} of {HOST}; the "
                        f"setting SEOGA_{setting} chooses another port")
                port = 0
            ports[name] = port or _free_port(ports.values())
        self.ports_file.write_text(json.dumps(ports) + "\n")

    # -- configuration ----------------------------------------------------

    def _write_conf(self):
        rules = self.folder / "rules"
        shutil.rmtree(rules, ignore_errors=True)
        rules.mkdir()
        for rule in (HERE / "rules").glob("*.yml"):
            # Not its mode: where they come from may be read only.
            shutil.copyfile(rule, rules / rule.name)
        self._write("prometheus.yml", self._fill_prometheus())
        self._write("alertmanager.yml", self._fill_alertmanager())
        self._write("mysqld.cnf", self._db_account())
        self._write("redis.json", json.dumps(
            {self._redis(): self.settings.secret_text("REDIS_PASSWORD")}))

    def _write(self, name, text):
        """Some of them hold passwords."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)

    def _fill_prometheus(self):
        at = {name: address.split("/")[2]
              for name, address in self.addresses().items()}
        s = self.settings
        return from_template(
            HERE / "prometheus.yml.in", INTERVAL=s.scrape_s,
            TIMEOUT=min(s.scrape_s, 10),
            URL=s.url.rstrip("/"), SEOGA=self._private(),
            RULES=self.folder / "rules",
            **{name.partition("-")[0].upper(): address
               for name, address in at.items()})

    def _fill_alertmanager(self):
        s = self.settings
        email = _email(s)
        people = email + _webhook(s)
        return from_template(
            HERE / "alertmanager.yml.in", WAIT=s.alert_wait_s,
            SOON=min(s.alert_wait_s, 5),
            INTERVAL=s.alert_interval_s,
            SINK=f"http://{self._private()}/alerts", PEOPLE=people,
            TEMPLATE=HERE / "alert.tmpl")

    def _private(self):
        """Host and port of the private side."""
        s = self.settings
        everywhere = {"*": HOST, "0.0.0.0": HOST, "[::]": "[::1]"}
        hosts = [everywhere.get(host, host) for host in s.private_bind]
        return f"{HOST if HOST in hosts else hosts[0]}:{s.private_port}"

    def _db_account(self):
        s = self.settings
        if s.private_db:
            where = f"socket={s.run}/mariadb.sock\n"
            user = "seoga_monitor"
            password = s.secret_file("db-monitor").read_text().strip()
        else:
            where = _first_host(s.get("DB_HOSTS", ""))
            user = s.get("MONITOR_DB_USER", s.get("DB_USER", "seoga"))
            password = s.secret_text(
                "MONITOR_DB_PASSWORD" if s.get("MONITOR_DB_USER", "")
                else "DB_PASSWORD")
        return f"[client]\n{where}user={user}\npassword={password}\n"

    def _redis(self):
        s = self.settings
        if s.private_redis:
            return f"unix://{s.run}/redis.sock"
        host = re.split("[ ,]+", s.get("REDIS_HOSTS", ""))[0]
        return f"unix://{host}" if host.startswith("/") else f"redis://{host}"

    # -- command lines ----------------------------------------------------

    def _options(self):
        listen = {name: address.split("/")[2]
                  for name, address in self.addresses().items()}
        long = "--web.listen-address="
        return {
            "prometheus": [
                f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/prometheus",
                f"--storage.tsdb.retention.time={KEEP_DAYS}",
                f"--storage.tsdb.retention.size={KEEP_SIZE}",
                f"--web.external-url=http://{listen['prometheus']}/",
                long + listen["prometheus"], "--log.level=warn"],
            "alertmanager": [
                f"--config.file={self.folder}/alertmanager.yml",
                f"--storage.path={self.folder}/alertmanager",
                f"--web.external-url=http://{listen['alertmanager']}/",
                "--cluster.listen-address=",
                long + listen["alertmanager"], "--log.level=warn"],
            # Debian's asks systemd, which may not run.
            "node-exporter": ["--no-collector.systemd",
                              long + listen["node-exporter"],
                              "--log.level=warn"],
            "nginx-exporter": [f"-nginx.scrape-uri=http://{self._private()}/nginx_status",
                      "-nginx.retries=20", "-nginx.retry-interval=1s",
                      f"-web.listen-address={listen['nginx-exporter']}"],
            "redis-exporter": [f"-redis.addr={self._redis()}",
                      f"-redis.password-file={self.folder}/redis.json",
                      f"-web.listen-address={listen['redis-exporter']}"],
            "mysqld-exporter": [f"--config.my-cnf={self.folder}/mysqld.cnf",
                       long + listen["mysqld-exporter"], "--log.level=warn"],
        }


def _email(s):
    """The receiver's e-mail, in YAML, or nothing."""
    server, people = s.get("ALERT_SMTP", ""), s.get("ALERT_TO", "")
    if not server or not people:
        return ""
    lines = [f"to: {_quoted(people)}",
             "from: " + _quoted(s.get("ALERT_FROM", _sender())),
             f"smarthost: {_quoted(server)}",
             "require_tls: " + ("true" if s.alert_tls == "on" else "false"),
             "send_resolved: true"]
    account = s.get("ALERT_SMTP_USER", "")
    if account:
        lines += [f"auth_username: {_quoted(account)}",
                  "auth_password: "
                  + _quoted(s.secret_text("ALERT_SMTP_PASSWORD"))]
    lines += ["html: ''", "text: '{{ template \"seoga.text\" . }}'"]
    return "    email_configs:\n      - " + "\n        ".join(lines) + "\n"


def _webhook(s):
    url = s.get("ALERT_WEBHOOK", "")
    if not url:
        return ""
    return ("    webhook_configs:\n"
            f"      - url: {_quoted(url)}\n"
            "        send_resolved: true\n")


def _quoted(text):
    """A JSON string is one of YAML, too."""
    return json.dumps(text)


def _sender():
    return "seoga@" + socket.getfqdn()


def _first_host(hosts):
    host = re.split("[ ,]+", hosts.strip())[0]
    if host.startswith("/"):
        return f"socket={host}\n"
    name, _, port = host.partition(":")
    return f"host={name}\nport={port or 3306}\n"


def _find(program):
    path = shutil.which(program, path="/usr/bin:/usr/local/bin:"
                        + os.environ.get("PATH", ""))
    if not path:
        raise Mistake(f"the monitoring needs {program}, which is not "
                      "installed; ./bootstrap run monitoring installs it")
    return path


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port(taken):
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        if port not in taken:
            return port
