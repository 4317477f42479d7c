"""Who may import what from outside, and what an import costs a program that only says `import crmbridge`."""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
import tomllib

import pytest

CORE = {
    "attrs": "attrs",
    "cattrs": "cattrs",
    "httpx": "httpx",
    "tenacity": "tenacity",
    "typing-extensions": "typing_extensions",
}

BROUGHT = {"httpcore": "httpx"}
"""Packages that one of the five cannot do without, and is a face of."""

WHERE = {
    "cattrs": {"wire", "settings"},
    "httpx": {"drive", "testing"},
    "httpcore": {"drive"},
    "tenacity": {"drive"},
    "sqlite3": {"stores"},
}

LAZY = {"cattrs", "httpx", "httpcore", "tenacity", "sqlite3", "asyncio", "crmbridge.adapters", "crmbridge.testing"}

LATER = {
    "crmbridge._engine",
    "crmbridge._ruling",
    "crmbridge.cases",
    "crmbridge.check",
    "crmbridge.costs",
    "crmbridge.credentials",
    "crmbridge.drive",
    "crmbridge.explaining",
    "crmbridge.flow",
    "crmbridge.gates",
    "crmbridge.match._explain",
    "crmbridge.match._join",
    "crmbridge.model.actions",
    "crmbridge.model.decisions",
    "crmbridge.model.deliveries",
    "crmbridge.model.links",
    "crmbridge.model.schema",
    "crmbridge.pacing",
    "crmbridge.plan._creation",
    "crmbridge.plan._fields",
    "crmbridge.plan._pairing",
    "crmbridge.plan._refusing",
    "crmbridge.planfile",
    "crmbridge.policies._made_of",
    "crmbridge.policies._many",
    "crmbridge.policies._staying",
    "crmbridge.preflight._answers",
    "crmbridge.preflight._judging",
    "crmbridge.references",
    "crmbridge.report",
    "crmbridge.roles",
    "crmbridge.stores",
    "crmbridge.wire",
    "crmbridge.wording",
    "difflib",
    "pathlib",
    "socket",
    "typing_extensions",
}
"""What the first verb loads, or a pipeline that uses it: a program that only defines one does not wait for it."""

DEFINED = """
import sys
from crmbridge import at, key, level, pair, put, read_only, two_way
from crmbridge.policies import ask_a_person, newest_wins

class Account:
    def __init__(self, system):
        self.system = system

people = (
    two_way("people", at(Account("crm"), "contact"), at(Account("sfa"), "Lead"))
    .match(level("mail", key("email", "Email")))
    .fields(
        pair("email", "Email", newest_wins(otherwise="left")),
        pair("name", read_only("Name"), ask_a_person),
        put("Source", "crm", ask_a_person),
    )
    .creates(left=False, right=True)
    .deletes(right="archive")
    .leased(minutes=5)
)
"""

MOST_CLASSES = 61
"""A class of attrs takes a quarter to half a millisecond to make: what `two_way` needs is worth so many of them."""

MODULES = {
    "opentelemetry-api": "opentelemetry",
    "psycopg": "psycopg",
    "psycopg-pool": "psycopg_pool",
    "pyyaml": "yaml",
}


def imports(path):
    """Tell (module, line, at the top?) for everything that a file imports from outside the package."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(node) for scope in ast.walk(tree) if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef))
              for node in ast.walk(scope)}  # fmt: skip
    typing_only = {id(node) for block in ast.walk(tree) if isinstance(block, ast.If)
                   and ast.unparse(block.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
                   for node in ast.walk(block)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        else:
            continue
        at_top = id(node) not in inside and id(node) not in typing_only
        yield from ((name.split(".")[0], node.lineno, at_top) for name in names)


def part(path, root):
    """Name the part of the package that a file belongs to: `drive`, `wire`."""
    return path.relative_to(root / "src" / "crmbridge").parts[0].removesuffix(".py")


@pytest.fixture(scope="session")
def outside(sources, root):
    own = {"crmbridge", "__future__", *sys.stdlib_module_names} - {"sqlite3"}
    return [(path, *found) for path in sources for found in imports(path) if found[0] not in own]


@pytest.fixture(scope="session")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


def distribution(requirement):
    return requirement.split("[")[0].split(">")[0].split("=")[0].split(";")[0].strip().lower()


def test_the_package_depends_on_five_packages_and_no_sixth(project):
    assert {distribution(one) for one in project["dependencies"]} == set(CORE)


def test_each_of_the_five_is_needed(outside):
    assert set(CORE.values()) - {module for _, module, _, _ in outside} == set()


@pytest.mark.parametrize("name", BROUGHT)
def test_what_one_of_the_five_brings_is_required_by_it_without_a_condition(name):
    needs = importlib.metadata.requires(BROUGHT[name])
    assert [one for one in needs if distribution(one) == name and ";" not in one] != []


def test_a_sixth_package_is_imported_only_inside_functions_and_only_from_an_extra(outside, project, root):
    extras = {
        MODULES.get(name, name.replace("-", "_"))
        for extra, needs in project["optional-dependencies"].items()
        if extra != "dev"
        for name in map(distribution, needs)
    }
    wrong = [
        f"{path.relative_to(root)}:{line} imports {module}"
        for path, module, line, at_top in outside
        if module not in {*CORE.values(), *BROUGHT, "sqlite3"}
        and (module not in extras or (at_top and part(path, root) != "testing"))
    ]
    assert wrong == []


def test_heavy_packages_are_imported_where_they_belong(outside, root):
    wrong = [
        f"{path.relative_to(root)}:{line} imports {module}"
        for path, module, line, _ in outside
        if module in WHERE and part(path, root) not in WHERE[module]
    ]
    assert wrong == []


def test_the_package_itself_loads_nothing_heavy():
    program = "import sys, crmbridge; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "crmbridge" in loaded
    assert sorted(name for name in loaded if name in LAZY) == []


def test_what_a_rule_is_written_with_loads_nothing_heavy():
    program = "import sys, crmbridge.policies, crmbridge.gates, crmbridge.match, crmbridge.wording; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(name for name in loaded if name in LAZY) == []


def test_defining_a_pipeline_loads_nothing_that_performs_or_answers():
    program = f"{DEFINED}\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "crmbridge.pipeline" in loaded
    assert sorted((LATER | LAZY) & set(loaded)) == []


def test_every_module_that_is_loaded_later_is_there():
    assert sorted(name for name in LATER if importlib.util.find_spec(name) is None) == []


def test_two_way_makes_few_classes():
    program = (
        "import sys\nfrom crmbridge import two_way\nimport attrs\n"
        "made = {one for module in list(sys.modules.values()) for one in vars(module).values()\n"
        "        if isinstance(one, type) and one.__module__.startswith('crmbridge.') and attrs.has(one)}\n"
        "print(len(made), *sorted(f'{one.__module__}.{one.__name__}' for one in made))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert 30 < int(told[0]) <= MOST_CLASSES, told
