"""The FastCGI workers and the jobs of one instance, through supervisord.

Each program is one group NAME-GENERATION with its own socket, each job one
without.  All talk goes
through one XML-RPC connection on supervisord's unix socket.
"""
import contextlib
import os
import signal
import subprocess
import time
import xmlrpc.client
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from monitoring import is_monitor
from settings import TOP, Mistake, alive, from_template, runs

HERE = TOP / "control"
SUPERVISORD = ["/usr/bin/python3", HERE / "supervise.py"]
STOP_S = 37     # a little more than stopwaitsecs in program.conf.in


class Workers:
    def __init__(self, settings):
        self.settings = settings
        self.conf = settings.var / "supervisord.conf"
        self.pid_file = settings.run / "supervisord.pid"
        self.groups = settings.var / "groups"
        self.server = xmlrpc.client.ServerProxy(
            "http://localhost", transport=SupervisorTransport(
                None, None, f"unix://{settings.run}/supervisor.sock"))
        self.rpc = self.server.supervisor

    def pid(self):
        return alive(self.pid_file, self.conf)

    # -- supervisord ------------------------------------------------------

    def start(self, programs, jobs):
        """Starts supervisord with just these programs; does not wait.  The
        jobs wait for start_jobs()."""
        self._write_conf()
        for old in self.groups.iterdir():
            old.unlink()
        for prog in [*programs.values(), *jobs.values()]:
            self._write_group(prog, autostart="false")
        subprocess.run(
            [*SUPERVISORD, "-c", self.conf], check=True,
            stdin=subprocess.DEVNULL,
            env={**self.settings.environment(), "PYTHONPATH": str(HERE),
                 "PYTHONDONTWRITEBYTECODE": "1"})

    def _write_conf(self):
        self.conf.write_text(self._filled("supervisord.conf.in"))

    def start_jobs(self, jobs):
        """When the database is up to date."""
        for job in jobs.values():
            self.rpc.startProcessGroup(job.group, False)

    def _write_group(self, prog, autostart="true"):
        self._group_file(prog.group).write_text(self._filled(
            prog.template, GROUP=prog.group, BINARY=prog.binary,
            SOCKET=prog.socket(self.settings), WORKERS=prog.workers,
            AUTOSTART=autostart))

    def _filled(self, template, **values):
        # supervisord expands % in its values.
        values.update(VAR=self.settings.var, RUN=self.settings.run)
        return from_template(HERE / template, **{
            name: str(value).replace("%", "%%")
            for name, value in values.items()})

    def _group_file(self, group):
        return self.groups / f"{group}.conf"

    def await_ready(self, programs, seconds=10):
        """Until supervisord answers and every worker runs."""
        wanted = {prog.group: prog for prog in programs.values()}
        end = time.monotonic() + seconds
        while True:
            missing = self._missing(wanted)
            if not missing:
                return
            if time.monotonic() > end:
                raise self._unsteady(missing)
            time.sleep(0.05)

    def _unsteady(self, names):
        return Mistake(f"these programs do not stay up: {', '.join(names)}; "
                       f"see {self.settings.var}/log/programs.err")

    def _missing(self, wanted):
        try:
            alive_now = self.alive()
        except OSError:
            return ["supervisord"]
        return [prog.name for group, prog in wanted.items()
                if alive_now.get(group, 0) < prog.workers]

    def stop(self):
        pid = self.pid()
        if pid:
            self._stop_all(pid)
        for how in (signal.SIGTERM, signal.SIGKILL):
            self._end_orphans(how)

    def _end_orphans(self, how, seconds=2):
        orphans = list(self._orphans())
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, how)
        end = time.monotonic() + seconds
        while any(map(runs, orphans)) and time.monotonic() < end:
            time.sleep(0.02)

    def _orphans(self):
        """Workers of this instance that outlived their supervisord."""
        mark = f"\0SEOGA_VAR={self.settings.var}\0".encode()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if path.stat().st_uid == os.geteuid() and \
                        mark in b"\0" + (path / "environ").read_bytes() and \
                        b"SUPERVISOR_GROUP_NAME=" in \
                        (path / "environ").read_bytes():
                    yield int(path.name)
            except OSError:
                continue    # it has just gone

    def _stop_all(self, pid):
        try:
            self.rpc.stopAllProcesses(False)
            self._await_stopped(lambda process: True, 8)
            self.rpc.shutdown()
        except (OSError, xmlrpc.client.Error):
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 5
        while runs(pid) and time.monotonic() < end:
            time.sleep(0.02)
        if runs(pid):
            os.kill(pid, signal.SIGKILL)

    # -- workers ----------------------------------------------------------

    def alive(self):
        """Group -> number of workers that supervisord counts as running and
        that really are there."""
        counts = {}
        for process in self.rpc.getAllProcessInfo():
            counts.setdefault(process["group"], 0)
            if process["statename"] == "RUNNING" and runs(process["pid"]):
                counts[process["group"]] += 1
        return counts

    def pids(self, group):
        """The processes of a group that run."""
        return [process["pid"] for process in self.rpc.getAllProcessInfo()
                if process["group"] == group
                and process["statename"] == "RUNNING"]

    def add(self, programs):
        """Starts the groups of these programs beside what runs."""
        for prog in programs:
            self._write_group(prog)
        self.rpc.reloadConfig()
        for prog in programs:
            self.rpc.addProcessGroup(prog.group)

    def await_steady(self, programs):
        """A program that cannot start dies at once, again and again."""
        if not programs:
            return
        self.await_ready({prog.name: prog for prog in programs})
        before = {prog.name: self.pids(prog.group) for prog in programs}
        time.sleep(0.5)
        dying = self._missing({prog.group: prog for prog in programs}) or [
            prog.name for prog in programs
            if self.pids(prog.group) != before[prog.name]]
        if dying:
            raise self._unsteady(dying)

    def remove(self, groups):
        """Lets the workers of these groups finish, and forgets them."""
        groups = set(groups)
        if not groups:
            return
        for group in groups:
            self._group_file(group).unlink(missing_ok=True)
            self.server.groups.retire(group)
            self.rpc.stopProcessGroup(group, False)
        self._await_stopped(lambda p: p["group"] in groups, STOP_S)
        for group in groups:
            self.rpc.removeProcessGroup(group)
            (self.settings.run / f"{group}.sock").unlink(missing_ok=True)
        self.rpc.reloadConfig()

    def remove_retired(self):
        """What a command that was interrupted did not remove."""
        self.remove(group for group in self.alive()
                    if not self._group_file(group).exists())

    def restart(self):
        """Replaces every worker, one of each program at a time."""
        by_number = {}
        for process in self.rpc.getAllProcessInfo():
            if is_monitor(process["group"]):
                continue
            by_number.setdefault(process["name"], []).append(
                f"{process['group']}:{process['name']}")
        for number in sorted(by_number):
            names = by_number[number]
            self._each("stopProcess", names)
            self._await_stopped(
                lambda p: f"{p['group']}:{p['name']}" in names, STOP_S)
            self._each("startProcess", names)
        return sum(map(len, by_number.values()))

    def _each(self, method, names):
        """One round trip for all; one that is down already is no error."""
        self.server.system.multicall([
            {"methodName": f"supervisor.{method}", "params": [name, False]}
            for name in names])

    def _await_stopped(self, concerns, seconds):
        """One that died by itself just before may run again: that is another
        one, which nobody stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and any(
                process["statename"] == "STOPPING"
                for process in self.rpc.getAllProcessInfo()
                if concerns(process)):
            time.sleep(0.05)

    def reopen(self):
        """Log files: those of the workers, and supervisord's own, who has
        those of the monitors."""
        for group in self.alive():
            if not is_monitor(group):
                self.rpc.signalProcessGroup(group, "USR1")
        os.kill(self.pid(), signal.SIGUSR2)
