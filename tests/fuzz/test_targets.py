"""Each target of `fuzz/` for a moment: by Hypothesis, and by atheris where it is installed."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[2] / "fuzz"
EXAMPLES = int(os.environ.get("CRMBRIDGE_BYTES", "200"))
SECONDS = int(os.environ.get("CRMBRIDGE_FUZZ", "5"))
TARGETS = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def loaded(name):
    """Load a target by its file."""
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@st.composite
def mutated(draw, seeds):
    """Give bytes that are like a seed: cut, doubled, with noise in them."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 3))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        noise = draw(
            st.one_of(st.binary(max_size=6), st.sampled_from((*seeds, b"null", b"{}", b"[]", b'""', b"-1", b"\\")))
        )
        data = data[:at] + noise + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_only_declared_errors_rise(name, record_property):
    module = loaded(name)

    @settings(max_examples=EXAMPLES)
    @given(st.one_of(st.binary(max_size=200), mutated(module.SEEDS)))
    def fuzzed(data):
        module.target(data)

    for seed in module.SEEDS:
        fuzzed = example(seed)(fuzzed)
    fuzzed()
    record_property("examples", EXAMPLES)


if importlib.util.find_spec("atheris"):

    @pytest.mark.parametrize("name", TARGETS)
    def test_atheris_finds_nothing(name, record_property):
        command = [sys.executable, FOLDER / "_run.py", name, str(SECONDS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        record_property("seconds", SECONDS)
        record_property("inputs", int(re.search(r"number_of_executed_units: (\d+)", done.stderr)[1]))
