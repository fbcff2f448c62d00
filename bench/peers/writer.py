"""Writes a FastAPI program of our size: as many tables, schemas and routes, each in plain code.

The tables are those of the program, as mapped classes; schemas and routes are those of
docs/openapi.json. Only the one read does something (`bench.peers.eager`): what is measured is how
long such a program takes to start.
"""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.types import ARRAY, LargeBinary

from bench.peers import eager

ROOT = Path(__file__).parents[2]

_IMPORTS = """
import datetime
import uuid
from typing import Annotated, Any, Literal
"""
_TABLES = f"""{_IMPORTS}
from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, JSONB
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column
from bench.peers.eager import Base
"""
_SCHEMAS = f"""{_IMPORTS}
from pydantic import BaseModel, ConfigDict, Field
"""
_ROUTES = f"""{_IMPORTS}
from fastapi import APIRouter, Depends
from bench.peers.eager import Caller, Database, signed_in
from whole import schemas

router = APIRouter()
"""
_PROGRAM = """
from bench.peers.eager import handler, program
from whole import tables
from whole.routes import router

tables.configure_mappers()
program.include_router(router)
"""


def write(folder: Path, tables: list[Table]) -> None:
    """The program as the package `whole` in a folder."""
    package = folder / "whole"
    package.mkdir()
    told = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    own = {f"{one.schema}.{one.name}" for one in eager.Base.metadata.sorted_tables}
    mapped = [_mapped(one) for one in tables if f"{one.schema}.{one.name}" not in own]
    schemas = [_schema(name, one) for name, one in told["components"]["schemas"].items()]
    routes = [
        _route(path, method, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] != "marketplace_posts_get"
    ]
    texts = {
        "__init__": "",
        "tables": _TABLES + "".join(mapped),
        "schemas": _SCHEMAS + "".join(schemas),
        "routes": _ROUTES + "".join(routes),
        "program": _PROGRAM,
    }
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")


def _mapped(table: Table) -> str:
    name = "".join(part.title() for part in f"{table.schema}_{table.name}".split("_"))
    lines = [f"class {name}(Base):", f"    __tablename__ = {table.name!r}"]
    lines.append(f"    __table_args__ = {{'schema': {table.schema!r}}}")
    lines += [f"    {_key(one.name)}: Mapped[{_kind(one)}] = {_column(one)}" for one in table.c]
    return "\n\n\n" + "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return f"{name}_" if name in {"metadata", "registry"} else name


def _kind(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, ARRAY):
        told = "list[str]"
    elif isinstance(kind, JSONB):
        told = "dict[str, Any]"
    elif isinstance(kind, LargeBinary):
        told = "bytes"
    else:
        try:
            python = kind.python_type
        except NotImplementedError:
            python = str
        told = python.__name__
        if python.__module__ != "builtins":
            told = f"{python.__module__}.{told}"
    return f"{told} | None" if column.nullable else told


def _column(column: Column[Any]) -> str:
    told = [repr(column.name)]
    if isinstance(column.type, ARRAY):
        told.append("ARRAY(Text)")
    elif isinstance(column.type, (JSONB, CITEXT)):
        told.append(f"{type(column.type).__name__}()")
    told += [f"ForeignKey({one.target_fullname!r})" for one in column.foreign_keys]
    if column.primary_key:
        told.append("primary_key=True")
    return f"mapped_column({', '.join(told)})"


def _schema(name: str, told: dict[str, Any]) -> str:
    lines = [f"class {name}(BaseModel):", '    model_config = ConfigDict(extra="forbid")']
    required = told.get("required", [])
    for field, kind in told.get("properties", {}).items():
        default = "" if field in required else f" = {kind.get('default')!r}"
        lines.append(f'    {field}: "{_annotation(kind)}"{default}')
    return "\n\n\n" + "\n".join(lines) + "\n"


_LIMITS = {
    "maxLength": "max_length", "minLength": "min_length", "maximum": "le", "minimum": "ge",
    "maxItems": "max_length", "minItems": "min_length",
}  # fmt: skip
_STRINGS = {"date-time": "datetime.datetime", "date": "datetime.date", "uuid": "uuid.UUID"}


def _annotation(told: dict[str, Any], within: str = "") -> str:
    """What a JSON schema is called in Python; `within` is the module of named ones."""
    if "$ref" in told:
        return within + str(told["$ref"]).rpartition("/")[2]
    if "anyOf" in told:
        return " | ".join(_annotation(one, within) for one in told["anyOf"])
    if "const" in told or "enum" in told:
        values = told.get("enum", [told.get("const")])
        return f"Literal[{', '.join(map(repr, values))}]"
    kind = {
        "string": _STRINGS.get(told.get("format", ""), "str"),
        "integer": "int",
        "boolean": "bool",
        "null": "None",
        "object": "dict[str, Any]",
    }.get(told["type"]) or f"list[{_annotation(told['items'], within)}]"
    limits = [f"{ours}={told[name]!r}" for name, ours in _LIMITS.items() if name in told]
    return f"Annotated[{kind}, Field({', '.join(limits)})]" if limits else kind


def _route(path: str, method: str, told: dict[str, Any]) -> str:
    taken = ["database: Database"]
    if told.get("security"):
        taken.append("caller: Annotated[Caller, Depends(signed_in)]")
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body and "$ref" in body:
        taken.append(f"body: {_annotation(body, 'schemas.')}")
    taken += [
        f"{one['name']}: {_STRINGS.get(one['schema'].get('format', ''), 'str')}"
        for one in told.get("parameters", [])
        if one["in"] == "path"
    ]
    taken += [
        f"{one['name']}: {_plain(one['schema'])} | None = None"
        for one in told.get("parameters", [])
        if one["in"] == "query"
    ]
    answers = (one.get("content", {}) for code, one in told["responses"].items() if code < "300")
    answer = next(answers).get("application/json", {}).get("schema", {})
    model = f", response_model={_annotation(answer, 'schemas.')}" if "$ref" in answer else ""
    return (
        f"\n\n@router.{method}({path!r}{model})\n"
        f"def {told['operationId']}({', '.join(taken)}) -> Any:\n"
        f"    raise NotImplementedError\n"
    )


def _plain(told: dict[str, Any]) -> str:
    kind = told.get("type")
    return {"integer": "int", "boolean": "bool"}.get(str(kind), "str")
