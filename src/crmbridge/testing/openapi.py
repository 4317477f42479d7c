"""How a fake tells what it serves: the parts from which an OpenAPI 3.1 description is put together."""

from collections.abc import Iterable, Mapping
from typing import Any

from crmbridge.testing.tables import Field

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
NOTHING: Schema = {"type": "null"}
ANYTHING: Schema = {}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def exactly(*values: Any) -> Schema:
    """Describe one of these values and nothing else."""
    return {"enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """Describe a value that may be null."""
    return {"anyOf": [schema, NOTHING]}


def listed(items: Schema, *, most: int | None = None) -> Schema:
    """Describe a list, of at most so many items."""
    return {"type": "array", "items": items, **({} if most is None else {"maxItems": most})}


def ref(name: str) -> Schema:
    """Refer to a schema of the description by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(members: Mapping[str, Schema], *, needed: Iterable[str] | None = None, more: bool = False) -> Schema:
    """Describe an object; all members are always there unless the needed ones are named, and no others unless `more`."""
    names = list(members if needed is None else needed)
    return {
        "type": "object",
        "properties": dict(members),
        **({"required": names} if names else {}),
        "additionalProperties": more,
    }


def value(field: Field) -> Schema:
    """Describe the JSON of a field's value, as the field's type says; a blank is null."""
    plain: Mapping[str, Schema] = {
        "boolean": FLAG,
        "int": WHOLE,
        "integer": WHOLE,
        "number": NUMBER,
        "double": NUMBER,
        "currency": NUMBER,
        "percent": NUMBER,
        "date": {"type": "string", "format": "date"},
        "datetime": {"type": "string", "format": "date-time"},
        "email": {"type": "string", "format": "email"},
        "list": listed(TEXT),
    }
    known = dict(plain.get(field.type, TEXT))
    if field.restricted and field.type != "multipicklist":
        known["enum"] = list(field.picklist)
    if field.length and field.type not in ("id", "reference"):
        known["maxLength"] = field.length
    return known


def parameter(name: str, schema: Schema = TEXT, *, where: str = "query", needed: bool = False) -> dict[str, Any]:
    """Describe one parameter of an address or a header."""
    return {"name": name, "in": where, "required": needed or where == "path", "schema": schema}


def body(schema: Schema, kind: str = JSON, *, needed: bool = True) -> dict[str, Any]:
    """Describe a request's body."""
    return {"required": needed, "content": {kind: {"schema": schema}}}


def answer(about: str, schema: Schema | None = None, kind: str = JSON, **headers: Schema) -> dict[str, Any]:
    """Describe an answer; without a schema it has no body."""
    told = {name.replace("_", "-"): {"schema": held} for name, held in headers.items()}
    return {
        "description": about,
        **({"headers": told} if told else {}),
        **({} if schema is None else {"content": {kind: {"schema": schema}}}),
    }


def operation(
    name: str,
    about: str,
    answers: Mapping[str, Any],
    *parameters: dict[str, Any],
    sends: dict[str, Any] | None = None,
    open: bool = False,
) -> dict[str, Any]:
    """Describe what one method of one address does; an open one asks for no credentials."""
    return {
        "operationId": name,
        "summary": about,
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": sends} if sends else {}),
        **({"security": []} if open else {}),
        "responses": dict(answers),
    }


def document(
    title: str,
    about: str,
    paths: Mapping[str, Any],
    schemas: Mapping[str, Schema],
    *,
    server: str,
    security: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put a description together; every path is that of the fake, and `server` is the fake's address."""
    components: dict[str, Any] = {"schemas": dict(schemas)}
    needed: dict[str, Any] = {}
    if security:
        components["securitySchemes"] = dict(security)
        needed = {"security": [{name: [] for name in security}]}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "fake", "description": about},
        "servers": [{"url": server}],
        **needed,
        "paths": {path: dict(held) for path, held in paths.items()},
        "components": components,
    }
