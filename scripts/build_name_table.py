"""Builds the optional table of family and given names from the installed package japanese-personal-name-dataset.

    python scripts/build_name_table.py names.tsv

Each line is ``family`` or ``given``, a tab, and names with blanks between them. ``crmbridge.japanese.Names.read`` reads
it. Lines may be added by hand or by a program: the names that a system of yours already keeps in two fields are the
best there are for its other records.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def name_lines(*given: Mapping[str, Any], family: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the table.

    Given names come by their reading with all that are written in kanji, family names as they are written with their
    reading; a reading is a name, too, since forms are filled in kana.
    """
    families = {name: None for written, known in family.items() for name in (written, known["reading"])}
    givens = {name: None for names in given for reading, known in names.items() for name in (reading, *known["kanji"])}
    yield f"family\t{' '.join(families)}\n"
    yield f"given\t{' '.join(givens)}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the table; the answer is the exit status."""
    parser = argparse.ArgumentParser(
        description="Builds the optional table of names from the installed package japanese-personal-name-dataset."
    )
    parser.add_argument("out", type=Path)
    asked = parser.parse_args(argv)
    try:
        from japanese_personal_name_dataset import load_dataset
    except ImportError:
        sys.stderr.write(
            "japanese-personal-name-dataset is not installed: pip install japanese-personal-name-dataset\n"
        )
        return 1
    men, women, family = load_dataset(include_last_names=True)
    with asked.out.open("w", encoding="utf-8") as out:
        out.writelines(name_lines(men, women, family=family))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
