"""Digima's web tracking: the script for a page, and the visitor's cookie."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmbridge.adapters.digima import tracking_snippet, tracking_url, visit_cookie
from crmbridge.errors import SettingsError

URL = "https://tracking.digima.test/t/ACC.js?v=1&x=2"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


def test_the_snippet_loads_the_script_without_waiting_for_it() -> None:
    assert tags(tracking_snippet(URL)) == [("script", {"async": None, "src": URL})]


@pytest.mark.parametrize(
    "pasted",
    [URL, f"  {URL}\n", f'<script async src="{URL}"></script>', f"<SCRIPT SRC='{URL}' ASYNC></SCRIPT>"],
)
def test_the_address_is_taken_from_what_was_pasted(pasted: str) -> None:
    assert tracking_url(pasted) == URL


@pytest.mark.parametrize(
    "pasted",
    ["", "javascript:alert(1)", "//x.test/a.js", "ftp://x.test/a.js", "https://", 'https://x.test/"><b>', "https://[x"],
)
def test_what_is_no_address_of_a_script_is_refused_with_the_place_where_it_stands(pasted: str) -> None:
    with pytest.raises(SettingsError, match="トラッキングコードを確認する"):
        tracking_url(pasted)


@given(st.text())
def test_nothing_that_is_pasted_makes_more_than_one_tag(pasted: str) -> None:
    try:
        snippet = tracking_snippet(pasted)
    except SettingsError:
        return
    assert [tag for tag, _ in tags(snippet)] == ["script"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("dgm_bcn=abc", "abc"),
        ("x=1; dgm_bcn=abc; y=2", "abc"),
        ('dgm_bcn="abc"', "abc"),
        ("dgm_bcn_clk=abc", None),
        ("xdgm_bcn=abc", None),
        ("dgm_bcn=", None),
        ("dgm_bcn=a b", None),
        ("dgm_bcn=a\r\nb", None),
        ("", None),
    ],
)
def test_the_visitors_mark_is_read_from_the_cookie_header(header: str, value: str | None) -> None:
    assert visit_cookie(header) == value
