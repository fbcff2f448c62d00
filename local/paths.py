"""Where the local cloud keeps its state. Standard library only: the installer reads this too."""

import hashlib
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

PYTHON_ENVIRONMENT = REPOSITORY / ".venv"

# Installed code stays with the repository even where KITH_CLOUD_HOME moves the state away.
AWS_ENVIRONMENT = REPOSITORY / ".cloud" / "aws-venv"


def cloud_home() -> Path:
    """The folder of everything that survives between runs: databases, objects, ports, logs.

    `KITH_CLOUD_HOME` moves it; otherwise it is `.cloud` in the repository, which git ignores.
    """
    chosen = os.environ.get("KITH_CLOUD_HOME")
    return Path(chosen).expanduser().resolve() if chosen else REPOSITORY / ".cloud"


def readable_home() -> Path:
    """A folder that every account may enter, one for each clone, used when root runs the cloud.

    PostgreSQL refuses to run as root. Started by root it runs as another account, which may not
    be able to enter the clone (below /root, say), so its data and binaries go here.
    """
    clone = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"kith-{clone}"  # noqa: S108 - its owner is checked before use


def everyone_may_enter(folder: Path) -> bool:
    """Whether any account can reach the folder: it and all above it are open for searching."""
    folder = folder.resolve()
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents) if each.exists())
