"""Sizes are a smell, not a law: they are told as warnings, and no test fails for them."""

import ast
import warnings

MODULE, FUNCTION = 300, 40


def smells(sources, root):
    for path in sources:
        text = path.read_text("utf-8")
        lines = text.count("\n")
        if lines > MODULE and not path.stem.endswith("_table"):
            yield f"{path.relative_to(root)}: {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION:
                    yield f"{path.relative_to(root)}:{node.lineno} {node.name}: {length} lines"


def test_large_modules_and_functions_are_told(sources, root):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for smell in smells(sources, root):
            warnings.warn(smell, stacklevel=1)
