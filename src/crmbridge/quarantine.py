"""Parked records, for the people who look after them: listed, explained, handed out as a table and ruled upon.

A table holds refs, codes, names of fields and sentences, and no value of a record. What comes back is held against what
is parked now: a ruling on a record that has moved on is not taken.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs

from ._ruling import ADOPT, SIDES_AND_LEAVE, may_name, read
from .errors import UsageError
from .japanese.cp932 import cp932_report
from .model import SIDES, Disposition
from .plain.separated import SeparatedFile
from .reasons import Code
from .report import Names
from .roles import QueueRow, QueueState, Ruling, StateStore
from .wording import Language, disposition, say

__all__ = ["Exported", "Group", "NotTaken", "Parked", "Ruled", "Unheld", "export", "grouped", "parked", "rule"]

FileEncoding: TypeAlias = Literal["utf-8", "cp932"]
"""`utf-8` is written with the mark by which Excel knows it; `cp932` is the Shift_JIS of Windows."""

COLUMNS: Final = (
    "key", "state", "system", "kind", "id", "code", "field", "reason", "due", "tries", "choices", "ruling"
)  # fmt: skip

_DISPUTED: Final[Mapping[Code, tuple[str, ...]]] = {
    Code.SEVERAL_MATCH: (ADOPT,),
    Code.TOO_MANY_MATCH: (ADOPT,),
    Code.CHOSEN_GONE: (ADOPT,),
    Code.CHOSEN_LINKED: (ADOPT,),
    Code.CHOSEN_OTHERWISE: (),
    Code.ALREADY_LINKED: (),
    Code.TWIN: (),
}
"""What may be ruled where no value is disputed but a match."""
_REFUSED: Final = frozenset({
    Code.TOO_LONG, Code.TOO_MANY_BYTES, Code.TOO_MANY_DIGITS, Code.OUT_OF_RANGE, Code.NOT_AN_OPTION,
    Code.NOT_AN_EMAIL, Code.NOT_A_NUMBER, Code.WRONG_TYPE, Code.REQUIRED, Code.SEVERAL_VALUES, Code.CODEC_FAILED,
    Code.UNHELD_SIGN,
})  # fmt: skip
"""Values that were not sent, since they would be refused."""
_FORMULA: Final = frozenset("=+-@\u2212\t\r\n")
_NO_SIGN: Final = "〓"
"""The sign that stands in print where a sign is lacking."""
_HARMFUL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls and separators break a row or steer what shows it; half of a surrogate pair can stand in no file."""
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Turn what follows around, so that a cell reads otherwise than it is."""


@attrs.frozen
class Parked:
    """A record that waits, is disputed or is in quarantine."""

    row: QueueRow
    ruling: Ruling | None = None
    """What a person decided about it before."""
    linked: bool = False
    """It has a counterpart, whose values may live on."""

    @property
    def key(self) -> str:
        """Name this record and what it asks; it gets another name when it asks something else."""
        asked = self.row.sequence if self.row.question is None else self.row.question
        told = repr((self.row.side, attrs.astuple(self.row.ref), asked))
        # Begins with a letter, since a spreadsheet takes digits for a number and rounds them.
        return "k" + hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    @property
    def asked(self) -> str:
        """Name the question that it asks; both records of a pair ask one and the same."""
        return self.key if self.row.question is None else self.row.question

    @property
    def rulable(self) -> bool:
        """Say whether a person can rule: a record that is held only waits, and not every trouble ends by a word."""
        return bool(self.words())

    def explain(self, language: Language = "en") -> str:
        """Say in one line which record it is, how it is parked, and why."""
        why = f" - {self.reason(language)}" if self.row.because is not None else ""
        return f"{self.row.ref.system} {self.row.ref.kind} {self.row.ref.id}: {self.state(language)}{why}"

    def state(self, language: Language = "en") -> str:
        """Say how it is parked."""
        return disposition(Disposition(self.row.state), language)

    def reason(self, language: Language = "en") -> str:
        """Say why it is parked; nothing where nobody said so."""
        return "" if self.row.because is None else say(self.row.because, language)

    def choices(self, names: Names) -> tuple[str, ...]:
        """Tell what a person may write as a ruling: whose values live on, or that each side keeps its own.

        Where a value would be refused, only those of the system that would refuse it can live on.
        """
        called = {ADOPT: f"{ADOPT} ID"}
        if names.left != names.right:
            called |= {"left": names.left, "right": names.right}
        return tuple(called.get(word, word) for word in self.words(names))

    def words(self, names: Names | None = None) -> tuple[str, ...]:
        """Tell what a ruling may be, as the store keeps it: `left`, `right`, `leave`, or that a match is adopted."""
        why = self.row.because
        if why is None or self.row.state not in ("disputed", "quarantined"):
            return ()
        if self.row.state == "disputed":
            return _DISPUTED.get(why.code, SIDES_AND_LEAVE)
        if why.code not in _REFUSED:
            return ()
        ends = {} if names is None or names.left == names.right else {names.left: "left", names.right: "right"}
        refusing = ends.get(str(why.facts.get("target", why.facts.get("system")))) if self.linked else None
        return ("leave",) if refusing is None else (refusing, "leave")


@attrs.frozen
class Group:
    """Parked records that have the same trouble."""

    records: tuple[Parked, ...]
    """In order of arrival; at least one."""

    @property
    def code(self) -> Code | None:
        """Name their reason."""
        why = self.records[0].row.because
        return None if why is None else why.code

    def explain(self, language: Language = "en") -> str:
        """Say in one line how many they are, how they are parked, and why, with the facts of the first."""
        first = self.records[0]
        why = f" - {first.reason(language)}" if first.row.because is not None else ""
        return f"{len(self.records):,} {first.state(language)}{why}"


@attrs.frozen
class Unheld:
    """A character that CP932 cannot hold, and what was written in its place."""

    line: int
    column: str
    code_point: str
    """As in `U+9AD9`."""
    instead: str


@attrs.frozen
class Exported:
    """What became of an export."""

    rows: int
    unheld: tuple[Unheld, ...] = ()
    """Empty unless the file is CP932."""


@attrs.frozen
class NotTaken:
    """A line whose ruling was not taken, and why."""

    line: int
    why: Literal["moved_on", "not_a_choice", "twice", "held", "no_choice"]
    """The record asks something else by now; no such choice; its question is answered otherwise by an earlier line, or
    the line is there twice; it only waits; it has no choices."""


@attrs.frozen
class Ruled:
    """What became of an import."""

    taken: int
    not_taken: tuple[NotTaken, ...] = ()


def parked(store: StateStore, pipeline: str, state: QueueState | None = None) -> Sequence[Parked]:
    """List the parked records of a pipeline in order of arrival; of one state where one is named."""
    rows = store.quarantine.rows(pipeline, state)
    rulings = store.rulings.of(pipeline, [row.ref for row in rows])
    linked = {
        (side, ref)
        for side in SIDES
        for ref, known in store.links.standing(pipeline, side, [row.ref for row in rows if row.side == side]).items()
        if known.linked
    }
    return [Parked(row, rulings.get(row.ref), (row.side, row.ref) in linked) for row in rows]


def grouped(records: Sequence[Parked]) -> Sequence[Group]:
    """Put parked records together by state, reason code, system and field, the largest group first."""
    groups: dict[tuple[object, ...], list[Parked]] = {}
    for record in records:
        why = record.row.because
        told = () if why is None else (why.code, why.facts.get("system"), why.facts.get("field"))
        groups.setdefault((record.row.state, *told), []).append(record)
    return sorted((Group(tuple(found)) for found in groups.values()), key=lambda group: -len(group.records))


# -- out ------------------------------------------------------------------------------------


def export(
    records: Sequence[Parked],
    path: str | Path,
    names: Names,
    *,
    language: Language = "en",
    encoding: FileEncoding = "utf-8",
) -> Exported:
    """Write parked records into a file of comma-separated values, with an empty column for rulings.

    The file appears whole or not at all. No cell can act as a formula in a spreadsheet: one that begins like one gets
    an apostrophe before it. Controls, separators of lines and signs that turn the direction of writing are replaced, by
    U+FFFD or 〓; all others stay. What CP932 cannot hold is replaced by the usual form of the sign, else by 〓, and
    reported. *names* are those of the pipeline (`pipeline.names`). Raises `UsageError` where a record is of no such
    system and for an encoding that is none of the two, and `OSError` where the file cannot be written.
    """
    _held_against(names, records)
    if encoding not in ("utf-8", "cp932"):
        raise UsageError(f"{encoding!r} is none of the encodings utf-8, cp932")
    unheld: list[Unheld] = []
    final = Path(path)
    draft = final.with_name(f".{final.name}.draft")
    try:
        # Made anew, so that a link that lies there is not followed.
        draft.unlink(missing_ok=True)
        with draft.open("x", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
            writer.writerow(COLUMNS)
            for line, record in enumerate(records, 2):
                lacking = "\ufffd" if encoding == "utf-8" else _NO_SIGN
                cells = [_cell(text, lacking) for text in _texts(record, names, language)]
                writer.writerow(_held(cells, line, unheld) if encoding == "cp932" else cells)
        draft.replace(final)
    except OSError as error:
        # Nobody has asked for the draft: the error names the file that somebody asked for.
        raise OSError(error.errno, error.strerror, str(final)) from error
    finally:
        draft.unlink(missing_ok=True)
    return Exported(len(records), tuple(unheld))


def _texts(record: Parked, names: Names, language: Language) -> tuple[str, ...]:
    row = record.row
    code = "" if row.because is None else str(row.because.code)
    field = "" if row.because is None else str(row.because.facts.get("field", ""))
    due = "" if row.until is None else row.until.isoformat(timespec="minutes")
    choices = " / ".join(record.choices(names))
    return (
        record.key, record.state(language), row.ref.system, row.ref.kind, row.ref.id, code, field,
        record.reason(language), due, str(row.tries), choices, "",
    )  # fmt: skip


def _cell(text: str, lacking: str) -> str:
    """Make a text harmless: a spreadsheet takes what begins with a sign of arithmetic, wide or narrow, for a formula."""
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "CZ" or sign in _FORMULA), "")
    harmless = "".join(lacking if _harmful(sign) else sign for sign in text)
    return f"'{harmless}" if unicodedata.normalize("NFKC", first)[:1] in _FORMULA else harmless


def _harmful(sign: str) -> bool:
    return unicodedata.category(sign) in _HARMFUL or sign in _TURNING


def _held(cells: Sequence[str], line: int, unheld: list[Unheld]) -> list[str]:
    return ["".join(_signs(text, line, column, unheld)) for column, text in zip(COLUMNS, cells, strict=True)]


def _signs(text: str, line: int, column: str, unheld: list[Unheld]) -> Iterator[str]:
    lacking = {one.at: one for one in cp932_report(text)}
    for at, sign in enumerate(text):
        if at in lacking:
            unheld.append(Unheld(line, column, f"U+{ord(sign):04X}", lacking[at].instead or _NO_SIGN))
            yield unheld[-1].instead
        else:
            yield sign


# -- in -------------------------------------------------------------------------------------


def rule(
    store: StateStore,
    pipeline: str,
    path: str | Path,
    names: Names,
    *,
    by: str,
    now: dt.datetime,
    encoding: FileEncoding | Literal["auto"] = "auto",
) -> Ruled:
    """Take the rulings that people wrote into an exported file, and wake the records that they rule upon.

    Lines without a ruling are passed over, and so may be lines and columns that are not there any more: `key` and
    `ruling` are enough. A ruling is the name of the system whose values live on, `leave`, or the id to adopt, with
    `adopt` before it or without; it answers what the line asks, for both records of a pair, and nothing else. A file
    may be taken twice: what was ruled upon has moved on. *encoding* is told from the file itself unless it is named.
    *names* are those of the pipeline (`pipeline.names`), *by* is who rules.

    Raises `Unreachable` where the file is not there, `ContractBroken` with line and column where it is no such table,
    and `UsageError` without a name in *by*, without a column `ruling`, for an encoding that is none of these, and where
    a parked record is of no system that is named, on its side; nothing was taken then.
    """
    if not by.strip():
        raise UsageError("a ruling says by whom it is")
    records = {record.key: record for record in parked(store, pipeline)}
    _held_against(names, records.values())
    alike: dict[str, list[Parked]] = {}
    for one in records.values():
        alike.setdefault(one.asked, []).append(one)
    ruled: dict[str, str] = {}
    taken: set[str] = set()
    not_taken: list[NotTaken] = []
    for line, key, text in _lines(path, encoding):
        record, (word, choice) = records.get(key), read(text, names.left, names.right)
        if record is None:
            not_taken.append(NotTaken(line, "moved_on"))
        elif not record.rulable:
            not_taken.append(NotTaken(line, "held" if record.row.state == "held" else "no_choice"))
        elif word not in record.words(names) or (word == ADOPT and not may_name(choice, record.row.question)):
            not_taken.append(NotTaken(line, "not_a_choice"))
        elif key in taken or ruled.setdefault(record.asked, choice) != choice:
            not_taken.append(NotTaken(line, "twice"))
        else:
            taken.add(key)
    for asked, choice in ruled.items():
        for one in alike[asked]:
            store.rulings.add(pipeline, Ruling(one.row.ref, choice, by, now, one.row.question))
    return Ruled(len(taken), tuple(not_taken))


def _held_against(names: Names, records: Iterable[Parked]) -> None:
    """Refuse names that the records belie: the other way round each would stand for the other system's values."""
    for record in records:
        side, system = record.row.side, record.row.ref.system
        said = names.left if side == "left" else names.right
        if system != said:
            raise UsageError(
                f"Names(left={names.left!r}, right={names.right!r}): a parked record of the {side} is of {system!r}, and "
                f"not of {said!r}; give pipeline.names"
            )


def _lines(path: str | Path, encoding: FileEncoding | Literal["auto"]) -> Iterator[tuple[int, str, str]]:
    with SeparatedFile("rulings", path, "key", encoding).reading() as reading:
        if "ruling" not in reading.names:
            raise UsageError(f"{Path(path).name}: line 1 names no column 'ruling'")
        for row in reading.rows():
            ruling = str(row.values["ruling"] or "").strip().removeprefix("'")
            if ruling:
                yield row.line, str(row.values["key"] or "").strip(), ruling
