"""Commands about a pipeline of one's own, named as `module:name`: plan, run, look-again, undo, why, forget."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from ..model import RecordRef
    from ..pipeline import Pipeline

__all__ = ["COMMANDS", "add", "run"]

COMMANDS: Final = ("plan", "run", "look-again", "undo", "why", "forget")

_HELP: Final = {
    "plan": "say what a run would do, and why; nothing is written",
    "run": "bring both sides into step, or carry out an approved plan",
    "look-again": "let the next run look at every linked pair again, and read both systems from the beginning",
    "undo": "plan how a run is taken back; nothing is written",
    "why": "say why a record is as it is",
    "forget": "erase what the store keeps of a person",
}

_REQUESTS: Final = {"en": "{calls:,} requests", "ja": "リクエスト {calls:,} 回"}


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the others."""
    parsers = {name: commands.add_parser(name, parents=[common], help=_HELP[name]) for name in COMMANDS}
    for parser in parsers.values():
        parser.add_argument(
            "pipeline",
            metavar="MODULE:NAME",
            help="a pipeline, or a function that makes one, in a module found from here",
        )
    for name in ("plan", "run", "undo", "why"):
        parsers[name].add_argument("--lang", choices=("en", "ja"), default="en", help="the language (default: en)")
    parsers["undo"].add_argument("undone", metavar="RUN", help="the run, as its report names it")
    for name in ("plan", "undo"):
        parsers[name].add_argument(
            "--save", type=Path, metavar="FILE", help="write the plan into a file, to be run later"
        )
    parsers["run"].add_argument("--plan", type=Path, metavar="FILE", help="do what this plan says and nothing else")
    for name in ("why", "forget"):
        parsers[name].add_argument("system", metavar="SYSTEM")
        parsers[name].add_argument("kind", metavar="KIND")
        parsers[name].add_argument("id", metavar="ID")
    parsers["why"].add_argument("--field", metavar="NAME", help="of one field only")


def run(asked: argparse.Namespace) -> int:
    """Run a command: 0 it went well, 1 where a run left records disputed or in quarantine."""
    doing: dict[str, Callable[[Pipeline, argparse.Namespace], int]] = {
        "plan": _plan,
        "run": _run,
        "look-again": _look_again,
        "undo": _undo,
        "why": _why,
        "forget": _forget,
    }
    return doing[asked.command](pipeline_of(asked.pipeline), asked)


def pipeline_of(named: str) -> Pipeline:
    """Find a pipeline by `module:name`; raises `UsageError` for what is not there or is no pipeline."""
    from ..pipeline import Pipeline

    module, _, name = named.partition(":")
    if module.startswith("."):
        raise UsageError(f"{named!r} names no pipeline: a module is named from here, as in sync:people")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(import_module(module), name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise UsageError(f"{named!r} names no pipeline; give module:name, as in sync:people ({error})") from error
    pipeline = _called(found, named) if callable(found) else found
    if not isinstance(pipeline, Pipeline):
        raise UsageError(f"{named!r} is a {type(pipeline).__name__}, and no pipeline")
    return pipeline


def _called(make: Callable[..., object], named: str) -> object:
    """Call a function that makes a pipeline; what goes wrong inside it is its own affair and rises."""
    try:
        inspect.signature(make).bind()
    except (TypeError, ValueError) as error:
        raise UsageError(f"{named!r} makes no pipeline when it is called without arguments ({error})") from error
    return make()


def _plan(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    plan = pipeline.plan()
    print(plan.say(asked.lang))
    for system, cost in plan.cost().items():
        takes = "" if cost.takes is None else f", {cost.takes.total_seconds():,.0f} s"
        print(f"  {system}: {_REQUESTS[asked.lang].format(calls=cost.calls)}{takes}")
    if asked.save is not None:
        plan.save(asked.save)
    return 0


def _run(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    from ..model import Disposition

    report = pipeline.run(None if asked.plan is None else pipeline.load(asked.plan))
    print(report.say(asked.lang))
    return 1 if report.counts[Disposition.DISPUTED] or report.counts[Disposition.QUARANTINED] else 0


def _look_again(pipeline: Pipeline, _asked: argparse.Namespace) -> int:
    print(
        f"the next run looks at {pipeline.look_again()} linked pairs again, and reads both systems from the beginning"
    )
    return 0


def _undo(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    plan = pipeline.undo(asked.undone)
    print(plan.say(asked.lang))
    if asked.save is not None:
        plan.save(asked.save)
    return 0


def _why(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    print(pipeline.why(_ref(asked), asked.field).say(asked.lang))
    return 0


def _forget(pipeline: Pipeline, asked: argparse.Namespace) -> int:
    ref = _ref(asked)
    known = pipeline.forget(ref)
    told = f"{ref.system} {ref.kind} {ref.id}"
    nothing = f"nothing was known of {told}, so nothing was erased; a record of this id is kept out from now on"
    print(f"{known} known and erased" if known else nothing)
    return 0


def _ref(asked: argparse.Namespace) -> RecordRef:
    from ..model import RecordRef

    return RecordRef(asked.system, asked.kind, asked.id)
