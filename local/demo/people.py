"""Who is there to begin with, and what they offer."""

from typing import Any, NamedTuple

PASSWORD = "try kith out"  # noqa: S105  made to be known


class Person(NamedTuple):
    """Somebody of the demo. `post` is what they publish, `packs` the credits they buy."""

    name: str
    email: str
    about: str
    locale: str = "en"
    time_zone: str = "UTC"
    post: dict[str, Any] | None = None
    packs: tuple[str, ...] = ()


PEOPLE = (
    Person("Ada Admin", "admin@kith.example", "Staff: admin of every product."),
    Person(
        "Luiza Prado",
        "luiza@kith.example",
        "Influencer, fashion and travel. Has a post and 10 credits.",
        locale="pt-BR",
        time_zone="America/Sao_Paulo",
        post={
            "user_type": "influencer",
            "platform": "instagram",
            "followers": 48_200,
            "interests": ["fashion", "travel", "street style"],
            "price_point": "medium",
            "description": "Street fashion between São Paulo and Lisbon; two reels a week, an "
            "honest look at what I wear. I like small labels that sew close to home.",
            "contact_info": {"email": "luiza@prado.example", "handle": "@luizaprado"},
        },
        packs=("contacts_10",),
    ),
    Person(
        "Noam Bar",
        "noam@kith.example",
        "Influencer, cooking. Has a post.",
        locale="he",
        time_zone="Asia/Jerusalem",
        post={
            "user_type": "influencer",
            "platform": "youtube",
            "followers": 131_000,
            "interests": ["cooking", "baking", "family"],
            "price_point": "high",
            "description": "Forty minutes, one pot, four people: dinners filmed in a real kitchen, "
            "with a real toddler. Long-form videos, recipes in three languages.",
            "contact_info": {"email": "hello@noambar.example", "phone": "+972541234567"},
        },
    ),
    Person(
        "Fjord Outdoor",
        "team@fjord.example",
        "Brand, outdoor gear. Has a post.",
        time_zone="Europe/Oslo",
        post={
            "user_type": "brand",
            "platform": "tiktok",
            "followers": 9_400,
            "interests": ["outdoor", "hiking", "sustainability"],
            "price_point": "medium",
            "description": "We make rain jackets that can be mended, and look for people who "
            "actually get wet: hikers, commuters, dog owners. Paid per film, no script.",
            "contact_info": {"email": "creators@fjord.example", "handle": "@fjordoutdoor"},
        },
    ),
    Person(
        "Casa Verde Café",
        "oi@casaverde.example",
        "Brand, a café in Curitiba. Has a post.",
        locale="pt-BR",
        time_zone="America/Sao_Paulo",
        post={
            "user_type": "brand",
            "platform": "instagram",
            "followers": 2_150,
            "interests": ["coffee", "local food"],
            "price_point": "low",
            "description": "A corner café that roasts its own beans. We would love to have food "
            "people from Curitiba and around over for a Saturday morning.",
            "contact_info": {"phone": "+5541987654321", "handle": "@casaverdecafe"},
        },
    ),
)
