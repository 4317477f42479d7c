"""Nothing in the project tells where it was made, or carries a secret."""

import re

MACHINE = re.compile(
    r"(?<![\w.])/(?:root|home|Users|opt|work)/\w+"
    r"|[A-Z]:\\Users\\"
    r"|\b(?:pypi|pythonhosted)\.org|registry\.npmjs|artifactory|devpi|--?(?:extra-)?index-url"
)
SECRET = re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----|\b(?:ghp|xoxb|pat-na1)[-_][A-Za-z0-9]{16,}")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".jsonl",
    ".csv",
    ".yml",
    ".yaml",
    ".cfg",
    ".ini",
    ".sh",
    ".js",
    ".mjs",
    "",
}


def texts(tracked):
    for path in tracked:
        if path.suffix in TEXT and path.name != "test_tracked.py" and path.stat().st_size < 5_000_000:
            yield path, path.read_text("utf-8", errors="replace")


def found(pattern, tracked, root):
    return [
        f"{path.relative_to(root)}:{number}"
        for path, text in texts(tracked)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_machine_or_a_package_registry(tracked, root):
    assert found(MACHINE, tracked, root) == []


def test_no_file_carries_a_secret(tracked, root):
    assert found(SECRET, tracked, root) == []


def test_what_is_looked_for_would_be_found():
    guilty = ["see /home/sei/x", "/" + "work/main", "--index-url x", "C:\\Users\\sei"]
    assert [line for line in guilty if not MACHINE.search(line)] == []
    fine = ["https://acme.example/home/page", "GET /services/work/1", "src/home/x"]
    assert [line for line in fine if MACHINE.search(line)] == []


def test_no_marks_of_unfinished_work_are_left(sources, root):
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    assert found(unfinished, sources, root) == []
