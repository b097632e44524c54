"""Runs supervisord, without what its own command loads to find it."""
from supervisor.supervisord import main

main()
