"""What Seoga adds to supervisord's process groups; loaded by supervisord.

supervisord closes a program's socket when the last of its workers dies, so a
program with one worker would answer 502 while that worker is restarted.
This extension holds every group's socket from the group's start to its
removal: requests wait in the backlog instead.

supervisord also starts a worker again that died by itself while its group was
being stopped, even in the moment of the group's removal, when nobody is left
to stop it.  A group that is retired starts nothing again.
"""
from supervisor import events


class ProcessGroups:
    """An RPC interface; supervisord makes it once."""

    def __init__(self, supervisord):
        self._groups = supervisord.process_groups
        self._held = {}
        for name in self._groups:
            self._hold(name)
        events.subscribe(events.ProcessGroupAddedEvent,
                         lambda event: self._hold(event.group))
        events.subscribe(events.ProcessGroupRemovedEvent,
                         lambda event: self._held.pop(event.group, None))

    def _hold(self, name):
        group = self._groups[name]
        if hasattr(group, "socket_manager"):
            self._held[name] = group.socket_manager.get_socket()

    def retire(self, name):
        """Before a group is stopped for good."""
        for process in self._groups[name].processes.values():
            process.config.autostart = process.config.autorestart = False
        return True


def make(supervisord, **_config):
    return ProcessGroups(supervisord)
