"""Record ids: 15 characters that are case-sensitive, or 18 that need not be."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "5g0"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_PAIR_BITS = [first.isupper() + 2 * second.isupper() for first in _ALPHABET for second in _ALPHABET]


def check_characters(short: str) -> str:
    """Give the three characters that tell the case of the fifteen before them."""
    return "".join(
        _CHECK[sum(1 << bit for bit, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")]
        for start in (0, 5, 10)
    )


class Minter:
    """Makes ids of one kind from running numbers, quickly enough for a bulk load."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._high = -1
        self._start = self._middle = ""

    def __call__(self, number: int) -> str:
        """Give the id with this number, in the long form."""
        high, low = divmod(number, 62**5)
        if high != self._high:
            self._high = high
            digits = _PAIRS[high // 3844] + _PAIRS[high % 3844]
            self._start = self._prefix + _POD + digits
            self._middle = check_characters(self._start + "00000")[:2]
        first, rest = divmod(low, 3844 * 3844)
        second, third = divmod(rest, 3844)
        letter = _ALPHABET[first]
        check = _CHECK[letter.isupper() + 2 * _PAIR_BITS[second] + 8 * _PAIR_BITS[third]]
        return f"{self._start}{letter}{_PAIRS[second]}{_PAIRS[third]}{self._middle}{check}"


def long_form(text: object) -> str | None:
    """Give the 18 character form of an id in either form; None for what is no id.

    The case of the long form is restored from its last three characters, as the vendor does.
    """
    if not isinstance(text, str) or not text.isascii() or not text.isalnum():
        return None
    if len(text) == 15:
        return text + check_characters(text)
    if len(text) != 18:
        return None
    letters: list[str] = []
    for start, check in zip((0, 5, 10), text[15:].upper(), strict=True):
        bits = _CHECK.find(check)
        if bits < 0:
            return None
        group = text[start : start + 5]
        letters += [letter.upper() if bits >> bit & 1 else letter.lower() for bit, letter in enumerate(group)]
        if any(bits >> bit & 1 and not letter.isalpha() for bit, letter in enumerate(group)):
            return None
    return "".join(letters) + text[15:].upper()
