"""What becomes of posts when something happens elsewhere, and whose they are."""

from contextlib import suppress
from uuid import UUID

from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.moderation import service as moderation
from chalicelib.kernel.moderation.events import ContentRemoved, ContentRestored
from chalicelib.products.marketplace.posts import service

KIND = "marketplace.post"


@moderation.subject(KIND)
def author_of_post(unit: Connection, post_id: UUID, viewer: UUID | None) -> UUID | None:
    """Whose a post is, for a report."""
    return service.author_of(unit, post_id, viewer)


@subscribe(ContentRemoved)
def remove_post(unit: Connection, event: ContentRemoved) -> None:
    """Take down what moderation removed; it may be gone already."""
    if event.subject_kind == KIND:
        with suppress(NotFound):
            service.remove_post(unit, event.subject_id, by="moderation")


@subscribe(ContentRestored)
def restore_post(unit: Connection, event: ContentRestored) -> None:
    """Give back what moderation removed wrongly."""
    if event.subject_kind == KIND:
        service.restore_post(unit, event.subject_id)
