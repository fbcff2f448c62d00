"""What PostgreSQL's catalogue says of a database, and rules that every table keeps."""

from collections.abc import Sequence
from typing import Any

from pg8000 import native
from sqlalchemy import (
    ARRAY,
    Column,
    Executable,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_mock_engine,
)
from sqlalchemy.dialects.postgresql import CITEXT, JSON

from chalicelib.core.columns import Fate
from tests.architecture.sql import CLOCK_TEXT

Facts = dict[str, str]

_OURS = """
    pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition
        and n.nspname not in ('pg_catalog', 'information_schema', 'public')
        and n.nspname !~ '^pg_' and (n.nspname, c.relname) <> ('core', 'alembic_version')
"""

_FACTS = {
    "table": f"""
        select n.nspname || '.' || c.relname,
            case c.relpersistence when 'u' then 'unlogged' else 'logged' end
                || coalesce(' partitioned by ' || pg_get_partkeydef(c.oid), '')
        from {_OURS}
    """,
    "column": f"""
        select n.nspname || '.' || c.relname || '.' || a.attname,
            format_type(a.atttypid, a.atttypmod)
                || case when a.attnotnull then ' not null' else '' end
                || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
                || case when a.attidentity <> '' then ' identity' else '' end
                || case when a.attgenerated <> '' then ' generated' else '' end
        from pg_attribute a
            left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            join {_OURS.replace("where", "on c.oid = a.attrelid where", 1)}
            and a.attnum > 0 and not a.attisdropped
    """,
    "constraint": f"""
        select n.nspname || '.' || c.relname || '.' || o.conname, pg_get_constraintdef(o.oid)
        from pg_constraint o join {_OURS.replace("where", "on c.oid = o.conrelid where", 1)}
            and o.contype in ('p', 'f', 'c', 'u', 'x')
    """,
    "index": f"""
        select n.nspname || '.' || c.relname || '.' || x.relname, pg_get_indexdef(x.oid)
        from pg_index i join pg_class x on x.oid = i.indexrelid
            join {_OURS.replace("where", "on c.oid = i.indrelid where", 1)}
            and not exists (select 1 from pg_constraint o where o.conindid = i.indexrelid
                and o.contype in ('p', 'u', 'x'))
    """,
}
"""Queries of name and definition, for what both migrations and tables in code speak of."""

_TRIGGERS = f"""
    select n.nspname || '.' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
    from pg_trigger t join {_OURS.replace("where", "on c.oid = t.tgrelid where", 1)}
        and not t.tgisinternal
"""

_UNINDEXED = f"""
    select n.nspname || '.' || c.relname || '.' || o.conname,
        pg_get_constraintdef(o.oid) || ': no index begins with these columns'
    from pg_constraint o join {_OURS.replace("where", "on c.oid = o.conrelid where", 1)}
        and o.contype = 'f' and not exists (
            select 1 from pg_index i
            where i.indrelid = o.conrelid and i.indisvalid
                and (i.indpred is null
                    or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
                and (i.indkey::int2[])[0:cardinality(o.conkey) - 1] @> o.conkey
                and (i.indkey::int2[])[0:cardinality(o.conkey) - 1] <@ o.conkey
        )
"""

_KEYLESS = f"""
    select n.nspname || '.' || c.relname, 'no primary key'
    from {_OURS} and not exists (
        select 1 from pg_constraint o where o.conrelid = c.oid and o.contype = 'p')
"""

_WRONG_TYPES = f"""
    select n.nspname || '.' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a join {_OURS.replace("where", "on c.oid = a.attrelid where", 1)}
        and a.attnum > 0 and not a.attisdropped and (
            a.atttypid in ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype,
                'money'::regtype, 'json'::regtype, 'bpchar'::regtype, 'varchar'::regtype)
            or n.nspname = any(:money_schemas) and a.atttypid in ('real'::regtype,
                'double precision'::regtype)
            or a.attname ~ '(^|_)(amount|balance|total)$' and a.atttypid in ('numeric'::regtype,
                'real'::regtype, 'double precision'::regtype, 'integer'::regtype)
        )
"""

_DELETIONS = f"""
    select n.nspname || '.' || c.relname || '.' || o.conname,
        case o.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd'
            then 'set default' when 'a' then 'no action' else 'restrict' end
    from pg_constraint o join {_OURS.replace("where", "on c.oid = o.conrelid where", 1)}
        and o.contype = 'f'
"""

