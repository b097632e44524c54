"""A private instance of Seoga to measure: its life, members and processes.

What is measured lives in a folder of its own, which goes when it is done.
"""
import http.client
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("SEOGA_BUILD") or TOP).absolute()
SEOGA = TOP / "bin" / "seoga"
ACCOUNT = "seoga"       # who runs the instance when root measures


class Trouble(Exception):
    """A sentence for whoever measures; the command ends with status 1."""


# --- whom the instance belongs to ---------------------------------------

def private_folder():
    """A new folder for an instance, in the hands of its account."""
    folder = Path(tempfile.mkdtemp(prefix="seoga-bench-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def leave_root(folder):
    """Nothing of the site runs as root: become the folder's owner."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwuid(folder.stat().st_uid)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=account.pw_name,
                      LOGNAME=account.pw_name)


def read_file(path):
    return Path(path).read_text(encoding="utf-8")


class Instance:
    """One site, that runs or is about to, in the folder SEOGA_VAR."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.env = {**os.environ, "SEOGA_VAR": str(folder),
                    "SEOGA_BUILD": str(BUILD)}

    def seoga(self, *arguments, text=None):
        done = subprocess.run([SEOGA, *arguments], env=self.env, input=text,
                              text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"seoga {arguments[0]} failed: "
                          + (done.stderr or done.stdout).strip())
        return done.stdout

    def settings(self):
        lines = self.seoga("env").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def port(self):
        return urllib.parse.urlsplit(self.settings()["SEOGA_URL"]).port

    # -- life -------------------------------------------------------------

    def start(self, sample=True):
        """Limits off, all else as a real site has it; logging is on."""
        settings = {"SEOGA_LIMITS": "off", "SEOGA_PORT": "0",
                    "SEOGA_PRIVATE_PORT": "0",
                    "SEOGA_BIND": "127.0.0.1"}
        asked = self.env
        self.env = {**asked, **settings}
        self.seoga("start")
        self.env = asked        # the rest is as it was started
        if sample:
            self.seoga("migrate", "--sample")

    def remove(self):
        if self.folder.exists():
            self.seoga("stop")
            shutil.rmtree(self.folder)

    # -- SQL --------------------------------------------------------------

    def sql(self, text, root=False):
        """Runs SQL as the account of migrations, or as the private server's
        root; gives the rows as lists of texts."""
        env = self.settings()
        user, secret = env["SEOGA_DB_ADMIN_USER"], "db-admin"
        if root:
            user, secret = "root", "db-root"
        password = read_file(self.folder / "secret" / secret).strip()
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             f"--socket={env['SEOGA_DB_HOSTS']}", f"--user={user}",
             "--default-character-set=utf8mb4", env["SEOGA_DB_NAME"]],
            env={**self.env, "MYSQL_PWD": password}, input=text, text=True,
            capture_output=True, check=False)
        if done.returncode != 0:
            raise Trouble("MariaDB refuses: " + done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    # -- processes --------------------------------------------------------

    def processes(self):
        """Part of the site -> the pids that are it now."""
        nginx = self._pid("nginx")
        supervisor = self._pid("supervisord")
        return {
            "programs": _children(supervisor),
            "supervisor": [supervisor],
            "nginx": [nginx, *_children(nginx)],
            "MariaDB": [self._pid("mariadb")],
            "Redis": [self._pid("redis")],
        }

    def _pid(self, name):
        return int(read_file(self.folder / "run" / f"{name}.pid"))

    def cpu_ns(self):
        """Part of the site -> nanoseconds of CPU it has had.

        A child that died is in the times of the parent that waited for it,
        so programs that are started again are counted, too.
        """
        pids = self.processes()
        time_of = {part: sum(map(process_ns, those))
                   for part, those in pids.items()}
        time_of["programs"] += time_of.pop("supervisor")
        time_of["programs"] += _buried_ns(pids["supervisor"][0])
        time_of["nginx"] += _buried_ns(pids["nginx"][0])
        time_of["Redis"] += _buried_ns(pids["Redis"][0])
        return time_of

    def pss_kib(self):
        """Part of the site -> (processes, KiB of memory, shared pages
        counted by share)."""
        return {part: (len(pids), sum(map(_pss_of, pids)))
                for part, pids in self.processes().items()}


def _children(pid):
    return list(map(int, read_file(
        f"/proc/{pid}/task/{pid}/children").split()))


def process_ns(pid):
    """CPU time of a process with all its threads, dead ones as well: its
    clock of clock_getcpuclockid(3)."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0    # gone; its parent has its time


def _buried_ns(pid):
    fields = read_file(f"/proc/{pid}/stat").rpartition(")")[2].split()
    ticks = int(fields[13]) + int(fields[14])   # cutime, cstime
    return ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def _pss_of(pid):
    try:
        text = read_file(f"/proc/{pid}/smaps_rollup")
    except OSError:
        return 0
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])


# --- a client -------------------------------------------------------------

class Reader:
    """A member with a browser and an API token."""

    def __init__(self, instance_port, name):
        self.port = instance_port
        self.name = name
        self.cookie = self.token = self.csrf = ""

    def ask(self, method, path, body=None, headers=None):
        """One request; gives the status and the body, keeps cookies."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=30)
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        for line in reply.msg.get_all("Set-Cookie", []):
            if line.startswith("sid="):
                self.cookie = line.split(";")[0]
        return reply.status, text

    def get(self, path):
        return self.ask("GET", path, None, self.page_headers())

    def page_headers(self):
        return {"Cookie": self.cookie}

    def api_headers(self):
        return {"Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json"}

    def sign_in(self):
        password = f"{self.name}-of-seoga"
        body = f'{{"username":"{self.name}","password":"{password}"}}'
        status, text = self.ask("POST", "/api/users/login", body,
                                {"Content-Type": "application/json"})
        expect(status == 200, f"signing in gave {status}: {text}")
        self.token = re.search(r'"token":"([^"]+)"', text)[1]
        self._sign_in_page(password)

    def _sign_in_page(self, password):
        csrf = csrf_of(self.get("/login")[1])
        form = urllib.parse.urlencode({
            "csrf": csrf, "username": self.name, "password": password})
        status, _ = self.ask("POST", "/login", form, {
            **self.page_headers(),
            "Content-Type": "application/x-www-form-urlencoded"})
        expect(status == 303, f"the login form gave {status}")
        self.csrf = csrf_of(self.get("/cart")[1])

    def api(self, method, path, body=None):
        return self.ask(method, path, body, self.api_headers())


def csrf_of(page):
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    expect(found, "the page has no form")
    return found[1]


def expect(condition, otherwise):
    if not condition:
        raise Trouble(otherwise)


def main_of(function):
    """Runs a command; what went wrong is one sentence."""
    try:
        sys.exit(function())
    except Trouble as trouble:
        print(f"{Path(sys.argv[0]).name}: {trouble}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
