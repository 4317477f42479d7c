"""Work done in a process of its own, and the most memory that the process held."""

from __future__ import annotations

import importlib
import multiprocessing
import resource
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any


def alone(program: str, function: str, *args: object) -> tuple[Any, float]:
    """Call a function of a benchmark in a fresh process; give what came of it, and the peak in megabytes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(called, program, function, args).result()
        return found, pool.submit(peak).result()


def called(program: str, function: str, args: Sequence[object]) -> object:
    # By name: what a program that is being run defines is not found from another process.
    return getattr(importlib.import_module(program), function)(*args)


def peak() -> float:
    """Tell the most memory that this process has held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # What `getrusage` tells of a child counts its parent in.
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
