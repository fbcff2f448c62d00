"""Modules that a Lambda of its own may never need, loaded when it first uses them.

A handler calls its own domain's service and a little of what that stands on; the tables, the
statements and the gateways of everything else would cost every cold start a third of its time.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

_NAMES = frozenset({"service", "queries", "tables", "gateway"})
_PACKAGES = ("chalicelib.kernel.", "chalicelib.products.")


class _WhenUsed(MetaPathFinder):
    """Finds such modules, and has them loaded at the first look at what they hold."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec with a lazy loader; None for a module that is loaded at once."""
        if fullname.rpartition(".")[2] not in _NAMES or not fullname.startswith(_PACKAGES):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def when_used() -> None:
    """Load modules that declare nothing at their first use, from now on."""
    if not any(isinstance(finder, _WhenUsed) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenUsed())


def now(module: ModuleType) -> None:
    """Load a module that may be waiting for its first use."""
    vars(module)
