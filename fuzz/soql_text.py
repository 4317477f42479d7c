"""A text becomes a SOQL string that stands for exactly that text, and for nothing beside it."""

from crmbridge.adapters.salesforce._soql import quoted
from crmbridge.testing.fakes.salesforce.soql import Compare, parse, unescaped

SEEDS = (b"O'Brien", b"\\", b"\\'", b"' OR Name != '", b"\\u0027", "田中\n\t\x00\u2028".encode())


def target(data):
    text = data.decode("utf-8", "surrogatepass") if _readable(data) else data.decode("latin-1")
    query = parse(f"SELECT Id FROM Lead WHERE Name = {quoted(text)}")
    assert isinstance(query.where, Compare)
    assert [unescaped(literal.value) for literal in query.where.literals] == [text]


def _readable(data):
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
