"""The way of a telephone number that is written as usual is a short cut: it leads where the long way leads."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmbridge.japanese import phone_key, split_phone

DIGITS = st.text("0123456789０１２３８９", min_size=1, max_size=5)
GAP = st.sampled_from(["", "-", "ー", "−", "－", " ", "　", ".", ")", "(", "）", "--", "/"])
FRONT = st.sampled_from(
    ["", "TEL", "tel:", "Tel. ", "+81", "+81-(0)", "＋８１ ", "(0", "0", "00", "010", "0081-", "x", "\u200b"]
)
BEHIND = st.sampled_from(["", " 内線12", "内線 3", "(代)", "代表", " (代表)", "ext.5", "/5679", "-", " ", "番"])
WRITTEN = st.builds(
    lambda front, groups, behind: front + "".join(part for pair in groups for part in pair) + behind,
    FRONT, st.lists(st.tuples(DIGITS, GAP), min_size=1, max_size=4), BEHIND,
)  # fmt: skip


@given(WRITTEN)
@example("03-1234-5678")
@example("+81 (0)3 1234 5678")
@example("010-81-3123-4567")
@example("0101234567")
@example("090-123-4567")
@example("0800-123-4567")
@example("03-12345-678")
@settings(max_examples=2000)
def test_the_short_way_leads_where_the_long_way_leads(written):
    assert phone_key(written) == split_phone(written).number
