"""Takes over the marketplace's old in-memory store: `python -m local.import_marketplace FILE.json`.

`--dry-run` says what would happen and changes nothing. Exits 1 when a row was refused, and 2 when
nothing was taken over at all.
"""

import argparse
import sys
from pathlib import Path

from chalicelib.core import db
from chalicelib.core.db import Connection
from chalicelib.products.marketplace.importing import service
from chalicelib.products.marketplace.importing.errors import NotTheStore
from chalicelib.products.marketplace.importing.schemas import Report


class _OnlyLooked(Exception):
    """Undoes a dry run; holds what it found."""

    def __init__(self, report: Report) -> None:
        super().__init__("nothing was changed")
        self.report = report


def load(text: str, *, dry_run: bool) -> Report:
    """Take over a store in one transaction, or only see what would happen."""

    def work(unit: Connection) -> Report:
        report = service.load(unit, text)
        if dry_run:
            raise _OnlyLooked(report)
        return report

    try:
        return db.write(work)
    except _OnlyLooked as looked:
        return looked.report


def main(arguments: list[str]) -> int:
    """Load the file that the arguments name; the status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m local.import_marketplace")
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="change nothing")
    told = parser.parse_args(arguments)
    try:
        report = load(told.file.read_text(encoding="utf-8"), dry_run=told.dry_run)
    except (OSError, UnicodeError, NotTheStore) as error:
        print(f"{told.file}: {error}", file=sys.stderr)
        return 2
    for collection in sorted(report.added | report.known):
        added, known = report.added.get(collection, 0), report.known.get(collection, 0)
        print(f"{collection}: {added} taken over, {known} were there already")
    for path, reason in report.refused:
        print(f"refused {path}: {reason}", file=sys.stderr)
    return 1 if report.refused else 0


if __name__ == "__main__":
    from app import app as _program  # noqa: F401  the registry says where settings are declared

    sys.exit(main(sys.argv[1:]))
