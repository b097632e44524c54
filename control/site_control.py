"""Starts, stops and changes one instance of the whole site."""
import contextlib
import fcntl
import html
import json
import os
import signal
import subprocess
import time

import jobs as jobs_conf
import routes as routes_conf
from backends import MariaDB, Redis
from edge import Edge
from logs import write_logrotate
from monitoring import GROUP, Monitoring, is_monitor
from settings import Mistake
from workers import Workers

DEMO_ACCOUNTS = (("reader", "reader"), ("student", "student"),
                 ("librarian", "librarian"), ("admin", "admin"))


class Site:
    def __init__(self, settings):
        self.settings = settings
        self.edge = Edge(settings)
        self.workers = Workers(settings)
        self.monitoring = Monitoring(settings)
        self.backends = []
        if settings.private_db:
            self.backends.append(MariaDB(settings))
        if settings.private_redis:
            self.backends.append(Redis(settings))

    @contextlib.contextmanager
    def _lock(self, wait=False):
        """One command at a time changes an instance."""
        self.settings.make_folders()
        with open(self.settings.var / "lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX
                            | (0 if wait else fcntl.LOCK_NB))
            except OSError:
                raise Mistake("another command is changing this site just "
                              "now; try again when it is done") from None
            yield

    def running(self):
        return bool(self.edge.pid() and self.workers.pid())

    def _must_run(self):
        if not self.running():
            raise Mistake(f"no site is running in {self.settings.var}; "
                          "start one with: seoga start")

    # -- routes -----------------------------------------------------------

    def _read_routes(self):
        try:
            text = self.settings.routes.read_text()
        except OSError as error:
            raise Mistake(f"cannot read the routes: {error}") from None
        return text, routes_conf.programs(routes_conf.read(text),
                                          self.settings.program_file)

    def _read_jobs(self):
        try:
            text = self.settings.jobs.read_text()
        except OSError as error:
            raise Mistake(f"cannot read the jobs: {error}") from None
        return jobs_conf.read(text, self.settings.command_file)

    def _applied_routes(self):
        """What the running site has, which may differ from the file."""
        return routes_conf.read(
            (self.edge.current / "routes.conf").read_text())

    # -- start and stop ---------------------------------------------------

    def start(self):
        with self._lock():
            if self.running():
                raise Mistake("a site is running already: "
                              f"{self.settings.url} ({self.settings.var})")
            text, programs = self._read_routes()
            jobs = self._read_jobs()
            try:
                self._start(text, programs, jobs)
            except BaseException:
                self._stop()
                raise

    def _start(self, text, programs, jobs):
        self._stop()    # what a crash may have left
        # For all that are started here: who is woken waits until the waker
        # has no more to do, rather than take the CPU from it.  A request
        # wakes a dozen times, and costs a tenth less CPU this way.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        self.settings.make_folders()
        self.settings.choose_ports()
        # The likely mistakes first, before there is anything to stop.
        self.edge.check_ports()
        folder = self.edge.write(text, programs)
        self.edge.test(folder)
        for backend in self.backends:
            backend.start()
        self._make_error_pages()
        self.edge.switch(folder)
        self.edge.remove_unused()
        self.workers.start(programs, jobs)
        self.settings.remember()
        write_logrotate(self.settings)
        for backend in self.backends:
            backend.await_ready()
        if self.settings.private_db:
            self.backends[0].make_accounts()
            self._command("migrate")
        self.workers.await_ready(programs)
        self.workers.start_jobs(jobs)
        self.workers.await_ready(jobs)
        self.edge.start()
        self._start_monitoring()

    def _start_monitoring(self):
        monitors = self.monitoring.monitors()
        if monitors:
            self.workers.add(monitors)
            self.workers.await_steady(monitors)

    def stop(self):
        with self._lock(wait=True):
            ran = self.running()
            self._stop()
            return ran

    def _stop(self):
        """Outside in: nobody is cut off in the middle."""
        self.edge.stop()
        self.workers.stop()
        for backend in self.backends:
            backend.stop()
        for backend in self.backends:
            backend.await_stopped()
        self.settings.forget()
        self.settings.remove_sockets()

    def run(self):
        """Starts, stays until Ctrl-C or TERM, and stops."""
        stop = []
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda *_: stop.append(True))
        self.start()
        try:
            self._fill_private_instance()
            print(f"Seoga runs on {self.settings.url}   (Ctrl-C stops it)",
                  flush=True)
            self._tell_monitoring()
            while not stop:
                time.sleep(0.1)
                if not self.running():
                    raise Mistake("the site was stopped, or died; see "
                                  f"{self.settings.var}/log")
                self._revive_backends()
        finally:
            print("Stopping.", flush=True)
            self.stop()

    def _tell_monitoring(self):
        if self.monitoring.on:
            for name, address in self.monitoring.addresses().items():
                print(f"    {name:15} {address}", flush=True)

    def _revive_backends(self):
        """A private server that died comes back, as a packaged one does."""
        for backend in self.backends:
            if backend.pid():
                continue
            print(f"{backend.name} died; starting it again.", flush=True)
            backend.start()
            backend.await_ready()

    def _fill_private_instance(self):
        """Sample books and demo accounts: only in a database of our own."""
        if not self.settings.private_db:
            return
        done_file = self.settings.var / "sample.done"
        if not done_file.exists():
            self._command("migrate", "--sample")
            for name, role in DEMO_ACCOUNTS:
                self._command("user", "add", name, "--role", role,
                              "--password-stdin",
                              text=self._demo_password(name) + "\n")
            done_file.touch()
        print("Demo accounts, in this private instance only:")
        for name, role in DEMO_ACCOUNTS:
            print(f"    {name:9} password {self._demo_password(name)}")

    def _demo_password(self, name):
        return f"{name}-of-seoga"

    def _command(self, name, *arguments, text=None):
        """Runs seoga-NAME; what is not built yet is left out."""
        command = self.settings.command_file(name)
        if not command:
            return
        done = subprocess.run(
            [command, *arguments], input=text, text=True,
            capture_output=True, check=False,
            env=self.settings.environment(admin=True))
        if done.returncode != 0:
            raise Mistake(f"seoga {name} failed: "
                          + (done.stderr or done.stdout).strip())

    # -- changes under way ------------------------------------------------

    def reload(self):
        """Applies routes.conf, jobs.conf and the settings of nginx without
        losing a request: new workers first, then nginx, then the old workers go.
        Gives the names of the programs with new workers, and of those that
        were stopped."""
        with self._lock():
            self._must_run()
            self.settings.refuse_late()
            text, programs = self._read_routes()
            jobs = self._read_jobs()
            folder = self.edge.write(text, programs)
            try:
                self.edge.test(folder)
                self._make_error_pages()
                return self._change_over(folder, programs, jobs)
            finally:
                self.edge.remove_unused()

    def _change_over(self, folder, programs, jobs):
        self.workers.remove_retired()
        there = {group for group in self.workers.alive()
                 if not is_monitor(group)}
        wanted = {prog.group: prog
                  for prog in [*programs.values(), *jobs.values()]}
        new = [prog for group, prog in wanted.items() if group not in there]
        former = None
        try:
            self.workers.add(new)
            self.workers.await_steady(new)
            former = self.edge.switch(folder)
            self.edge.reload()
        except BaseException:
            if former:
                self.edge.switch(former)
            self.workers.remove(prog.group for prog in new)
            raise
        self.settings.remember()
        gone = there - set(wanted)
        self.workers.remove(gone)
        stopped = {group.rpartition("-")[0] for group in gone}
        return (sorted(prog.name for prog in new),
                sorted(stopped - set(programs) - set(jobs)))

    def restart(self):
        with self._lock():
            self._must_run()
            return self.workers.restart()

    def reopen(self):
        """After log files were moved away."""
        self._must_run()
        self.edge.reopen()
        self.workers.reopen()
        for backend in self.backends:
            backend.reopen()

    # -- error pages ------------------------------------------------------

    def _make_error_pages(self):
        folder = self.settings.var / "errors"
        folder.mkdir(exist_ok=True)
        if self.settings.command_file("errors"):
            self._command("errors", str(folder))
            return
        for status, text in PLAIN_ERRORS.items():
            for lang in ("ko", "en"):
                (folder / f"{status}.{lang}.html").write_text(
                    _plain_page(status, text, lang))
                (folder / f"{status}.{lang}.json").write_text(
                    _plain_problem(status, text))

    # -- what is there ----------------------------------------------------

    def table(self):
        """Rows of strings for `seoga routes`, the heading first."""
        if self.running():
            table, alive_now = self._applied_routes(), self.workers.alive()
        else:
            text = self.settings.routes.read_text()
            table, alive_now = routes_conf.read(text), {}
        on = routes_conf.programs(
            table, lambda name: self.settings.program_file(name) or name)
        rows = [("PATH", "PROGRAM", "WORKERS", "ALIVE", "LIMIT", "BODY")]
        for route in table:
            prog = on.get(route.prog) if route.on else None
            rows.append((
                route.path, route.prog,
                str(prog.workers) if prog else "off",
                str(alive_now.get(prog.group, 0)) if prog else "-",
                route.limit or "-", route.body or "-"))
        return rows

    def status(self):
        rows = [("nginx", self.edge.pid()),
                ("supervisord", self.workers.pid())]
        rows += [(b.name, b.pid()) for b in self.backends]
        if not self.running():
            return rows
        rows += [(job.name, " ".join(map(str, self.workers.pids(job.group))))
                 for job in self._read_jobs().values()]
        return rows + self._monitoring_status()

    def _monitoring_status(self):
        if not self.monitoring.on:
            return []
        pids = {name: self.workers.pids(GROUP + name)
                for name in self.monitoring.addresses()}
        return [(name, f"{pids[name][0]}   {address}" if pids[name] else "")
                for name, address in self.monitoring.addresses().items()]


PLAIN_ERRORS = {
    400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 413: "Content Too Large",
    429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}
TRACE = '<!--# echo var="trace_id" -->'


def _plain_page(status, text, lang):
    text = html.escape(f"{status} {text}")
    return (f'<!DOCTYPE html>\n<html lang="{lang}"><title>{text}</title>\n'
            f"<h1>{text}</h1>\n<p>{TRACE}</p>\n</html>\n")


def _plain_problem(status, text):
    return json.dumps({"type": "about:blank", "title": text, "status": status,
                       "request_id": "@"}).replace("@", TRACE) + "\n"
