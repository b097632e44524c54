"""Runs supervisord, without what its own command loads to find it, and
without TLS, which it would load for nothing: it listens on a Unix socket.
"""
import sys

# "Not there": http and hashlib do without.
sys.modules["ssl"] = sys.modules["_hashlib"] = None

from supervisor.supervisord import main  # noqa: E402

main()
