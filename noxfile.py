"""What is done to the repository: `nox --list`.

Each session installs into an environment of its own, kept between runs; with `--no-venv` everything runs in the
environment that nox itself stands in, and nothing is installed.
"""

from __future__ import annotations

import itertools
import shutil
import tomllib
from pathlib import Path

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "typing", "floors", "docs", "tests"]

ROOT = Path(__file__).parent


def install(session: nox.Session, *what: str) -> None:
    """Install into the session's own environment, if it has one."""
    if session.virtualenv.is_sandboxed:
        session.install(*what)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and form."""
    install(session, "ruff>=0.8")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types, twice: mypy strict and pyright strict."""
    install(session, "-e", ".[dev]")
    session.run("mypy")
    session.run("pyright")


@nox.session
def floors(session: nox.Session) -> None:
    """Check that imports go down only."""
    install(session, "-e", ".[dev]")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; warnings are errors."""
    install(session, "-e", ".[dev]")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; what follows `--` goes to pytest."""
    install(session, "-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def vendor(session: nox.Session) -> None:
    """Run the tests of one product: `nox -s vendor -- salesforce`."""
    install(session, "-e", ".[dev]")
    for name in session.posargs:
        module = name.replace("-", "_")
        found = sorted(str(path) for path in (ROOT / "tests").glob(f"*/test_{module}*.py"))
        if not found:
            session.error(f"no tests are named after {name!r}")
        session.run("python", "-m", "pytest", *found)


@nox.session(venv_backend="venv")
def wheel(session: nox.Session) -> None:
    """Build, install the wheel alone and somewhere else, and let it do the main job."""
    session.install("build")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(ROOT / "dist"))
    [built] = (ROOT / "dist").glob("*.whl")
    session.install("--force-reinstall", str(built))
    session.chdir(session.create_tmp())
    session.run("python", "-c", "import crmbridge; assert 'site-packages' in crmbridge.__file__, crmbridge.__file__")
    session.run("python", "-m", "crmbridge", "demo")


@nox.session(venv_backend="venv")
def oldest(session: nox.Session) -> None:
    """Run the tests against the oldest versions that the package says it works with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    session.install("-e", ".[dev]")
    session.install(*(bound.replace(">=", "==") for bound in project["dependencies"]))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run benchmarks, all or those named; options go to each: `nox -s bench -- planner client --strict`.

    They print tables and write JSON under `benchmarks/results/`.
    """
    install(session, "-e", ".[dev]")
    named = list(itertools.takewhile(lambda word: not word.startswith("-"), session.posargs))
    options = session.posargs[len(named) :]
    for name in named or sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")):
        session.run("python", str(ROOT / "benchmarks" / f"{name}.py"), *options)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Throw bytes at parsers, all of `fuzz/` or those named, for ten minutes each: `nox -s fuzz -- --seconds 60 cursors`."""
    words = list(session.posargs)
    seconds = words.pop(words.index("--seconds") + 1) if "--seconds" in words else "600"
    named = [word for word in words if word != "--seconds"]
    install(session, "-e", ".[dev]", "atheris>=3.0")
    for name in named or sorted(path.stem for path in (ROOT / "fuzz").glob("[!_]*.py")):
        session.run("python", str(ROOT / "fuzz" / "_run.py"), name, seconds)


@nox.session
def respond(session: nox.Session) -> None:
    """Let schemathesis loose on every fake, with so many requests an operation: `nox -s respond -- --examples 1000`."""
    install(session, "-e", ".[dev]", "schemathesis>=4.0")
    session.run("python", str(ROOT / "tests" / "respond" / "strangers.py"), *session.posargs)


@nox.session
def deep(session: nox.Session) -> None:
    """Search longer, with seeds that were not looked at yet: `nox -s deep -- --minutes 60`, all parts or those named.

    What was searched is kept in `tests/deep/results.jsonl` under the text of the package that was tested, so that a
    search goes on where the last one ended, and a change of the package begins a new one.
    """
    install(session, "-e", ".[dev]")
    session.run("python", str(ROOT / "tests" / "deep" / "search.py"), *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Change one thing at a time in what plans, matches, recovers and quotes: `nox -s mutation -- --minutes 60`.

    What no test noticed is kept in `tests/mutation/results.json`, and shown by the documentation.
    """
    install(session, "-e", ".[dev]")
    session.run("python", str(ROOT / "tests" / "mutation" / "mutate.py"), *session.posargs)
