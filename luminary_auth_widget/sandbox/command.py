"""The sandbox from a terminal: in the foreground until Ctrl-C, or the controls of one that runs."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ..errors import AuthError
from ..files import friendly, make_private_folder
from .handle import Sandbox
from .loopback import require_loopback
from .process import find_running
from .shared import accounts_sentence
from .state import INSTALL, Fault, RunningSandbox, SandboxError, shared_folder

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NONE_RUNS = "No sandbox runs here."


def main(argv: list[str] | None = None) -> int:
    """Run the sandbox that notebooks join with `sandbox.use()`, or tell the one that runs what to do.

    Returns
    -------
    int
        0 when it was done or ended as asked, 1 when it could not be, 2 for wrong usage.
    """
    arguments = _parser().parse_args(argv)
    folder = getattr(arguments, "folder", shared_folder()).resolve()
    try:
        make_private_folder(folder)
        running = find_running(folder)
        if arguments.control:
            return _control(running, arguments)
        if running:
            _introduce(running, print_environ=arguments.print_environ)
            return 0
        return _serve(folder, arguments)
    except AuthError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    where.add_argument("--folder", type=Path, help="where it keeps its files; default: the one that notebooks join")
    parser = argparse.ArgumentParser(
        prog="luminary-auth sandbox",
        description="Luminary Cloud's stand-in on this machine. Without a command: run it until Ctrl-C, or tell about "
        "the one that runs.",
        parents=[where],
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address; anything else is refused")
    parser.add_argument("--refresh-rotation", action="store_true", help="each renewal gives a new refresh token")
    parser.add_argument("--print-environ", action="store_true", help="print `export` lines for a shell")
    parser.add_argument("--stop", action="store_const", const=_stop, dest="control", help="the same as `stop`")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, control: Callable[..., str], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", parents=[where])
        added.set_defaults(control=control)
        return added

    command("status", _status, "show the clock, the faults that are on, and the API keys with their ids")
    advance = command("advance", _advance, "move its clock, by which keys, sessions and tokens expire")
    advance.add_argument("by", type=_duration, metavar="DURATION", help="such as 29d, 12h, 30m, 45s; back: -- -1d")
    fault = command("fault", _fault, "switch a fault on")
    fault.add_argument(
        "name",
        choices=[name.value for name in Fault],
        help="slow and error (500) change answers of the API and the token endpoint; refuse, drop and bad_certificate "
        "concern every connection",
    )
    fault.add_argument("--seconds", type=float, default=1.0, help="how late `slow` answers; default: 1")
    command("clear", _clear, "switch every fault off")
    end = command("end-sessions", _end_sessions, "end the browser sessions of an account, as its owner could")
    end.add_argument("email", metavar="EMAIL")
    revoke = command("revoke", _revoke, "make an API key inactive")
    revoke.add_argument("key_id", metavar="KEY_ID", help="as `status` lists it")
    command("stop", _stop, "end it")
    return parser


def _duration(text: str) -> timedelta:
    matched = re.fullmatch(r"(-?\d+(?:\.\d+)?)([smhdw])", text)
    if not matched:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write a number and s, m, h, d or w, such as 29d")
    return timedelta(**{_UNITS[matched[2]]: float(matched[1])})


def _control(running: Sandbox | None, arguments: argparse.Namespace) -> int:
    if running is None and arguments.control is not _stop:
        raise SandboxError(_NONE_RUNS, next_step="Start one: luminary-auth sandbox, or sandbox.use() in a notebook.")
    print(arguments.control(running, arguments))
    return 0


def _status(sandbox: Sandbox, _: argparse.Namespace) -> str:
    status = sandbox.status
    faults = ", ".join(f"{name} ({seconds:g} s)" if name == "slow" else name for name, seconds in status.faults.items())
    keys = [
        f"  {key.id}  …{key.last_four}  {key.email}  {key.name}  "
        f"{'active until' if key.active else 'inactive, end'} {key.expires_at:%Y-%m-%d}"
        for key in status.keys
    ]
    lines = (
        f"Pages: {sandbox.browser_url}",
        f"Files: {friendly(sandbox.folder)}",
        _clock(sandbox),
        f"Faults: {faults or 'none'}",
        "API keys:" if keys else "API keys: none",
        *keys,
    )
    return "\n".join(lines)


def _clock(sandbox: Sandbox) -> str:
    ahead = sandbox.status.clock_ahead
    moved = str(abs(ahead)).removesuffix(", 0:00:00")
    return f"Clock: {moved} {'behind' if ahead < timedelta(0) else 'ahead'}" if ahead else "Clock: not moved"


def _advance(sandbox: Sandbox, arguments: argparse.Namespace) -> str:
    sandbox.advance(arguments.by)
    return _clock(sandbox)


def _fault(sandbox: Sandbox, arguments: argparse.Namespace) -> str:
    sandbox.fault(arguments.name, seconds=arguments.seconds)
    return f"{arguments.name} is on. It ends with: luminary-auth sandbox clear"


def _clear(sandbox: Sandbox, _: argparse.Namespace) -> str:
    sandbox.clear_faults()
    return "Every fault is off."


def _end_sessions(sandbox: Sandbox, arguments: argparse.Namespace) -> str:
    sandbox.end_sessions(arguments.email)
    return f"Every session of {arguments.email} has ended."


def _revoke(sandbox: Sandbox, arguments: argparse.Namespace) -> str:
    sandbox.revoke_api_key(arguments.key_id)
    return f"The API key {arguments.key_id} is revoked."


def _stop(sandbox: Sandbox | None, _: argparse.Namespace) -> str:
    if sandbox is None:
        return _NONE_RUNS
    sandbox.stop()
    return "The sandbox has ended."


def _serve(folder: Path, arguments: argparse.Namespace) -> int:
    require_loopback(arguments.host)
    # The one place outside the server's own process that needs flask and grpc: here this process is the server.
    # gRPC's core can be told to print whole headers, keys included.
    os.environ["GRPC_VERBOSITY"] = "NONE"
    try:
        from .server import serve  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise SandboxError(f"The sandbox cannot start: {missing}.", next_step=INSTALL) from None

    def introduce(state: RunningSandbox) -> None:
        _introduce(Sandbox(state, folder), print_environ=arguments.print_environ)
        print("# Ctrl-C ends it." if arguments.print_environ else "Ctrl-C ends it.", flush=True)

    serve(folder, host=arguments.host, refresh_rotation=arguments.refresh_rotation, ready=introduce)
    return 0


def _introduce(sandbox: Sandbox, *, print_environ: bool) -> None:
    # What is no `export` is a comment then, so that all of it can be pasted or sourced.
    mark = "# " if print_environ else ""
    print(f"{mark}This is a sandbox, not Luminary Cloud: {sandbox.url}")
    print(f"{mark}Its pages: {sandbox.browser_url}")
    print(f"{mark}{accounts_sentence()}", flush=True)
    if print_environ:
        for name, value in sandbox.environ.items():
            print(f"export {name}={shlex.quote(value)}")
