"""A request's body as a fake reads it that has no documented habits of its own: strict JSON."""

import json
from typing import Any, NoReturn


def read_json(content: bytes) -> Any:
    """Read JSON in UTF-8 (RFC 8259); raises ValueError for what is none.

    None is also what only some readers take: another coding, a byte order mark, NaN and infinities, half characters,
    nesting that does not end. Of two members with one name the last counts, as with most readers.
    """
    try:
        text = content.decode("utf-8")
        found = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
