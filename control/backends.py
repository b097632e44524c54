"""The private MariaDB and Redis of one instance, for those without servers.

Both listen on unix sockets in a folder of the instance alone.
"""
import os
import signal
import socket
import subprocess
import time

from settings import TOP, Mistake, alive, from_template, runs

HERE = TOP / "control"
START_S = 30
ACCOUNTS = "3\n"        # which of them an instance has


class Backend:
    """One server process with a socket."""

    def __init__(self, settings, name):
        self.settings = settings
        self.name = name
        self.socket = settings.run / f"{name}.sock"
        self.pid_file = settings.run / f"{name}.pid"
        self.process = None     # if this command started it
        self.stopping = None    # the pid of what was told to stop

    def pid(self):
        if self.process and self.process.poll() is None:
            return self.process.pid     # it may not have its pid file yet
        return alive(self.pid_file, self.mark())

    def _spawn(self, command):
        # In a session of its own: Ctrl-C is for `seoga run` alone, which
        # stops everything in the right order.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

    def _write_conf(self, template):
        path = self.settings.var / template.removesuffix(".in")
        path.write_text(from_template(
            HERE / template, VAR=self.settings.var, RUN=self.settings.run))
        return path

    def await_ready(self):
        end = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Mistake(
                    f"{self.name} did not start; see "
                    f"{self.settings.var}/log/{self.name}.log")
            time.sleep(0.01)

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def stop(self):
        self._await_started()
        self.stopping = self.pid()
        if self.stopping:
            os.kill(self.stopping, signal.SIGTERM)

    def _await_started(self, seconds=10):
        """MariaDB hangs if it gets TERM before it is ready."""
        end = time.monotonic() + seconds
        while self.process and self.process.poll() is None and \
                not self._answers() and time.monotonic() < end:
            time.sleep(0.02)

    def await_stopped(self, seconds=20):
        """Whoever does not stop is killed: both servers lose nothing then
        that they have confirmed."""
        end = time.monotonic() + seconds
        while runs(self.stopping) and time.monotonic() < end:
            time.sleep(0.02)
        if runs(self.stopping):
            os.kill(self.stopping, signal.SIGKILL)


class Redis(Backend):
    def __init__(self, settings):
        super().__init__(settings, "redis")

    def mark(self):
        # Redis shows its socket, not its file, on its command line.
        return self.socket

    def start(self):
        conf = self._write_conf("redis.conf.in")
        self._spawn(["redis-server", str(conf)])

    def reopen(self):
        """It opens its log anew for each line."""


class MariaDB(Backend):
    def __init__(self, settings):
        super().__init__(settings, "mariadb")
        self.conf = settings.var / "mariadb.cnf"
        self.data = settings.var / "mariadb"

    def mark(self):
        return self.conf

    def start(self):
        self._write_conf("mariadb.cnf.in")
        if not (self.data / "mysql").is_dir():
            self._install()
        self._spawn(["/usr/sbin/mariadbd", f"--defaults-file={self.conf}"])

    def _install(self):
        # Installed beside and renamed, so that a half-made one is never used.
        new = self.data.with_suffix(".new")
        done = subprocess.run(
            ["mariadb-install-db", f"--defaults-file={self.conf}",
             f"--datadir={new}", f"--tmpdir={self.settings.var}",
             "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Mistake("mariadb-install-db failed:\n" + done.stdout
                          + done.stderr)
        new.rename(self.data)

    def make_accounts(self):
        """The programs may not change tables; migrations may; who watches
        the server sees no table.  root, who has no password at first, gets
        one: only this folder leads here."""
        done_file = self.settings.var / "mariadb.accounts"
        done = done_file.read_text() if done_file.exists() else None
        if done == ACCOUNTS:
            return
        password = self.settings.secret_file("db").read_text().strip()
        admin = self.settings.secret_file("db-admin").read_text().strip()
        root = self.settings.secret_file("db-root").read_text().strip()
        monitor = self.settings.secret_file("db-monitor").read_text().strip()
        self._sql("" if done is None else root, f"""
            CREATE DATABASE IF NOT EXISTS seoga CHARACTER SET utf8mb4
                COLLATE utf8mb4_unicode_520_ci;
            CREATE OR REPLACE USER seoga@localhost
                IDENTIFIED BY '{password}';
            GRANT SELECT, INSERT, UPDATE, DELETE ON seoga.*
                TO seoga@localhost;
            GRANT REPLICA MONITOR ON *.* TO seoga@localhost;
            CREATE OR REPLACE USER seoga_admin@localhost
                IDENTIFIED BY '{admin}';
            GRANT ALL ON seoga.* TO seoga_admin@localhost;
            CREATE OR REPLACE USER seoga_monitor@localhost
                IDENTIFIED BY '{monitor}' WITH MAX_USER_CONNECTIONS 3;
            GRANT PROCESS, BINLOG MONITOR, REPLICA MONITOR ON *.*
                TO seoga_monitor@localhost;
            ALTER USER root@localhost IDENTIFIED BY '{root}';
            """)
        done_file.write_text(ACCOUNTS)

    def reopen(self):
        """Its log files, after they were moved away."""
        root = self.settings.secret_file("db-root").read_text().strip()
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}",
             "--user=root", "-e", "FLUSH LOCAL ERROR LOGS, SLOW LOGS"],
            env={**os.environ, "MYSQL_PWD": root},
            capture_output=True, check=False)

    def _sql(self, password, text):
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}",
             "--user=root"], input=text, capture_output=True,
            text=True, check=False,
            env={**os.environ, "MYSQL_PWD": password})
        if done.returncode != 0:
            raise Mistake("MariaDB refuses: " + done.stderr.strip())
