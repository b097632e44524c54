"""Keeps the FastCGI sockets of supervisord open while no worker holds them.

supervisord closes a program's socket when the last of its workers dies, so a
program with one worker would answer 502 while that worker is restarted.
This extension holds every group's socket from the group's start to its
removal: requests wait in the backlog instead.
"""
from supervisor import events


class Sockets:
    """An RPC interface without methods; supervisord makes it once."""

    def __init__(self, supervisord):
        self.supervisord = supervisord
        self.held = {}
        for name in supervisord.process_groups:
            self.hold(name)
        events.subscribe(events.ProcessGroupAddedEvent,
                         lambda event: self.hold(event.group))
        events.subscribe(events.ProcessGroupRemovedEvent,
                         lambda event: self.held.pop(event.group, None))

    def hold(self, name):
        group = self.supervisord.process_groups[name]
        if hasattr(group, "socket_manager"):
            self.held[name] = group.socket_manager.get_socket()


def make(supervisord, **_config):
    return Sockets(supervisord)
