"""Who may do what: every operation, by everybody who may not, with every id that is not theirs."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from tests.faults.matrix import (
    blocks,
    fields,
    links,
    lists,
    objects,
    oneself,
    plants,
    roles,
    sessions,
)
from tests.faults.proof import Planted, Proof
from tests.faults.world import World, world

ALL = 1_000
"""More than there are operations: each once."""


@cache
def _one_for_all() -> World:
    stack = ExitStack()

    def close() -> None:
        # Not atexit: the world's own threads are waited for before that.
        threading.main_thread().join()
        stack.close()

    found = stack.enter_context(world("kith_access"))
    threading.Thread(target=close).start()
    return found


@contextmanager
def WORLD() -> Iterator[World]:  # noqa: N802  the harness asks for it by this name
    """One world for all these proofs, which are many and short."""
    yield _one_for_all()


PROOFS = (
    Proof(
        "access.sessions",
        "Whoever is not signed in, whose session has ended or who was banned gets nothing but what"
        " is open to everybody; whoever's address is not verified gets nothing that asks for that.",
        sessions.run,
        full=ALL,
        short=3,
        planted=(
            Planted("a banned user's session stands", plants.banned_users_stay, tries=1),
            Planted("an ended session stands", plants.ended_sessions_stay, tries=1),
            Planted("a verified address is not asked for", plants.verified_is_not_asked, tries=1),
        ),
    ),
    Proof(
        "access.objects",
        "What belongs to one person does not exist for anybody else, admins included: the answer"
        " is that about a made-up id, byte for byte, and no row changes.",
        objects.run,
        full=ALL,
        short=2,
        planted=(
            Planted("a statement forgets the owner", plants.owner_is_not_asked, tries=1),
            Planted(
                "what is foreign is forbidden, not missing",
                plants.what_is_foreign_is_forbidden,
                tries=2,
            ),
        ),
    ),
    Proof(
        "access.oneself",
        "What somebody reads of their own account holds nothing of anybody else's, and what they"
        " do to it changes nobody else's rows.",
        oneself.run,
        full=ALL,
        short=4,
        planted=(
            Planted("a list forgets whose it is", plants.a_list_is_everybodys, tries=1),
            Planted("marking all as read marks everybody's", plants.everything_is_read, tries=2),
        ),
    ),
    Proof(
        "access.links",
        "A mailed link, a password or a signature works for what it was made for, letter for"
        " letter, and for nothing else.",
        links.run,
        full=ALL,
        short=2,
        planted=(
            Planted("any mailed token sets a password", plants.any_token_resets, tries=1),
            Planted("a token works for anything", plants.a_token_is_for_anything, tries=2),
        ),
    ),
    Proof(
        "access.blocks",
        "Between two people of whom one blocked the other neither sees the other's things or is"
        " told of them, and nobody sees a banned person's; what others see of a post holds"
        " nothing private.",
        blocks.run,
        full=ALL,
        short=4,
        planted=(
            Planted("a post is shown in spite of a block", plants.posts_forget_blocks, tries=1),
            Planted("a search forgets blocks", plants.a_search_forgets_blocks, tries=3),
            Planted(
                "a list tells of people in spite of a block",
                plants.a_list_of_people_forgets_blocks,
                tries=2,
            ),
            Planted("a post tells its author's address", plants.a_post_tells_an_address, tries=1),
        ),
    ),
    Proof(
        "access.roles",
        "Staff do what one of their roles allows, for the products they hold it for, and are"
        " refused everything else.",
        roles.run,
        full=ALL,
        short=4,
        planted=(
            Planted("roles are not looked at", plants.roles_are_not_asked, tries=1),
            Planted("a role for one product holds for all", plants.products_are_not_asked, tries=1),
            Planted("a payment is of any product", plants.payments_are_of_any_product, tries=1),
        ),
    ),
    Proof(
        "access.lists",
        "A cursor leads nobody into a list that is not theirs, whoever's it was.",
        lists.run,
        full=ALL,
        short=4,
        planted=(Planted("a cursor says whose list it is", plants.cursors_are_trusted, tries=2),),
    ),
    Proof(
        "access.fields",
        "A request with a field that was not declared for it is refused, and the field named.",
        fields.run,
        full=ALL,
        short=3,
        planted=(
            Planted(
                "undeclared fields are passed over",
                plants.undeclared_fields_are_passed_over,
                tries=1,
            ),
        ),
    ),
)
