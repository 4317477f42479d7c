"""Tables of rows as CSV, as jobs take and give them (Bulk API 2.0 guide, "Valid CSV Record Rows")."""

import csv
import io
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


def read(content: bytes, delimiter: str) -> tuple[list[str], list[Cells]]:
    """Read the header and the rows; raises csv.Error and UnicodeDecodeError for what is no table."""
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise csv.Error("line contains NUL")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True)
    header = next(lines, list[str]())
    return header, [dict(zip(header, line, strict=False)) for line in lines if line]


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