_CODE = """
    select n.nspname || '.' || p.proname, p.prosrc
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname not in ('pg_catalog', 'information_schema', 'public') and n.nspname !~ '^pg_'
"""


def facts_of(database: native.Connection) -> Facts:
    """Tables, columns, constraints and indexes: what each is called, and its definition."""
    return {
        f"{kind} {name}": definition
        for kind, query in _FACTS.items()
        for name, definition in _rows(database, query).items()
    }


def names_of(database: native.Connection) -> set[str]:
    """The full names of tables, columns, constraints, indexes and triggers."""
    return {name.partition(" ")[2] for name in facts_of(database)} | _rows(
        database, _TRIGGERS
    ).keys()


def differences(migrated: Facts, written: Facts) -> list[str]:
    """Where the migrations and the tables in code say different things."""
    return [
        f"{name}: migrations say {migrated.get(name, 'nothing')!r},"
        f" tables.py says {written.get(name, 'nothing')!r}"
        for name in sorted(migrated.keys() | written.keys())
        if migrated.get(name) != written.get(name)
    ]


def create(database: native.Connection, metadata: MetaData, extensions: Sequence[str]) -> None:
    """Make in an empty database what the tables in code say."""

    def run(ddl: Executable, *_args: Any, **_options: Any) -> None:
        database.run(str(ddl.compile(dialect=engine.dialect)))  # type: ignore[attr-defined]

    engine = create_mock_engine("postgresql+pg8000://", run)
    for extension in extensions:
        database.run(f'create extension if not exists "{extension}"')
    for schema in sorted({table.schema for table in metadata.sorted_tables if table.schema}):
        database.run(f'create schema "{schema}"')
    metadata.create_all(engine, checkfirst=False)


def unindexed(database: native.Connection) -> list[str]:
    """Foreign keys without an index: each deletion of what they refer to would read the table."""
    return _findings(database, _UNINDEXED)


def keyless(database: native.Connection) -> list[str]:
    """Tables without a primary key."""
    return _findings(database, _KEYLESS)


def wrong_types(database: native.Connection, money_schemas: Sequence[str]) -> list[str]:
    """Columns of types that lose the zone, the cents or the spaces."""
    return _findings(database, _WRONG_TYPES, money_schemas=list(money_schemas))


def clocks(database: native.Connection) -> list[str]:
    """Defaults, constraints, triggers and functions that ask the database for the time."""
    told = {**facts_of(database), **_rows(database, _TRIGGERS), **_rows(database, _CODE)}
    return [f"{name}: {text}" for name, text in sorted(told.items()) if CLOCK_TEXT.search(text)]


def deletions(database: native.Connection) -> Facts:
    """What each foreign key does when what it refers to is deleted."""
    return _rows(database, _DELETIONS)


def untagged(metadata: MetaData) -> list[str]:
    """Columns of words, bytes or documents that don't say what erasing a person does to them."""
    return [
        f"{table}.{column.name}: no pii tag (core/columns.py, Fate)"
        for table in metadata.sorted_tables
        for column in table.c
        if _holds_words(column) and column.info.get("pii") not in set(Fate)
    ]


def ownerless(metadata: MetaData) -> list[str]:
    """Tables with something personal in them that don't say of whom it is."""
    found = []
    for table in metadata.sorted_tables:
        personal = {column.info.get("pii") for column in table.c} - {None, Fate.NOT_PERSONAL}
        if not personal or _goes_with_another(table):
            continue
        owner = table.info.get("owner")
        if owner is None or owner not in table.c:
            found.append(f'{table}: whose is it? info={{"owner": "user_id"}}')
    return found


def _goes_with_another(table: Table) -> bool:
    """Whether a table's rows are deleted with a row of a table that has an owner."""
    return any(
        key.ondelete == "CASCADE" and "owner" in key.column.table.info for key in table.foreign_keys
    )


def _holds_words(column: Column[Any]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, (String, LargeBinary, CITEXT, JSON))


def _rows(database: native.Connection, query: str, **given: Any) -> Facts:
    return {str(name): str(what) for name, what in database.run(query, **given) or []}


def _findings(database: native.Connection, query: str, **given: Any) -> list[str]:
    return [f"{name}: {what}" for name, what in sorted(_rows(database, query, **given).items())]
