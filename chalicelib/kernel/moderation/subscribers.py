"""What moderation does when something happened."""

from chalicelib.core.db import Connection
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.moderation.cases import service as cases
from chalicelib.kernel.moderation.events import CaseDecided


@subscribe(CaseDecided)
def tell_reporters(db: Connection, event: CaseDecided) -> None:
    """Tell those who reported it that a case was looked at."""
    cases.tell_reporters(db, event.case_id)
