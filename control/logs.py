"""What logrotate is to do with the logs of one instance."""
import shlex
import sys
from pathlib import Path

from settings import TOP, from_template


def write_logrotate(settings):
    """Made when the site starts: it names the instance's own files."""
    folder = settings.var / "log"
    logs = [folder / "*.log", folder / "programs.err"]
    own = Path(settings.environment()["SEOGA_LOG_FILE"])
    if own.parent != folder:
        logs.append(own)
    seoga = Path(sys.argv[0]).resolve()
    path = settings.var / "logrotate.conf"
    path.write_text(from_template(
        TOP / "control" / "logrotate.conf.in",
        LOGS=" ".join(f'"{log}"' for log in logs),
        KEEP=settings.log_keep, MAX=f"{settings.log_max_mb}M",
        REOPEN=f"SEOGA_VAR={shlex.quote(str(settings.var))} "
               f"{shlex.quote(str(seoga))} reopen"))
    # logrotate refuses what others could have written.
    path.chmod(0o600)
