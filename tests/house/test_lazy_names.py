"""Packages whose names are loaded when they are first asked for say them three times, and always the same."""

import ast
import importlib

import pytest


def lazy(sources, root):
    for path in sources:
        if path.name == "__init__.py" and " import lazily\n" in path.read_text("utf-8"):
            yield ".".join(path.parent.relative_to(root / "src").parts), ast.parse(path.read_text("utf-8"))


def checked(tree):
    """Tell which names a type checker finds, by the module that they come from."""
    [choice] = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(choice.test) == "TYPE_CHECKING"
    return {(one.module, alias.name) for one in choice.body for alias in one.names}


def loaded(tree):
    """Tell which names Python finds, by the module that they come from."""
    [call] = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazily"]
    homes = ast.literal_eval(call.args[1])
    return {(home, name) for home, names in homes.items() for name in names.split()}


def test_a_type_checker_and_python_find_the_same_names_in_the_same_modules(sources, root):
    told = {name: (checked(tree), loaded(tree)) for name, tree in lazy(sources, root)}
    assert "crmbridge.model" in told
    assert [name for name, (for_checkers, for_python) in told.items() if for_checkers != for_python] == []


def test_what_a_package_exports_is_what_it_gives(sources, root):
    for name, _ in lazy(sources, root):
        package = importlib.import_module(name)
        assert sorted(package.__all__) == dir(package), name
        assert [one for one in package.__all__ if not hasattr(package, one)] == [], name


@pytest.mark.parametrize("package", ["crmbridge", "crmbridge.model", "crmbridge.policies"])
def test_a_name_that_a_package_does_not_give_is_refused_by_its_own_name(package):
    with pytest.raises(AttributeError, match=f"^module '{package}' has no attribute 'nonsense'$"):
        _ = importlib.import_module(package).nonsense
