"""SOQL as a row of words, constants and signs, and the refusals that name a place in it."""

import re

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.statement import wrong

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.]*(?::\d+)?)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),])"
    r"|(?P<end>$)|(?P<strange>\S))",
    re.DOTALL,
)


class Tokens:
    """One walk over the words of a text from a place on; names and keywords are compared without case."""

    def __init__(self, text: str, begin: int = 0) -> None:
        self.text = text
        self.sort = self.value = ""
        self.begin = 0
        """Where the word at hand begins."""
        self._at = begin
        self.step()

    def step(self) -> None:
        """Go on to the next word."""
        found = _TOKEN.match(self.text, self._at)
        if found is None or found.lastgroup is None:
            self.sort, self.value, self.begin = "end", "", len(self.text)
            return
        self.sort, self.value = found.lastgroup, found[found.lastgroup]
        self.begin, self._at = found.start(found.lastgroup), found.end()

    def unexpected(self) -> Refused:
        """Refuse the word at hand."""
        shown = "<EOF>" if self.sort == "end" else self.value
        return wrong("MALFORMED_QUERY", self.text, self.begin, f"unexpected token: '{shown}'")

    def at(self, *words: str) -> bool:
        """Say whether the word at hand is one of these."""
        return self.sort in ("word", "sign") and self.value.upper() in words

    def take(self, *words: str) -> bool:
        """Step over the word at hand if it is one of these, and say whether it was."""
        if self.at(*words):
            self.step()
            return True
        return False

    def expect(self, *words: str) -> None:
        """Step over the word at hand, which must be one of these."""
        if not self.take(*words):
            raise self.unexpected()

    def name(self) -> tuple[str, int]:
        """Step over a name or a path, and give it with its place."""
        if self.sort != "word" or ":" in self.value or self.value.endswith(".") or ".." in self.value:
            raise self.unexpected()
        word, begin = self.value, self.begin
        self.step()
        return word, begin

    def whole(self) -> int:
        """Step over a whole number, and give it."""
        if self.sort != "number" or not self.value.isdigit():
            raise self.unexpected()
        value = int(self.value[:12])
        self.step()
        return value

    def expect_end(self) -> None:
        """Refuse anything after the query."""
        if self.sort != "end":
            raise self.unexpected()
