"""The `luminary-auth` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="luminary-auth", description="Sign in to Luminary Cloud.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "sandbox",
        add_help=False,
        help="run a Luminary Cloud on this machine, for trying things out (needs the extra [sandbox])",
    )
    chosen, rest = parser.parse_known_args(arguments)
    return {"sandbox": _sandbox}[chosen.command](rest)


def _sandbox(arguments: Sequence[str]) -> int:
    try:
        from .sandbox.command import main as serve  # noqa: PLC0415 - its libraries are an extra
    except ModuleNotFoundError as error:
        print(f"The sandbox needs {error.name}. Run: pip install 'luminary-auth-widget[sandbox]'", file=sys.stderr)
        return 1
    return serve(list(arguments))
