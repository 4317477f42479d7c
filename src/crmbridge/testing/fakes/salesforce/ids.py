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
        self._block = -1
        self._head = self._middle = ""
        self._bits = 0

    def __call__(self, number: int) -> str:
        """Give the id with this number, in the long form."""
        block, last = divmod(number, 3844)
        if block != self._block:
            self._open(block)
        return f"{self._head}{_PAIRS[last]}{self._middle}{_CHECK[self._bits + 8 * _PAIR_BITS[last]]}"

    def _open(self, block: int) -> None:
        """Work out what the ids with the same characters but for the last two have in common."""
        rest, pair = divmod(block, 3844)
        high, letter = divmod(rest, 62)
        start = self._prefix + _POD + _PAIRS[high // 3844] + _PAIRS[high % 3844]
        self._block = block
        self._head = start + _ALPHABET[letter] + _PAIRS[pair]
        self._middle = check_characters(start + "00000")[:2]
        self._bits = _ALPHABET[letter].isupper() + 2 * _PAIR_BITS[pair]


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
