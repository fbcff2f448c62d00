"""All files of one name that the domains of this deployment hold, loaded when somebody asks.

A Lambda imports its own domain and nothing else. Whoever needs what every domain declares (its
jobs, its settings, the kinds of what it tells people, what can be reported) loads those first.
"""

from collections.abc import Callable

_load: Callable[[str], None] | None = None
_loaded: set[str] = set()


def use(load: Callable[[str], None]) -> None:
    """Tell how the files of a name are loaded."""
    global _load  # noqa: PLW0603  set once, by the registry
    _load = load


def load(name: str) -> None:
    """Load `jobs`, `tables`, `events` or `subscribers` of every domain, once."""
    if _load is None:
        raise RuntimeError("the registry has not said where the domains are")
    if name not in _loaded:
        _load(name)
        _loaded.add(name)
