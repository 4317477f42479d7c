"""Names of companies and other organisations: the name, the legal form, and the branch."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable
from typing import Final

import attrs

from crmbridge.japanese._dashes import hyphens, long_vowels
from crmbridge.japanese._edition import edition
from crmbridge.japanese._fold import TITLES, compose, fold, joined, squash, without_title
from crmbridge.japanese._forms import BRANCHES, FORMS, INSTITUTIONS, READINGS, WESTERN
from crmbridge.japanese.kana import SMALL_KANA
from crmbridge.japanese.kanji import Folding, Kanji, kanji_folding


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


_FULL: Final = {name.casefold(): name for name, _, _ in FORMS} | dict(READINGS)
_SHORT: Final = {short: name for name, brackets, banks in FORMS for short in (*brackets.split(), *banks.split())}
_SHORT_WORDS: Final = _alternatives(_SHORT)
_FULL_FORM: Final = re.compile(f"(?P<full>医療法人 (?:社団|財団)(?= )|{_alternatives(_FULL)})")
_SHORT_FORM: Final = re.compile(
    f"[(\\[〔【<](?P<short>{_SHORT_WORDS}|{_alternatives(_FULL)})[)\\]〕】>]"
    f"|^(?P<front>{_SHORT_WORDS})\\)"
    f"|\\((?P<back>{_SHORT_WORDS})$"
)
_WESTERN: Final = re.compile(f"(?<=[^ ,|])[ ,|]{{1,3}}(?P<western>{WESTERN.replace(' ', ' {1,3}')}) ?$")
_POINT: Final = re.compile("(?<=[a-z.])[.,]")
_SIGN: Final = re.compile("[・･'’‘`´\"“”「」『』()\\[\\]〔〕【】<>〈〉《》:;!?/_~*| ]+|(?<![0-9])[-.,]|[-.,](?![0-9])")
_NO_VOWEL: Final = re.compile("(?<=[ンん])ー+(?![ガカ]イシヤ)")
"""No vowel stands there that could be long: the dash of セブン-イレブン parts two words. No form is made by leaving it out."""
_AND: Final = re.compile("(?<=[a-z0-9.]) and (?=[a-z0-9])")
_BRANCH: Final = re.compile(f"(?:{_alternatives(BRANCHES.split())})$")
_INSTITUTION: Final = re.compile(
    f"(?P<name>.{{1,40}}?(?:{_alternatives(INSTITUTIONS.split())}))"
    "(?P<branch>[^ ]{1,30}(?:支店|支社|支部|営業所|営業部|出張所|本店|本部))"
)
_WESTERN_WORDS: Final = {
    "incorporated": "inc",
    "corporation": "corp",
    "limited": "ltd",
    "company": "co",
    "coltd": "co ltd",
}
_PASSES: Final = 4
_USUAL: Final = "株式会社"
_COMMON: Final = (("(株)", "株式会社"), ("有限会社", "有限会社"), ("(有)", "有限会社"))
_WESTERN_REACH: Final = 60


class Position(enum.Enum):
    """Where a company writes its legal form."""

    FRONT = "front"
    MIDDLE = "middle"
    BACK = "back"
    NONE = "none"


@attrs.frozen
class Company:
    """The name of an organisation apart: name, legal form in full, where it stood, and branch."""

    name: str
    form: str = ""
    position: Position = Position.NONE
    branch: str = ""


@edition(3)
def company_key(text: str, *, form: bool = False, kanji: Kanji = Kanji.FORMS) -> str:
    """Compares two names of organisations whatever their width, blanks, signs and way of writing the legal form.

    株式会社, ㈱, (株), K.K., Co., Ltd. and the bank's カ) are left out wherever they stand, old kanji are read as new ones,
    small kana as large ones (キャノン as キヤノン), and a dash after kana as the long vowel, but after ン as nothing. The branch stays: two branches
    of one bank are two places. With *form* on the legal form is part of the key, so that 株式会社山田 is not 有限会社山田; which
    side it stood on never is. A text that is only a legal form gives nothing.
    """
    work = _work(fold(text), kanji)
    if work.isalnum() and not (work[-1].isascii() or _may_hold_form(work) or work.endswith(TITLES)):
        return work  # no sign, blank, form or title: nothing to leave out
    key, found = _name(work)
    if (_may_hold_form(key) or key.endswith(TITLES)) and _name(key) != (key, ""):
        key, found = _as_it_is(work), ""
    return f"{key}|{found}" if form and found and key else key


@edition(3)
def full_company_key(text: str) -> str:
    """Compares two names of organisations with their legal form, for merging without review: 株式会社山田 is not 有限会社山田."""
    return company_key(text, form=True)


def split_company(text: str) -> Company:
    """Splits the name of an organisation into name, legal form, its position and the branch.

    What follows a form in the middle is the branch (ヤマキ株式会社藤枝支店). Elsewhere a branch is what follows a blank and ends
    as branches do, or follows the word for a bank or an insurer; 日立製作所中央研究所 in one word stays one name, because
    nothing says where it ends.
    """
    shown = compose(text)
    work = _work(shown.lower(), Kanji.FORMS)
    if len(work) != len(shown):
        shown = work
    work = without_title(work)
    shown = shown[: len(work)]
    found = _japanese(work) or _western(work)
    if found is None:
        name, branch = _name_and_branch(shown)
        return Company(name, branch=branch)
    before, after = shown[: found.start()].strip(" ,"), shown[found.end() :].strip(" ,")
    form = _named(found)
    if before and after:
        return Company(before, form, Position.MIDDLE, after)
    name, branch = _name_and_branch(before or after)
    return Company(name, form, Position.BACK if before else Position.FRONT, branch)


def _work(folded: str, kanji: Kanji) -> str:
    if not squash(folded).isalnum():
        folded = long_vowels(hyphens(folded))
    return _NO_VOWEL.sub("", _folding(kanji)(folded))


def _folding(kanji: Kanji) -> Folding:
    return _usual_folding() if kanji is Kanji.FORMS else kanji_folding(kanji, SMALL_KANA)


@functools.cache
def _usual_folding() -> Folding:
    return kanji_folding(Kanji.FORMS, SMALL_KANA)


def _name(work: str) -> tuple[str, str]:
    """The comparable name without legal form, signs and blanks, and the first form found."""
    western = _western(work)
    rest = work[: western.start()] if western else work
    if " and " in rest:
        rest = _AND.sub("&", rest)
    key, found = _without_forms(squash(rest), _named(western) if western else "")
    if not key.isalnum():
        key = joined(_SIGN.sub("", key))  # a mark may have met its letter
    key = _NO_VOWEL.sub("", key)
    return key if key or found else _as_it_is(work), found


def _as_it_is(work: str) -> str:
    """The text with all its forms and signs, where leaving them out leaves nothing, or another form or title."""
    return _NO_VOWEL.sub("", long_vowels(joined(squash(work))))


def _without_forms(closed: str, first: str) -> tuple[str, str]:
    """The text without any legal form, and the first form found.

    Where taking one out makes another, over and over, nothing is taken.
    """
    rest = without_title(closed)
    if _USUAL in rest:
        first, rest = first or _USUAL, without_title(rest.replace(_USUAL, ""))
    for written, form in _COMMON:
        if written in rest:
            bare = rest.replace(written, "")
            # Where nothing else is a form or a sign (特例有限会社 is another form), no search for all of them is needed.
            if bare.isalnum() and not _may_hold_form(bare) and "特例" not in bare:
                return without_title(bare), first or form
    for _ in range(_PASSES):
        found = _japanese(rest)
        if found is None:
            return rest, first
        first = first or _named(found)
        rest = without_title(found.re.sub("", rest))
    return closed, ""


def _japanese(work: str) -> re.Match[str] | None:
    found = _FULL_FORM.search(work) if _may_hold_form(work) else None
    if found is None and not work.isalnum():
        found = _SHORT_FORM.search(work)
    return found


def _may_hold_form(work: str) -> bool:
    """Whether a full form is possible at all: four looks cost less than one search for forty words."""
    return "会社" in work or "法人" in work or "イシヤ" in work or "業組合" in work


def _western(work: str) -> re.Match[str] | None:
    if not work or not (work[-1].isascii() and (work[-1].isalpha() or work[-1] == ".")):
        return None
    return _WESTERN.search(_POINT.sub(" ", work), max(0, len(work) - _WESTERN_REACH))


def _named(found: re.Match[str]) -> str:
    """The legal form that was found, in full; a western one as it was written."""
    if found.re is _WESTERN:
        return _western_form(found["western"])
    if found.re is _FULL_FORM:
        return _FULL.get(found["full"]) or found["full"].replace(" ", "")
    short = found["short"] or found["front"] or found["back"]
    return _SHORT.get(short) or _FULL[short]


def _western_form(written: str) -> str:
    """A western form in its short words, so that Limited and Ltd., or K.K. and KK, are one."""
    words = [_WESTERN_WORDS.get(word, word) for word in written.split()]
    return "".join(words) if all(len(word) == 1 for word in words) else " ".join(words)


def _name_and_branch(shown: str) -> tuple[str, str]:
    words = shown.split(" ")
    for place, word in enumerate(words[1:], start=1):
        if _BRANCH.search(word):
            return " ".join(words[:place]), " ".join(words[place:])
    institution = _INSTITUTION.fullmatch(shown)
    if institution is not None:
        return institution["name"], institution["branch"]
    return shown, ""
