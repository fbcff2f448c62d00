"""Posts, looking behind them, returning what leads nowhere, domains, and staff."""

import uuid
from dataclasses import dataclass

from tests.faults.described.scene import Call, Scene, described
from tests.support import people
from tests.support.people import POST, Person

DOMAINS = "/v1/marketplace/domain_verifications"
CHANGES = {"description": "Street fashion from Porto.", "contact_info": {"handle": "@ana"}}


@dataclass(frozen=True)
class Post:
    """A post and who wrote it."""

    id: str
    author: Person


def post(scene: Scene) -> Post:
    """A published post of somebody."""
    author = scene.person()
    return Post(people.post_of(author, scene.world.stripe, scene.world.cloud), author)


def archived(scene: Scene) -> Post:
    """A post that its author took down."""
    made = post(scene)
    answer = made.author.api.post(f"/v1/marketplace/posts/{made.id}/archive")
    assert answer.status == 200, answer.text
    return made


def revealed(scene: Scene, made: Post) -> Person:
    """Somebody who looked behind a post, for a credit."""
    reader = reader_with_credit(scene)
    path = f"/v1/marketplace/posts/{made.id}/reveal"
    answer = reader.api.post(path, key=str(uuid.uuid4()))
    assert answer.status == 200, answer.text
    return reader


def reader_with_credit(scene: Scene) -> Person:
    """Somebody who has a credit."""
    reader = scene.person()
    people.credit(reader, 1)
    return reader


def new_domain() -> dict[str, str]:
    """A domain that nobody has named yet."""
    return {"domain": f"brand-{uuid.uuid4().hex}.com"}


def domain(who: Person) -> dict[str, str]:
    """A domain of somebody's that is to be shown to be theirs, as a path names it."""
    begun = who.api.post(DOMAINS, new_domain())
    assert begun.status == 201, begun.text
    return {"verification_id": begun.json["id"]}


@described("marketplace_posts_create", reach="nobody")
def create_post(scene: Scene) -> Call:
    """Publish, with the fee paid."""
    author = scene.person()
    people.pay_for(author, "posting_fee", scene.world.stripe, scene.world.cloud)
    return Call(by=author, body=POST)


@described("marketplace_posts_search", reach="nobody")
def search_posts(scene: Scene) -> Call:
    """Look for posts by everything there is to look by."""
    made = post(scene)
    query = {
        "user_type": "influencer",
        "platform": "instagram",
        "price_point": "medium",
        "min_followers": 5_000,
        "max_followers": 50_000,
        "interest": ["fashion", "food"],
        "every_interest": ["fashion", "travel"],
        "text": "street fashion",
        "verified": "false",
        "sort": "most_followers",
        "limit": 5,
    }
    return Call(by=scene.person(), query=query, owner=made.author)


@described("marketplace_posts_own", reach="nobody")
def own_posts(scene: Scene) -> Call:
    """One's posts."""
    return Call(by=post(scene).author)


@described("marketplace_posts_get", reach="members")
def get_post(scene: Scene) -> Call:
    """A post of somebody."""
    made = post(scene)
    return Call(by=scene.person(), path={"post_id": made.id}, owner=made.author)


@described("marketplace_posts_change", reach="owner")
def change_post(scene: Scene) -> Call:
    """Change one's post."""
    made = post(scene)
    return Call(by=made.author, path={"post_id": made.id}, body=CHANGES)


@described("marketplace_posts_delete", reach="owner")
def delete_post(scene: Scene) -> Call:
    """Remove one's post."""
    made = post(scene)
    return Call(by=made.author, path={"post_id": made.id})


@described("marketplace_posts_archive", reach="owner")
def archive_post(scene: Scene) -> Call:
    """Take one's post down."""
    made = post(scene)
    return Call(by=made.author, path={"post_id": made.id})


@described("marketplace_posts_reactivate", reach="owner")
def reactivate_post(scene: Scene) -> Call:
    """Put one's post up again."""
    made = archived(scene)
    return Call(by=made.author, path={"post_id": made.id})


@described("marketplace_reveals_reveal_contact", reach="members")
def reveal(scene: Scene) -> Call:
    """Look behind a post, for a credit."""
    made = post(scene)
    return Call(by=reader_with_credit(scene), path={"post_id": made.id}, owner=made.author)


@described("marketplace_reveals_revealed", reach="nobody")
def own_reveals(scene: Scene) -> Call:
    """What one has looked behind."""
    return Call(by=revealed(scene, post(scene)))


@described("marketplace_reveals_of_post", reach="owner")
def reveals_of_post(scene: Scene) -> Call:
    """Who looked behind one's post."""
    made = post(scene)
    revealed(scene, made)
    return Call(by=made.author, path={"post_id": made.id})


@described("marketplace_claims_claim_stale", reach="owner")
def claim_stale(scene: Scene) -> Call:
    """Return a contact that one revealed; the path names the caller's reveal by its post."""
    made = post(scene)
    return Call(by=revealed(scene, made), path={"post_id": made.id})


@described("marketplace_domains_begin", reach="nobody")
def begin_domain(scene: Scene) -> Call:
    """Name a domain of one's own."""
    return Call(by=scene.person(), body=new_domain())


@described("marketplace_domains_verifications", reach="nobody")
def own_domains(scene: Scene) -> Call:
    """One's domains."""
    brand = scene.person()
    domain(brand)
    return Call(by=brand)


@described("marketplace_domains_get", reach="owner")
def get_domain(scene: Scene) -> Call:
    """One of one's domains."""
    brand = scene.person()
    return Call(by=brand, path=domain(brand))


@described("marketplace_domains_request_check", reach="owner")
def check_domain(scene: Scene) -> Call:
    """Have one's domain looked at."""
    brand = scene.person()
    return Call(by=brand, path=domain(brand))


@described("marketplace_domains_delete", reach="owner")
def delete_domain(scene: Scene) -> Call:
    """Forget one's domain."""
    brand = scene.person()
    return Call(by=brand, path=domain(brand))


@described("marketplace_staff_posts", reach="staff")
def staff_posts(scene: Scene) -> Call:
    """Staff look at somebody's posts."""
    made = post(scene)
    query = {"status": "active", "user_id": made.author.id}
    return Call(by=scene.staff_for("marketplace_staff_posts"), query=query, owner=made.author)


@described("marketplace_staff_remove", reach="staff")
def staff_remove(scene: Scene) -> Call:
    """Staff remove somebody's post."""
    made = post(scene)
    staff = scene.staff_for("marketplace_staff_remove")
    path = {"post_id": made.id}
    return Call(by=staff, path=path, body={"reason": "spam"}, owner=made.author)
