"""What comes in and goes out of the work of staff."""

from typing import Literal
from uuid import UUID

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema
from chalicelib.products.marketplace.schemas import Post, PostStatus


class StaffPostQuery(PageQuery):
    """Which posts; what is left out does not narrow."""

    status: PostStatus | None = None
    user_id: UUID | None = None


class StaffPost(Post):
    """A post as staff see it: removed ones too, and by whom. The contact stays sealed."""

    removed_by: Literal["author", "staff", "moderation"] | None


class Removal(Schema):
    """Why a post is removed; its author is told."""

    reason: Literal["spam", "fraud", "offensive", "illegal", "other"]
