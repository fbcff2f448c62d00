"""What accounts do when something happened to one."""

from chalicelib.core.db import Connection
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.accounts.erasure import service as erasure
from chalicelib.kernel.accounts.events import UserErased


@subscribe(UserErased)
def erase_stragglers(db: Connection, event: UserErased) -> None:
    """Erase what a request that was under way wrote after its author was erased."""
    erasure.erase_again(db, event.user_id)
