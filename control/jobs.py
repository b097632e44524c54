"""Reads control/jobs.conf: one line per job.

	relay  workers=1  # delivers events

A job is a command, seoga-NAME, that is kept running beside the site; doc/jobs.md
is the reader's description.
"""
import re

from routes import MOST_WORKERS, PROGRAM, Program
from settings import Mistake


class Job(Program):
    """All processes of one job; they have no socket."""
    template = "job.conf.in"


def wrong(line, text):
    return Mistake(f"jobs.conf line {line}: {text}")


def read(text, find):
    """Job by name.  find(name) gives the executable or None."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        job = _job(number, words, find)
        if job.name in found:
            raise wrong(number, f"{job.name} is on an earlier line already")
        found[job.name] = job
    return found


def _job(number, words, find):
    name, *options = words
    if not PROGRAM.match(name):
        raise wrong(number, f'"{name}" is not the name of a job')
    binary = find(name)
    if not binary:
        raise wrong(number, f'there is no job "{name}"')
    job = Job(name, binary)
    job.workers = 1
    for option in options:
        match = re.fullmatch(r"workers=([0-9]{1,3})", option)
        if not match or not 1 <= int(match[1]) <= MOST_WORKERS:
            raise wrong(number, f'"{option}" is not workers=N with a number '
                        f"from 1 to {MOST_WORKERS}")
        job.workers = int(match[1])
    return job
