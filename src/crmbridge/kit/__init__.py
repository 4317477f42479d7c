"""What adapters are made of: asking, checking the shape of an answer, settling writes, instants, cursors.

A kit function is a flow or a pure function. It knows no HTTP library and no clock: every instant comes from a vendor.
"""

from .asking import answer, ask, plain_fault, safe_code
from .cursors import open_cursor, seal
from .outcomes import settle
from .shapes import array, instant_member, is_array, is_table, member, table
from .times import instant, retry_at, server_time, utc_text

__all__ = [
    "answer",
    "array",
    "ask",
    "instant",
    "instant_member",
    "is_array",
    "is_table",
    "member",
    "open_cursor",
    "plain_fault",
    "retry_at",
    "safe_code",
    "seal",
    "server_time",
    "settle",
    "table",
    "utc_text",
]
