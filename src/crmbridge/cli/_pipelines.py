"""Commands about a pipeline or bundle of one's own, named as `module:name`; some are of one pipeline alone."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import BundleFailed, UsageError

if TYPE_CHECKING:
    from ..bundles import Bundle, BundleReport
    from ..model import RecordRef
    from ..pipeline import Pipeline
    from ..report import Plan, Report
    from ..wording import Language

__all__ = ["COMMANDS", "add", "run"]

COMMANDS: Final = ("check", "plan", "run", "look-again", "undo", "why", "forget")

_HELP: Final = {
    "check": "name what cannot work, or deserves a second thought; nothing is written",
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
            help="a pipeline (check, plan and run: or a bundle), or a function that makes one, in a module found from here",
        )
    for name in ("check", "plan", "run", "undo", "why"):
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
    """Run a command: 0 it went well, 1 where a check found an error or a run left records disputed or in quarantine."""
    of_either: dict[str, Callable[[Pipeline | Bundle, argparse.Namespace], int]] = {
        "check": _check,
        "plan": _plan,
        "run": _run,
    }
    of_one: dict[str, Callable[[Pipeline, argparse.Namespace], int]] = {
        "look-again": _look_again,
        "undo": _undo,
        "why": _why,
        "forget": _forget,
    }
    if asked.command in of_either:
        return of_either[asked.command](found(asked.pipeline), asked)
    return of_one[asked.command](pipeline_of(asked.pipeline, asked.command), asked)


def found(named: str) -> Pipeline | Bundle:
    """Find a pipeline or bundle by `module:name`; raises `UsageError` for what is not there or is neither."""
    from ..bundles import Bundle
    from ..pipeline import Pipeline

    module, _, name = named.partition(":")
    if module.startswith("."):
        raise UsageError(f"{named!r} names no pipeline: a module is named from here, as in sync:people")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        one = getattr(import_module(module), name)
    except (ModuleNotFoundError, AttributeError, ValueError) as error:
        raise UsageError(f"{named!r} names no pipeline; give module:name, as in sync:people ({error})") from error
    made = _called(one, named) if callable(one) else one
    if not isinstance(made, Pipeline | Bundle):
        raise UsageError(f"{named!r} is a {type(made).__name__}, and no pipeline")
    return made


def pipeline_of(named: str, command: str) -> Pipeline:
    """Find what is asked of one pipeline alone; raises `UsageError` for a bundle too."""
    from ..pipeline import Pipeline

    one = found(named)
    if isinstance(one, Pipeline):
        return one
    raise UsageError(
        f"{named!r} is a bundle of {', '.join(one.names)}, and {command} is of one pipeline: give it a name of its own in "
        f"the module, by .pipeline({one.names[0]!r})"
    )


def _called(make: Callable[..., object], named: str) -> object:
    """Call a function that makes a pipeline; what goes wrong inside it is its own affair and rises."""
    try:
        inspect.signature(make).bind()
    except (TypeError, ValueError) as error:
        raise UsageError(f"{named!r} makes no pipeline when it is called without arguments ({error})") from error
    return make()


def _check(made: Pipeline | Bundle, asked: argparse.Namespace) -> int:
    findings = made.check()
    for finding in findings:
        print(f"{finding.severity.value}: {finding.say(asked.lang)}")
    return 1 if any(finding.fatal for finding in findings) else 0


def _plan(made: Pipeline | Bundle, asked: argparse.Namespace) -> int:
    from ..pipeline import Pipeline

    if isinstance(made, Pipeline):
        plan = made.plan()
        print(plan.say(asked.lang))
        _cost(plan, asked.lang)
        if asked.save is not None:
            plan.save(asked.save)
        return 0
    _of_one(asked.save, "--save")
    with _told_at_least(asked.lang):
        whole = made.plan()
    print(whole.say(asked.lang))
    for name, part in whole.plans.items():
        _cost(part, asked.lang, f"{name}: ")
    return 0


def _cost(plan: Plan, language: Language, of: str = "") -> None:
    for system, cost in plan.cost().items():
        takes = "" if cost.takes is None else f", {cost.takes.total_seconds():,.0f} s"
        print(f"  {of}{system}: {_REQUESTS[language].format(calls=cost.calls)}{takes}")


def _run(made: Pipeline | Bundle, asked: argparse.Namespace) -> int:
    from ..model import Disposition
    from ..pipeline import Pipeline

    if isinstance(made, Pipeline):
        report: Report | BundleReport = made.run(None if asked.plan is None else made.load(asked.plan))
    else:
        _of_one(asked.plan, "--plan")
        with _told_at_least(asked.lang):
            report = made.run()
    print(report.say(asked.lang))
    return 1 if report.counts[Disposition.DISPUTED] or report.counts[Disposition.QUARANTINED] else 0


def _of_one(file: Path | None, option: str) -> None:
    """Refuse a file where a bundle is asked for: a file holds the plan of one pipeline; raises `UsageError`."""
    if file is not None:
        raise UsageError(f"{option}: a file holds the plan of one pipeline; name one of the bundle instead")


@contextmanager
def _told_at_least(language: Language) -> Generator[None]:
    """Tell of the pipelines of a bundle that could be run, before it is said of the others that they could not."""
    try:
        yield
    except BundleFailed as error:
        print(error.report.say(language))
        raise


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
