"""The short way for addresses that are written plainly gives what the careful way gives."""

from hypothesis import given
from hypothesis import strategies as st

from crmbridge.japanese.mail import _careful, email_key

part = st.text("abcXYZ019._%+-", min_size=1, max_size=70)
address = st.builds("{}@{}".format, part, part) | st.from_regex(r"[a-zA-Z0-9._%+]+@[A-Z0-9.-]+", fullmatch=True)


@given(st.sampled_from(["", " ", "  "]), address, st.sampled_from(["", " ", "."]))
def test_both_ways_give_the_same_key(before, text, after):
    assert email_key(before + text + after) == _careful(before + text + after)


@given(st.text(max_size=40))
def test_both_ways_give_the_same_key_for_any_text(text):
    assert email_key(text) == _careful(text)
