"""How the demo speaks: sentences to standard output, progress to standard error."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import attrs

from ...protocols import Event
from ...wording import Language
from ._scene import Scene
from ._words import WORDS

EVERY = 1.0
"""Seconds between two words of progress."""


@attrs.define(eq=False)
class Teller:
    """Tells a person how the demo goes on; one who is quiet only shows progress. It is also the pipeline's observer."""

    language: Language = "en"
    quiet: bool = False
    _read: int = 0

    def say(self, key: str, **facts: str | float) -> None:
        """Say one sentence of the demo."""
        self.lines([self.words(key, **facts)])

    def words(self, key: str, **facts: str | float) -> str:
        """Give one sentence of the demo."""
        return WORDS[self.language][key].format(**facts)

    def lines(self, lines: Iterable[str], indent: str = "") -> None:
        """Print lines that somebody else worded."""
        if not self.quiet:
            for line in lines:
                print(f"{indent}{line}", flush=True)

    def saw(self, event: Event) -> None:
        """Count what is read."""
        read = event.facts.get("records")
        if event.name == "read" and isinstance(read, int):
            self._read += read

    @contextmanager
    def working(self, scene: Scene) -> Generator[None]:
        """Show how far things are, every second until the block ends."""
        self._read = 0
        before, done = scene.written, threading.Event()

        def tick() -> None:
            while not done.wait(EVERY):
                text = self.words("progress", read=self._read, written=scene.written - before)
                print(text, file=sys.stderr, flush=True)

        ticking = threading.Thread(target=tick, daemon=True)
        ticking.start()
        try:
            yield
        finally:
            done.set()
            ticking.join()
