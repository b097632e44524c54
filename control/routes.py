"""Reads nginx/routes.conf: one plain nginx line per route.

	location = /books { set $prog books; include run.conf; }  # workers=2

nginx itself reads the same lines; from them come here the list of programs,
their sockets and their numbers of workers.  doc/routes.md is the reader's
description.
"""
import hashlib
import re

from settings import Mistake

LINE = re.compile(r"""
    location \s+ (?P<path> (?: (?:=|~\*?|\^~) \s* )? (?:"[^"]*"|[^\s{"]+) ) \s*
    \{ (?P<body> [^{}]*) \} \s*
    (?: \# (?P<options> .*) )? $""", re.X)
PROGRAM = re.compile(r"[a-z][a-z0-9-]{0,30}$")
MOST_WORKERS = 64
DEFAULT_WORKERS = 2


class Route:
    def __init__(self, line, path, prog, workers, slow, limit, body, on=True):
        self.line = line
        self.path = path
        self.prog = prog
        self.workers = workers      # None: said on another line
        self.slow = slow
        self.limit = limit          # as in limit_req, or ""
        self.body = body            # as in client_max_body_size, or ""
        self.on = on


class Program:
    """All workers behind one socket."""
    template = "program.conf.in"

    def __init__(self, name, binary):
        self.name = name
        self.binary = binary
        self.workers = None
        self.slow = False

    @property
    def group(self):
        """Name and generation: with other settings it is another group with
        another socket, so that the old one can finish its work."""
        mark = hashlib.sha256(
            f"{self.binary} {self.workers}".encode()).hexdigest()
        return f"{self.name}-{mark[:8]}"

    def socket(self, settings):
        return settings.run / f"{self.group}.sock"


def wrong(line, text):
    return Mistake(f"routes.conf line {line}: {text}")


def read(text):
    """All routes, also those switched off (a "#" before "location")."""
    routes = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        off = re.match(r"#\s*(location\s.*\{.*)", line)
        if off:
            try:
                routes.append(_route(number, off[1], on=False))
            except Mistake:
                pass    # a remark that looks like a route
        elif line and not line.startswith("#"):
            routes.append(_route(number, line))
    return routes


def _route(number, line, on=True):
    match = LINE.match(line)
    if not match:
        raise wrong(number, "this is not a route; a route is one line: "
                    "location PATH { set $prog PROGRAM; include run.conf; }"
                    "  # workers=2")
    body = [d.split() for d in match["body"].split(";")]
    if body.pop():
        raise wrong(number, 'a ";" is missing before "}"')
    names = [d[2] for d in body
             if d[:2] == ["set", "$prog"] and len(d) == 3]
    if len(names) != 1:
        raise wrong(number, "name the program once: set $prog PROGRAM;")
    if not PROGRAM.match(names[0]):
        raise wrong(number, f'"{names[0]}" is not the name of a program')
    if ["include", "run.conf"] not in body:
        raise wrong(number, "include run.conf; is missing")
    workers, slow = _options(number, match["options"] or "")
    return Route(number, match["path"], names[0], workers, slow,
                 _value(body, "limit_req"),
                 _value(body, "client_max_body_size"), on)


def _value(body, directive):
    return "; ".join(" ".join(d[1:]) for d in body if d[:1] == [directive])


def _options(number, text):
    workers, slow = None, False
    for word in text.split():
        name, _, value = word.partition("=")
        if word == "slow":
            slow = True
        elif name == "workers":
            if not re.match(r"[0-9]{1,3}$", value) or \
                    not 1 <= int(value) <= MOST_WORKERS:
                raise wrong(number, f'workers is "{value}"; it must be a '
                            f"number from 1 to {MOST_WORKERS}")
            workers = int(value)
        else:
            raise wrong(number, f'"{word}" after the "#" is unknown; there '
                        "are workers=N and slow")
    return workers, slow


def programs(routes, find):
    """Program by name, for the routes that are on.  find(name) gives the
    executable or None.  Lines of one program must not contradict."""
    found = {}
    for route in routes:
        if not route.on:
            continue
        binary = find(route.prog)
        if not binary:
            raise wrong(route.line, f'there is no program "{route.prog}"')
        prog = found.setdefault(route.prog, Program(route.prog, binary))
        if route.workers and prog.workers not in (None, route.workers):
            raise wrong(route.line, f"{route.prog} has {prog.workers} "
                        "workers on an earlier line; say it once")
        prog.workers = route.workers or prog.workers
        prog.slow = prog.slow or route.slow
    for prog in found.values():
        prog.workers = prog.workers or DEFAULT_WORKERS
    return found
