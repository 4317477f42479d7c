"""Every code block of the README and the documentation is executed.

Blocks of Python run in the order of their page, in one namespace and an empty directory. Lines of a console block that
start with `$ ` run in a shell that finds this environment's programs first. A block that cannot run says why in a comment
before it: `<!-- not run: why -->`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if page.exists()]

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>[^`\n]*)$")
EXCUSE = re.compile(r"<!-- not run: (\S.*?) -->")
EXECUTED = {"python", "console"}
SHOWN = {"text", "toml", "json", "markdown", "mermaid", "diff", "yaml", "sql", "csv", "html"}


@attrs.frozen
class Block:
    """One fenced block of a page."""

    language: str
    line: int
    """Of its first line of content."""
    text: str
    excuse: str = ""


def blocks(page_text):
    """Read the fenced blocks; one fence inside a longer fence is text."""
    lines = page_text.splitlines()
    excuse, at = "", 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if not fence:
            found = EXCUSE.fullmatch(lines[at].strip())
            excuse = found[1] if found else excuse if not lines[at].strip() else ""
            at += 1
            continue
        end = at + 1
        while end < len(lines) and lines[end].strip() != fence["fence"]:
            end += 1
        inner = [line.removeprefix(fence["indent"]) for line in lines[at + 1 : end]]
        yield Block(fence["info"].strip(), at + 2, "\n".join(inner) + "\n", excuse)
        excuse, at = "", end + 1


def run_python(block, page, namespace):
    """Execute a block so that a traceback names the page and the line."""
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    exec(code, namespace)


def run_console(block, directory):
    """Execute the lines that start with `$ `; a backslash at the end joins lines."""
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONIOENCODING": "utf-8",
    }
    joined = block.text.replace("\\\n", " ")
    for line in joined.splitlines():
        if line.startswith("$ "):
            ran = subprocess.run(
                line[2:], shell=True, cwd=directory, env=environment, capture_output=True, timeout=120, check=False
            )
            assert ran.returncode == 0, (
                f"{line}\n{ran.stdout.decode(errors='replace')}{ran.stderr.decode(errors='replace')}"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for block in blocks(page.read_text("utf-8")):
        if block.excuse:
            continue
        if block.language == "python":
            run_python(block, page, namespace)
        if block.language == "console":
            run_console(block, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_of_a_page_says_what_it_is(page):
    known = EXECUTED | SHOWN
    strange = [
        f"line {block.line}: {block.language!r}"
        for block in blocks(page.read_text("utf-8"))
        if block.language not in known and not block.language.startswith("{")
    ]
    assert strange == []


def test_blocks_are_read_with_their_lines_and_excuses():
    text = "a\n```python\nx = 1\n```\n<!-- not run: needs an account -->\n\n```console\n$ true\n```\n```text\nb\n```\n"
    assert list(blocks(text)) == [
        Block("python", 3, "x = 1\n"),
        Block("console", 8, "$ true\n", "needs an account"),
        Block("text", 11, "b\n"),
    ]


def test_a_fence_inside_a_longer_fence_is_text_and_an_excuse_reaches_one_block():
    text = "<!-- not run: shown -->\n````markdown\n```python\n1 / 0\n```\n````\n```python\n1\n```\n"
    assert list(blocks(text)) == [Block("markdown", 3, "```python\n1 / 0\n```\n", "shown"), Block("python", 8, "1\n")]


def test_an_excuse_without_a_reason_is_none():
    assert [block.excuse for block in blocks("<!-- not run: -->\n```python\n1\n```\n")] == [""]


def test_a_block_that_fails_is_told_with_the_line_of_its_page(tmp_path):
    with pytest.raises(ZeroDivisionError) as failed:
        run_python(Block("python", 7, "x = 1\nx / 0\n"), tmp_path / "page.md", {})
    assert failed.traceback[-1].lineno == 7  # counted from zero: line 8 of the page


def test_a_command_that_fails_fails_the_page_and_this_environments_python_comes_first(tmp_path):
    with pytest.raises(AssertionError, match="exit 3"):
        run_console(Block("console", 1, "$ exit 3\n"), tmp_path)
    run_console(Block("console", 1, '$ python -c "import crmbridge, \\\n  sys"\nwhat it prints\n'), tmp_path)
