"""Who somebody is: addresses that stay unknown, sessions that end, tokens that can't be made up."""

from http import HTTPStatus

from tests.faults import addresses, bursts, endings, families, forgery, mailed, takeovers
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World
from tests.support import people
from tests.support.api import Api

_OPERATIONS = (
    "accounts_profile_me",
    "billing_checkouts_create",
    "moderation_reports_report",
    "billing_gateways_search",
)
"""A reader, one that moves money, one that takes anybody, one for staff."""


def _forgeries(world: World, tries: int, findings: Findings) -> None:
    """So many made-up tokens, each at an operation of every kind of access."""
    described = scenes.every()
    prepared = [(described[name], described[name].prepare(Scene(world))) for name in _OPERATIONS]
    stranger = forgery.Genuine.of(people.person(world.api))
    made = 0
    for description, call in prepared:
        assert call.by
        mine = forgery.Genuine.of(call.by)
        tokens = [*forgery.forged(mine, stranger), *forgery.other_secrets(call.by)][:tries]
        made = len(tokens)
        for name, token in walk(tokens, findings, made, description.operation):
            answer = _with(world, description, call, f"Bearer {token}")
            told = f"{description.operation} took {name}: {answer}"
            findings.hold(answer == HTTPStatus.UNAUTHORIZED, told)
            findings.count("requests with a forged token")
        for scheme in ("Basic ", "Token ", "Bearer", "Bearer  ", "JWT ", ""):
            answer = _with(world, description, call, f"{scheme}{mine.token}")
            told = f"{description.operation} took the scheme {scheme!r}: {answer}"
            findings.hold(answer == HTTPStatus.UNAUTHORIZED, told)
        answer = _with(world, description, call, f"Bearer {mine.token}")
        told = f"{description.operation} refused the genuine token: {answer}"
        findings.hold(answer == description.registered.status, told)
    findings.measure("kinds of forgery", str(made))


def _with(world: World, description: Description, call: Call, authorization: str) -> int:
    client = Api(world.app, headers={"authorization": authorization})
    return scenes.make(description, call, world, by=client).status


PROOFS = (
    Proof(
        name="identity.addresses",
        promise="Nobody learns from any answer whether somebody else's address has an account.",
        run=addresses.tell_nothing,
        full=80,
        short=10,
        planted=(
            Planted("a known address conflicts", addresses.known_address_conflicts, tries=2),
            Planted("only the known are mailed", addresses.only_the_known_are_mailed, tries=12),
        ),
    ),
    Proof(
        name="identity.families",
        promise=(
            "A refresh token that comes twice, in a row or at the same moment, ends its whole"
            " session and no other."
        ),
        run=families.reuse_ends_the_family,
        full=120,
        short=8,
        planted=(
            Planted("a reuse goes unnoticed", families.reuse_goes_unnoticed, tries=4),
            Planted("looked at first, marked afterwards", families.looked_at_first, tries=4),
        ),
    ),
    Proof(
        name="identity.endings",
        promise=(
            "Signing out, a new password, a ban and leaving end every access token at its very"
            " next request, whatever it asks for."
        ),
        run=endings.end_every_token,
        full=500,
        short=5,
        planted=(
            Planted("signed claims are trusted", endings.trusted_claims, tries=3),
            Planted("other sessions live on", endings.other_sessions_live_on, tries=3),
        ),
    ),
    Proof(
        name="identity.forgeries",
        promise="No access token but our own, of a session that stands and for its time, is taken.",
        run=_forgeries,
        full=500,
        short=500,
        planted=(
            Planted("the token names its algorithm", forgery.algorithm_read_from_the_token, 500),
            Planted("what is signed is good for ever", forgery.claims_not_looked_at, tries=500),
        ),
    ),
    Proof(
        name="identity.mailed_tokens",
        promise=(
            "A token that was mailed is good once, for its purpose and its time, and until the"
            " next of its kind."
        ),
        run=mailed.good_once,
        full=84,
        short=12,
        planted=(
            Planted("looked at first, used up afterwards", mailed.looked_at_first, tries=6),
            Planted("tokens never end", mailed.good_for_a_year, tries=9),
        ),
    ),
    Proof(
        name="identity.takeovers",
        promise=(
            "Whoever signed up with somebody else's address, or asked for it, is not in the"
            " account once its owner has shown that it is theirs."
        ),
        run=takeovers.keep_others_out,
        full=84,
        short=12,
        planted=(
            Planted("a click is enough", takeovers.a_click_is_enough, tries=3),
            Planted("old sessions stay", takeovers.old_sessions_stay, tries=12),
        ),
    ),
    Proof(
        name="identity.limits",
        promise=(
            "In a burst as many requests get through as the rate says, to the very one, whatever"
            " addresses their headers claim."
        ),
        run=bursts.exact,
        full=44,
        short=5,
        planted=(
            Planted("looked at first, counted afterwards", bursts.looked_at_first, tries=3),
            Planted("the address a header names", bursts.address_from_a_header, tries=2),
        ),
    ),
)
