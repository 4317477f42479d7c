"""Tables of rows as CSV, as jobs take and give them (Bulk API 2.0 guide, "Valid CSV Record Rows")."""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from crmbridge.testing.fakes.salesforce.desk import as_object

DELIMITERS: Mapping[str, str] = {
    "COMMA": ",",
    "SEMICOLON": ";",
    "TAB": "\t",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}
ENDINGS: Mapping[str, str] = {"LF": "\n", "CRLF": "\r\n"}

Cells = dict[str, str]

_NO_TABLE = "InvalidBatch : the CSV cannot be read"


class Unreadable(Exception):
    """A table that cannot be taken as a whole; *message* says why as a job's `errorMessage` does."""

    def __init__(self, message: str) -> None:
        super().__init__(message.partition(" : ")[0])
        self.message = message


def read(content: bytes, delimiter: str, ending: str) -> tuple[list[str], list[Cells]]:
    """Read the header and the rows; raises `Unreadable`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(_NO_TABLE) from None
    if "\0" in text:
        raise Unreadable(_NO_TABLE)
    if not _ends_with(text, delimiter, ending):
        setting = f"Current LineEnding setting is {ending}"
        raise Unreadable(f"ClientInputError : LineEnding is invalid on user data. {setting}")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True)
    try:
        header, *rows = [line for line in lines if line] or [list[str]()]
    except csv.Error:
        raise Unreadable(_NO_TABLE) from None
    if any(len(row) > len(header) for row in rows):
        raise Unreadable("InvalidBatch : a row has more cells than the header has names")
    return header, [dict(zip(header, row, strict=False)) for row in rows]


def _ends_with(text: str, delimiter: str, ending: str) -> bool:
    """Say whether lines end as the job says and in no other way; a line break within quotes is part of a cell."""
    bare = re.sub(rf'(?<![^{re.escape(DELIMITERS[delimiter])}\r\n])"[^"]*(?:""[^"]*)*"', "", text)
    return not re.search("[\r\n]", bare.replace(ENDINGS[ending], ""))


def written(header: list[str], rows: list[Cells], delimiter: str, ending: str) -> str:
    """Write a header and rows, every cell in quotes."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=DELIMITERS[delimiter], lineterminator=ENDINGS[ending], quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return out.getvalue()


def flat(record: Mapping[str, Any], prefix: str = "") -> Cells:
    """Write a record as cells, those of its parents by their paths."""
    cells: Cells = {}
    for name, value in record.items():
        if (nested := as_object(value)) is not None:
            cells |= {} if name == "attributes" else flat(nested, f"{prefix}{name}.")
        else:
            cells[prefix + name] = (
                "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            )
    return cells
