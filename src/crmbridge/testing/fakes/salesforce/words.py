"""What FIND looks for: words, phrases and what joins them (SOQL and SOSL Reference, "FIND {SearchQuery}")."""

import re
from collections.abc import Callable

from crmbridge.testing.fakes.salesforce.errors import Refused
from crmbridge.testing.fakes.salesforce.patterns import alike

Wanted = Callable[[str], bool]
"""Says whether what a record holds, case folded and a field on each line, is what is looked for."""

DEEPEST = 50

_TERM = re.compile(
    r'\s*(?:(?P<sign>[()])|"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>(?:[^\s()"\\]|\\.)+)|(?P<end>$))', re.DOTALL
)
_PIECE = re.compile(r"\\(?P<plain>.)|(?P<wild>[*?])|(?P<reserved>[&|!^~\[\]])|.", re.DOTALL)
_LIKE = {"%": r"\%", "_": r"\_", "\\": "_"}
"""How LIKE writes a plain character; it has no form for a backslash before a wildcard."""
_WILD = {"*": "%", "?": "_"}


def wanted(text: str) -> Wanted:
    """Read what stands between the braces; raises MALFORMED_SEARCH for what is not read."""
    reader = _Reader(text)
    found = reader.either()
    if reader.sort != "end":
        raise reader.unexpected()
    if reader.length < 2:
        raise Refused("MALFORMED_SEARCH", f"search term must be longer than one character: FIND {{{text}}}")
    return found


class _Reader:
    """One walk over the words; AND binds stronger than OR, and is meant where nothing stands between two words."""

    def __init__(self, text: str) -> None:
        self.length = 0
        """How many characters are looked for."""
        self._text = text
        self._at = self._depth = 0
        self._step()

    def either(self) -> Wanted:
        parts = [self._both()]
        while self._takes("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda text: any(part(text) for part in parts)

    def unexpected(self) -> Refused:
        return Refused("MALFORMED_SEARCH", f"unexpected token: '{self._text[self._begin :] or '<EOF>'}'")

    def _both(self) -> Wanted:
        parts = [self._one()]
        while True:
            if self._takes("AND"):
                parts.append(self._without() if self._takes("NOT") else self._one())
            elif self.sort == "end" or self._closes() or self._is("OR"):
                return parts[0] if len(parts) == 1 else lambda text: all(part(text) for part in parts)
            else:
                parts.append(self._one())

    def _without(self) -> Wanted:
        part = self._one()
        return lambda text: not part(text)

    def _one(self) -> Wanted:
        # Vendor: a word that is an operator is looked for within quotes only, and NOT stands behind AND.
        if self.sort == "end" or self._closes() or self._is("AND", "OR", "NOT"):
            raise self.unexpected()
        if self.sort == "sign":
            return self._grouped()
        test = self._test()
        self._step()
        return test

    def _grouped(self) -> Wanted:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("MALFORMED_SEARCH", "the search is nested too deeply")
        self._step()
        inside = self.either()
        if not self._closes():
            raise self.unexpected()
        self._step()
        self._depth -= 1
        return inside

    def _test(self) -> Wanted:
        """Make the test of one word, or of one phrase; wildcards stand for characters of a word, or of a line."""
        plain, like, wild = "", "", False
        for piece in _PIECE.finditer(self._value):
            if piece["reserved"]:
                raise Refused("MALFORMED_SEARCH", f"a reserved character is not escaped: {piece[0]}")
            letter = "" if piece["wild"] else piece["plain"] or piece[0]
            wild = wild or not letter
            plain += letter
            like += _LIKE.get(letter, letter) or _WILD[piece[0]]
        if not plain.strip():
            raise self.unexpected()
        self.length += len(plain) + wild
        if not wild:
            plain = plain.casefold()
            return lambda text: plain in text
        fits = alike(f"%{like.casefold()}%")
        if self.sort == "phrase":
            return lambda text: any(fits(line) for line in text.split("\n"))
        return lambda text: any(fits(word) for word in text.split())

    def _closes(self) -> bool:
        return self.sort == "sign" and self._value == ")"

    def _is(self, *words: str) -> bool:
        return self.sort == "word" and self._value.upper() in words

    def _takes(self, word: str) -> bool:
        if not self._is(word):
            return False
        self._step()
        return True

    def _step(self) -> None:
        found = _TERM.match(self._text, self._at)
        self._begin = self._at
        if found is None or found.lastgroup is None:
            raise self.unexpected()
        self.sort, self._value = found.lastgroup, found[found.lastgroup]
        self._at = found.end()
