"""Values that fit a schema of OpenAPI 3.1, whether a value fits one, and bytes that hardly anybody should send."""

from __future__ import annotations

import datetime as dt
import json
import re

from hypothesis import strategies as st

TEXTS = (
    "佐藤",
    "😀",
    "O'Hara & Söhne",
    " blank ",
    "a\r\nb",
    "<b>%_\\",
    "0",
    "true",
    "=1+1",
    "田中\u3000太郎",
    "x" * 70,
)
NUMBERS = (0, 1, -1, 2**31 - 1, 2**31, -(2**63), 10**18, 10**30, 0.1, 1.005, 1e22, 1e308, -0.0)
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(NUMBERS)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
FORMATS = {
    "date": st.dates().map(str) | st.sampled_from(["2024-02-29", "1700-01-01", "9999-12-31"]),
    "date-time": st.datetimes().map(lambda one: one.isoformat(timespec="seconds") + "Z")
    | st.sampled_from(["2026-11-21T09:00:00+09:00", "2026-11-21T00:00:00.000+0000"]),
    "email": st.sampled_from(["a@x.example", "A.B+c@x.example", "日本@x.example", "a..b@x", "a.@x.example"]),
}


class Shapes:
    """The schemas of one description."""

    def __init__(self, description):
        self._known = description["components"]["schemas"]

    def resolved(self, schema):
        """Follow a reference."""
        while "$ref" in schema:
            schema = self._known[schema["$ref"].rpartition("/")[2]]
        return schema

    def named(self, name):
        return self._known[name]

    def values(self, schema, pool=(), most=4):
        """Give the strategy of the values that fit; ids come from the pool now and then, lists have so many items."""
        schema = self.resolved(schema)
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "anyOf" in schema:
            return st.one_of([self.values(one, pool, most) for one in schema["anyOf"]])
        if "allOf" in schema:
            parts = st.tuples(*(self.values(one, pool, most) for one in schema["allOf"]))
            return parts.map(lambda held: {name: value for one in held for name, value in one.items()})
        makers = {
            "object": self._objects,
            "array": lambda held, pool, most: st.lists(
                self.values(held["items"], pool, most), max_size=min(held.get("maxItems", most), most)
            ),
            "string": _strings,
            "integer": lambda held, *_: st.integers(held.get("minimum"), held.get("maximum")),
            "number": lambda *_: st.floats(-1e12, 1e12, allow_nan=False) | st.integers(-(10**12), 10**12),
            "boolean": lambda *_: st.booleans(),
            "null": lambda *_: st.none(),
        }
        return makers[schema["type"]](schema, pool, most) if "type" in schema else JSON

    def _objects(self, schema, pool, most):
        members = {name: self.values(one, pool, most) for name, one in schema["properties"].items()}
        needed = [name for name in schema.get("required", ()) if name in members]
        spare = [name for name in members if name not in needed]

        @st.composite
        def drawn(draw):
            chosen = draw(st.lists(st.sampled_from(spare), max_size=most, unique=True)) if spare else []
            names = draw(st.permutations([*needed, *chosen]))
            return {name: draw(members[name]) for name in names}

        return drawn()

    def misfit(self, value, schema, at="answer"):
        """Say where a value does not fit; empty when it does."""
        schema = self.resolved(schema)
        if "enum" in schema:
            return "" if value in schema["enum"] else f"{at} is none of the choices: {value!r}"
        if "anyOf" in schema:
            told = [self.misfit(value, one, at) for one in schema["anyOf"]]
            return "" if "" in told else min(told, key=len)
        if "type" not in schema:
            return ""
        if not _is(schema["type"], value):
            return f"{at} is no {schema['type']}: {value!r}"[:300]
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return f"{at} has another form: {value!r}"
        if isinstance(value, list):
            return next(
                filter(None, (self.misfit(one, schema["items"], f"{at}[{n}]") for n, one in enumerate(value))), ""
            )
        if not isinstance(value, dict):
            return ""
        if missing := [name for name in schema.get("required", ()) if name not in value]:
            return f"{at} lacks {missing}"
        strange = [name for name in value if name not in schema["properties"]]
        if strange and not schema["additionalProperties"]:
            return f"{at} has {strange} too"
        held = ((name, one) for name, one in schema["properties"].items() if name in value)
        return next(filter(None, (self.misfit(value[name], one, f"{at}.{name}") for name, one in held)), "")


def _is(type_, value):
    known = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    if type_ in known:
        return isinstance(value, known[type_])
    return not isinstance(value, bool) and (isinstance(value, int) or (type_ == "number" and isinstance(value, float)))


def _strings(schema, pool, most):
    if "format" in schema:
        return FORMATS[schema["format"]]
    if schema.get("pattern", "").endswith(r"\.000\+0000$"):
        # The vendor's calendar begins in 1700; its days are days.
        return st.datetimes(dt.datetime(1700, 1, 1)).map(lambda one: one.isoformat(timespec="seconds") + ".000+0000")
    if "pattern" in schema:
        made = st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        return st.sampled_from(pool) | made if pool and "a-zA-Z0-9" in schema["pattern"] else made
    length, least = schema.get("maxLength", 300), schema.get("minLength", 0)
    fitting = [text for text in TEXTS if len(text) <= length]
    sent = st.characters(exclude_categories=["Cs"])
    return st.sampled_from(fitting) | st.text(sent, min_size=least, max_size=min(length, 12))


@st.composite
def garbled(draw, value):
    """Give a JSON value of which one place is gone, or holds something else."""
    value = json.loads(json.dumps(value))
    places = list(_places([value]))
    holder, member = draw(st.sampled_from(places))
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[member]
        return value
    other = draw(JSON | st.sampled_from([[], {}, [[]], {"": None}, "x" * 40_000, "a\0b"]))
    if holder is not places[0][0]:
        holder[member] = other
        return value
    return other


def _places(value):
    for member in range(len(value)) if isinstance(value, list) else list(value):
        yield value, member
        if isinstance(value[member], list | dict):
            yield from _places(value[member])


def spoiled(text):
    """Name what can be wrong with the bytes of a JSON object, each with the bytes."""
    data = text.encode()
    return {
        "cut off": data[:-1],
        "cut in half": data[: len(data) // 2],
        "followed by more": data + b"{}",
        "another coding": text.encode("utf-16-le"),
        "not UTF-8": data.replace(b'"', b'"\xff', 1),
        "half a character": data.replace(b'"', b'"\\ud800', 1),
        "half a character in bytes": data.replace(b'"', b'"\xed\xa0\x80', 1),
        "a bare NUL": data.replace(b'"', b'"\0', 1),
        "NaN": b'{"":NaN,' + data[1:],
        "too many digits": b'{"":' + b"9" * 5_000 + b"," + data[1:],
        "nested without end": b'{"":' + b"[" * 100_000,
        "nested deeply": b'{"":' + b"[" * 5_000 + b"]" * 5_000 + b"," + data[1:],
        "nothing": b"",
        "a list": b"[" + data + b"]",
        "a comment": b"/**/" + data,
        "single quotes": data.replace(b'"', b"'"),
    }
