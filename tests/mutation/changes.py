"""The changes that are tried: every place of a module where something else could stand, one at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import attrs

SWAPS: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.Continue: ast.Break,
}  # fmt: skip

OPPOSITES = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
"""Comparisons whose swap is their opposite: a condition that is one of them is not turned around a second time."""


@attrs.frozen
class Change:
    """One change: where it stands, what it is, and the whole module with it."""

    line: int
    lines: frozenset[int]
    """Those of the place, and the first one of its statement; a test that passes none of them cannot notice.

    In a flow those of the whole function: where an error is thrown into it, nobody is told which lines follow. So too for
    the value that a parameter has where none is given.
    """
    code: str
    """The line as it stands in the source."""
    told: str
    inside: bool
    """Whether it stands in a function; what stands outside is run when the module is imported."""
    tree: ast.Module = attrs.field(repr=False, eq=False)


def changes(source: str) -> Iterator[Change]:
    """Give each change of a module, in the order of its lines."""
    tree, written = ast.parse(source), source.splitlines()
    found = list(_spots(bare(tree)))
    for number, place in sorted(enumerate(found), key=lambda one: (one[1].node.lineno, one[1].node.col_offset)):
        if not _changes(place.node):
            continue
        changed = copy.deepcopy(tree)
        twin = list(_spots(changed))[number].node
        before = ast.unparse(twin).splitlines()[0]
        told = f"{before} → {_change(twin)}"
        line = place.node.lineno
        lines = frozenset({*_lines(place.node), place.statement, *place.flow})
        code = written[line - 1].strip()
        yield Change(line, lines, code, told, place.inside, ast.fix_missing_locations(changed))


def nothing(source: str) -> Change:
    """Give the change of a whole module that changes nothing: no test may notice it."""
    lines = frozenset(range(1, len(source.splitlines()) + 1))
    return Change(1, lines, "", "", inside=True, tree=bare(ast.parse(source)))


def bare(tree: ast.Module) -> ast.Module:
    """Take what says nothing to the interpreter out of a module: the types of functions, and docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            given = node.args
            for arg in (*given.args, *given.kwonlyargs, *given.posonlyargs, given.vararg, given.kwarg):
                if arg is not None:
                    arg.annotation = None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class _Place(NamedTuple):
    node: ast.expr | ast.stmt
    inside: bool
    statement: int
    """The first line of the innermost statement."""
    flow: range
    """The lines of the function, where it is a generator, or the place is the value of a parameter."""


def _spots(node: ast.AST, *, inside: bool = False, statement: int = 0, flow: range = range(0)) -> Iterator[_Place]:
    """Give the expressions and statements below a node."""
    for name, child in _children(node):
        within = inside or (isinstance(node, ast.FunctionDef | ast.Lambda) and name == "body")
        line = child.lineno if isinstance(child, ast.stmt) else statement
        if isinstance(child, ast.expr | ast.stmt):
            yield _Place(child, within, line, flow)
        given = _all(node) if isinstance(node, ast.FunctionDef) and isinstance(child, ast.arguments) else range(0)
        yield from _spots(child, inside=within, statement=line, flow=given or _flow(child) or flow)


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Give what stands in a node, but for types, and for how a field is shown and compared that others make."""
    derived = isinstance(node, ast.Call) and any(one.arg == "init" for one in node.keywords)
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.AnnAssign) and (name == "annotation" or _is_alias(node)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if derived and isinstance(child, ast.keyword) and child.arg in {"init", "eq", "repr"}:
                continue
            if isinstance(child, ast.AST):
                yield name, child


def _flow(node: ast.AST) -> range:
    """Give the lines of a function that is a generator, and none of anything else."""
    if isinstance(node, ast.FunctionDef) and any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node)):
        return _all(node)
    return range(0)


def _all(node: ast.FunctionDef) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_alias(node: ast.AnnAssign) -> bool:
    return isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"


def _lines(spot: ast.expr | ast.stmt) -> frozenset[int]:
    body = getattr(spot, "body", None)
    end = body[0].lineno - 1 if isinstance(spot, ast.stmt) and isinstance(body, list) else spot.end_lineno
    return frozenset(range(spot.lineno, max(spot.lineno, end or 0) + 1))


def _changes(spot: ast.expr | ast.stmt) -> bool:
    match spot:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op):
            return type(op) in SWAPS
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return not isinstance(test, ast.UnaryOp) and not (
                isinstance(test, ast.Compare) and isinstance(test.ops[0], OPPOSITES)
            )
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return False  # the type checker's business
        case ast.Return(value=ast.Constant(value=None)):
            return False
        case ast.Constant(value=bool() | int()) | ast.UnaryOp(op=ast.Not()) | ast.Continue() | ast.AugAssign():
            return True
        case ast.Expr(value=ast.Call()) | ast.Return(value=ast.expr()):
            return True
        case _:
            return False


def _change(spot: ast.expr | ast.stmt) -> str:
    match spot:
        case ast.Compare(ops=[op]):
            spot.ops = [SWAPS[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            spot.op = SWAPS[type(op)]()  # type: ignore[assignment]
        case ast.UnaryOp(operand=operand):
            # A node is changed where it stands; two negations are none, but for a truth that is not a bool.
            spot.operand = ast.UnaryOp(ast.Not(), operand)
            return ast.unparse(operand)
        case ast.Constant(value=bool(value)):
            spot.value = not value
        case ast.Constant(value=int(value)):
            spot.value = value + 1
        case ast.If() | ast.IfExp() | ast.While():
            spot.test = ast.UnaryOp(ast.Not(), spot.test)
        case ast.Return():
            spot.value = ast.Constant(None)
        case _:
            spot.__class__ = ast.Break if isinstance(spot, ast.Continue) else ast.Pass  # type: ignore[assignment]
    return ast.unparse(ast.fix_missing_locations(spot)).splitlines()[0]
