"""The command line: `python -m crmbridge`, also installed as `crmbridge`. Plain text, on the core packages alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from ..errors import CrmBridgeError, UsageError
from ._ending import Terminated, terminable
from ._pipelines import COMMANDS
from ._pipelines import add as add_commands
from ._pipelines import run as run_command

__all__ = ["main"]

_STATE = Path("crmbridge-demo.db")
_DEBUG = "show the whole traceback of an error"
_INTERRUPTED, _TERMINATED = 130, 143
"""What a shell expects of a program that SIGINT ended, and of one that SIGTERM did."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status: 0 it went well, 1 it did not, 2 it was asked in the wrong way.

    130 and 143 say that SIGINT or SIGTERM ended it; a run has given its lease back then.
    """
    _speak_anywhere()
    asked = _parser().parse_args(argv)
    try:
        with terminable():
            return _run(asked)
    except BrokenPipeError:
        # The reader has gone (`| head`); what is left to be said must not fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as ended:
        return _TERMINATED if isinstance(ended, Terminated) else _INTERRUPTED
    except (CrmBridgeError, OSError) as error:
        if asked.debug:
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        print(f"crmbridge: {said}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "demo":
        from ._demo import demo

        return demo(asked.state, asked.lang, as_json=asked.json)
    if asked.command == "simulate":
        from ._simulate import run

        seeds, first = asked.seeds, asked.first
        return run(
            asked.blueprint, seeds=seeds, first=first, crashes=asked.crashes, as_json=asked.json, language=asked.lang
        )
    if asked.command in COMMANDS:
        return run_command(asked)
    from ._fakes import describe, names, serve

    if asked.action is None:
        print(*names(), sep="\n")
        return 0

    if asked.action == "describe":
        print(describe(asked.name))
        return 0

    def say(line: str) -> None:
        print(line, flush=True)

    serve(asked.names, port=asked.port, data=asked.data, faults=asked.faults, seed=asked.seed, tls=asked.tls, say=say)
    return 0


def _speak_anywhere() -> None:
    """Let names in Japanese be printed to a terminal that cannot show them, by their numbers."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crmbridge",
        description="Keep marketing tools and CRM/SFA systems in step. Begin with: crmbridge demo",
    )
    parser.add_argument("--debug", action="store_true", help=_DEBUG)
    # After the command it has no default, which would undo what was said before the command.
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo", parents=[common], help="see the main job done, in seconds and without an account"
    )
    fakes = commands.add_parser("fakes", parents=[common], help="list the fakes of vendors, or serve some of them")
    simulate = commands.add_parser(
        "simulate", parents=[common], help="look for a seed that breaks a law of a ready-made pair"
    )
    _add_demo(demo)
    _add_fakes(fakes, common)
    _add_simulate(simulate)
    add_commands(commands, common)
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.description = (
        "Serve a fake Account Engagement and a fake Salesforce on this machine, fill them with real Japanese "
        "establishments and made-up contacts, and keep them in step: plan, apply, edit both sides, decide, come to rest."
    )
    demo.add_argument("--lang", choices=("en", "ja"), default="en", help="the language to speak (default: en)")
    demo.add_argument("--json", action="store_true", help="print the figures as one JSON object instead")
    demo.add_argument(
        "--state",
        type=Path,
        default=_STATE,
        metavar="FILE",
        help=f"where the state is kept; only a file that the demo made is replaced (default: {_STATE})",
    )


def _add_fakes(fakes: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    fakes.description = "Without an action, list the fakes, one per line."
    actions = fakes.add_subparsers(dest="action", metavar="ACTION")
    describe = actions.add_parser("describe", parents=[common], help="print what a fake serves, as OpenAPI 3.1")
    describe.description = "Print an OpenAPI 3.1 description of what a fake serves, with the fields that it has."
    describe.add_argument("name", metavar="NAME", help="a fake, as `crmbridge fakes` lists it")
    serve = actions.add_parser("serve", parents=[common], help="serve fakes on loopback ports until ended")
    serve.description = (
        "Serve fakes until SIGINT or SIGTERM. The first line of standard output is one JSON object, keyed by NAME, each "
        "with base_url and credentials."
    )
    serve.add_argument("names", nargs="+", metavar="NAME", help="a fake, as `crmbridge fakes` lists it")
    serve.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the first port; others follow it (default: free ones)"
    )
    serve.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help='JSON lines {"fake", "kind", "id"?, "values", "at"?} that are there from the start',
    )
    serve.add_argument(
        "--faults",
        default="",
        metavar="SPEC",
        help="what goes wrong: ID[@probability][:count][/METHOD PATH-PREFIX], with commas between",
    )
    serve.add_argument("--seed", type=int, default=0, metavar="N", help="what chance depends on (default: 0)")
    serve.add_argument("--tls", action="store_true", help="serve HTTPS; the certificate to trust is told as ca")


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.description = (
        "Live through seeds of a ready-made pair over fakes of its vendors, in virtual time: people edit, answers get lost, "
        "and whenever all is quiet, laws are asked. Exit status 1 where a law is broken, with the seed and a short story."
    )
    simulate.add_argument("blueprint", metavar="BLUEPRINT", help="a module of crmbridge.blueprints")
    simulate.add_argument("--seeds", type=_count, default=100, metavar="N", help="how many (default: 100)")
    simulate.add_argument("--first", type=int, default=0, metavar="N", help="the first of them (default: 0)")
    simulate.add_argument("--crashes", action="store_true", help="let processes die, too")
    simulate.add_argument("--json", action="store_true", help="print everything as one JSON object instead")
    simulate.add_argument("--lang", choices=("en", "ja"), default="en", help="the language to speak (default: en)")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seeds")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)
