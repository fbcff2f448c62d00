"""The peer of cold starts: FastAPI with an ORM, serving one read, everything loaded at start.

What such a program loads, and no more of its own than the one read needs: the tables it touches
as mapped classes, a schema, the clients of its providers. It answers the same rows under the same
conditions as ours, by the same token.
"""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import argon2
import boto3
import stripe
from fastapi import Depends, FastAPI, Header, HTTPException
from mangum import Mangum
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, Text, and_, create_engine, exists, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, configure_mappers, mapped_column

_KEYS = {
    name: base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    for name, _, key in (
        pair.partition(":") for pair in os.environ["KITH_TOKEN_KEYS"].split(",")
    )
}  # fmt: skip
engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"),
    pool_size=1,
    max_overflow=0,
)
stripe.api_key = os.environ["STRIPE_API_KEY"]
queues = boto3.client("sqs")
files = boto3.client("s3")
passwords = argon2.PasswordHasher()


class Base(DeclarativeBase):
    """The mapped classes."""


class User(Base):
    """An account."""

    __tablename__ = "users"
    __table_args__ = {"schema": "accounts"}  # noqa: RUF012  as declarative mapping wants it
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str]


class UserSession(Base):
    """A session of a user."""

    __tablename__ = "sessions"
    __table_args__ = {"schema": "accounts"}  # noqa: RUF012
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class Block(Base):
    """Somebody does not want to see somebody."""

    __tablename__ = "blocks"
    __table_args__ = {"schema": "moderation"}  # noqa: RUF012
    blocker_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id), primary_key=True)
    blocked_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id), primary_key=True)


class Post(Base):
    """A post of the marketplace."""

    __tablename__ = "posts"
    __table_args__ = {"schema": "marketplace"}  # noqa: RUF012
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    user_type: Mapped[str]
    platform: Mapped[str]
    followers: Mapped[int]
    interests: Mapped[list[str]] = mapped_column(ARRAY(Text))
    price_point: Mapped[str]
    description: Mapped[str]
    verified: Mapped[bool]
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


configure_mappers()


class PostAnswer(BaseModel):
    """A post as it is shown."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    user_id: uuid.UUID
    user_type: str
    platform: str
    followers: int
    interests: list[str]
    price_point: str
    description: str
    verified: bool
    status: str
    created_at: datetime
    updated_at: datetime


class Caller(NamedTuple):
    """Who asks, as their token says."""

    id: uuid.UUID
    session_id: uuid.UUID


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened() -> Iterator[Session]:
    """A session of the ORM for a request."""
    with Session(engine) as session:
        yield session


Database = Annotated[Session, Depends(opened)]


def signed_in(database: Database, authorization: Annotated[str, Header()]) -> Caller:
    """The caller, whose session stands."""
    header, claims, signature = authorization.removeprefix("Bearer ").split(".")
    key = _KEYS[json.loads(_decoded(header))["kid"]]
    wanted = hmac.digest(key, f"{header}.{claims}".encode(), hashlib.sha256)
    told = json.loads(_decoded(claims))
    if not hmac.compare_digest(wanted, _decoded(signature)) or told["exp"] < time.time():
        raise HTTPException(401)
    caller = Caller(uuid.UUID(told["sub"]), uuid.UUID(told["sid"]))
    stands = (
        select(UserSession)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.id == caller.session_id,
            User.id == caller.id,
            User.status == "active",
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > datetime.now(UTC),
        )
    )
    if database.scalars(stands).first() is None:
        raise HTTPException(401)
    return caller


program = FastAPI()


@program.get("/v1/marketplace/posts/{post_id}", response_model=PostAnswer)
def post(
    post_id: uuid.UUID, database: Database, caller: Annotated[Caller, Depends(signed_in)]
) -> Post:
    """A post that the caller may see."""
    between = or_(
        and_(Block.blocker_id == caller.id, Block.blocked_id == Post.user_id),
        and_(Block.blocker_id == Post.user_id, Block.blocked_id == caller.id),
    )
    seen = (
        select(Post)
        .join(User, User.id == Post.user_id)
        .where(
            Post.id == post_id,
            Post.status == "active",
            User.status == "active",
            ~exists().where(between),
        )
    )
    found = database.scalars(seen).first()
    if found is None:
        raise HTTPException(404)
    return found


handler = Mangum(program, lifespan="off")
