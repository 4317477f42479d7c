"""What is said of a type says something: a union with `Any` takes everything, and no type checker helps a caller."""

import ast

ANY = {"Any", "typing.Any"}


def members(node):
    """Give the members of a union that is written with bars."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from members(node.left)
        yield from members(node.right)
    else:
        yield ast.unparse(node)


def unions_with_any(source):
    """Tell the lines on which a union has `Any` in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and ANY & set(members(node)):
            yield node.lineno


def test_no_union_takes_everything(root):
    found = {
        path.relative_to(root): list(unions_with_any(path.read_text("utf-8"))) for path in root.glob("src/**/*.py")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_union_that_takes_everything_is_found():
    source = "def f(a: int | Any, b: str | None) -> Callable[[], Any] | int: ...\n\nx: list[Any | None]\n"
    assert list(unions_with_any(source)) == [3, 1]
