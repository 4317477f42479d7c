"""What a simulation came to: how much was done, what was reached, which seeds broke a law, and their short stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ...wording import Language
from ._laws import meaning
from ._words import WORDS


class LawsBroken(AssertionError):
    """A simulation found a seed that breaks a law, or reached too little."""


@attrs.frozen
class Violation:
    """One seed that broke a law, as the shortest story that was found."""

    seed: int
    law: str
    told: str
    story: tuple[str, ...] = ()
    """What happened, in order."""
    faults: tuple[str, ...] = ()
    """What was switched on."""

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en") -> str:
        """Tell the seed, the law, and the story."""
        words = WORDS[language]
        lines = [words["broke"].format(seed=self.seed, law=self.law, text=meaning(self.law), told=self.told)]
        if self.faults:
            lines.append("  " + words["switched_on"].format(faults=", ".join(self.faults)))
        lines += [f"  {number:3}. {line}" for number, line in enumerate(self.story, 1)]
        return "\n".join(lines)


@attrs.frozen
class SimReport:
    """What a simulation did, reached and found; an assertion may say `assert report.ok, report`."""

    pipeline: str
    first: int
    seeds: int
    operations: int
    runs: int
    edits: int
    crashes: int
    windows: int
    """Edits that fell into the window that a system without conditional writes leaves open: both sides must come into step
    all the same, but which value lives on is not judged."""
    twice: int
    """Seeds that were lived twice, with the same trace."""
    reached: Mapping[str, int]
    """How often each row was reached: faults, rows of the decision table, dispositions, classes of creates."""
    unreached: tuple[str, ...]
    """Rows at zero that should have been reached."""
    beyond: Mapping[str, str]
    """Rows that cannot be reached, and why."""
    violations: tuple[Violation, ...]

    @property
    def ok(self) -> bool:
        """Say whether no law was broken and nothing stayed out of reach."""
        return not self.violations and not self.unreached

    def raise_for_violations(self) -> SimReport:
        """Raise `LawsBroken` with the whole report unless all is well; give the report itself where it is."""
        if not self.ok:
            raise LawsBroken(str(self))
        return self

    def __str__(self) -> str:
        return self.say()

    def say(self, language: Language = "en") -> str:
        """Show the figures, each row with its count, and the stories of the seeds that broke a law."""
        words = WORDS[language]
        lines = [words["head"].format(name=self.pipeline, first=self.first, last=self.first + self.seeds - 1)]
        figures = {name: getattr(self, name) for name in FIGURES}
        lines += [f"{count:9,}  {words[name]}" for name, count in figures.items()]
        lines += ["", words["reached"]]
        lines += [f"{count:9,}  {row}" for row, count in self.reached.items()]
        lines += [f"{'-':>9}  {row}: {why}" for row, why in self.beyond.items()]
        if self.unreached:
            lines += ["", words["unreached"].format(rows=", ".join(self.unreached))]
        for violation in self.violations:
            lines += ["", violation.say(language)]
        lines += ["", words["well"] if self.ok else words["not_well"].format(count=len(self.violations))]
        return "\n".join(lines)

    def as_json(self) -> Mapping[str, Any]:
        """Give everything as values of JSON."""
        return {
            "pipeline": self.pipeline,
            "first": self.first,
            **{name: getattr(self, name) for name in FIGURES},
            "reached": dict(self.reached),
            "unreached": list(self.unreached),
            "beyond": dict(self.beyond),
            "violations": [
                {
                    "seed": one.seed,
                    "law": one.law,
                    "text": meaning(one.law),
                    "told": one.told,
                    "faults": list(one.faults),
                    "story": list(one.story),
                }
                for one in self.violations
            ],
            "ok": self.ok,
        }


FIGURES: Sequence[str] = ("seeds", "operations", "runs", "edits", "crashes", "windows", "twice")
