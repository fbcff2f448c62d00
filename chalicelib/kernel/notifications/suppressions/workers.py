"""The queue of what the mail service tells of mails it sent: bounces and complaints."""

from chalice.app import Blueprint

from chalicelib.core import db
from chalicelib.core.queues import worker
from chalicelib.kernel.notifications.suppressions import service

bp = Blueprint(__name__)


@worker(bp, "ses-feedback", read=str)
def take_feedback(told: str) -> None:
    """Never again write to an address that bounced for good, or complained."""
    db.write(service.suppress, told)
