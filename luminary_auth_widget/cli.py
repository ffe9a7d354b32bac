"""The `luminary-auth` command: the kernel's sign-in rules, in a terminal."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from . import env_file, report, scan, terminal
from .errors import AuthError
from .session import AuthSession
from .status import AuthStatus, SignInState

DONE, NOT, USAGE, INTERRUPTED = 0, 1, 2, 130
# Each server is asked for at most 5 s, and a session is a matter of three.
_CHECK_SECONDS = 30

_EXIT_CODES = "Exit codes: 0 signed in or done, 1 not, 2 wrong usage, 130 interrupted."
_JSON = (
    "With --json, one object: state (not_asked, signed_in, unverified, expired, rejected, signed_out), method "
    "(api_key, browser, or null), source, fingerprint (the last four characters), identity, environment, endpoint, "
    "sandbox, signed_in_at, expires_at, expiry (recorded, about, noted, unknown), checked_at, message, next_step, "
    "in_scripts (what a plain script takes here, or null) and not_used (the other credentials found). Times are "
    "ISO 8601 in UTC, or null. No secret is in it."
)
_NO_PERSON = "Needs a terminal; for unattended runs set LC_API_KEY."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _write_what_the_terminal_can()
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if rest and chosen.command != "sandbox":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if chosen.command == "sandbox":
        return _sandbox(rest)
    try:
        return _COMMANDS[chosen.command](chosen)
    except AuthError as error:
        report.complain(error.message, error.next_step)
        return NOT
    except (KeyboardInterrupt, EOFError):
        report.complain("Cancelled.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`) has seen enough. Python would complain at exit, when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="luminary-auth", description="Sign in to Luminary Cloud, for notebooks and scripts.", epilog=_EXIT_CODES
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = partial(_add, commands)
    status = add(
        "status",
        "show which credential the SDK takes here; asks no server",
        f"Looks at the environment, .env and the stored session alone. Exit code 0: a credential is there; "
        f"`luminary-auth check` tells whether it is still good. {_JSON}",
    )
    login = add(
        "login",
        "sign in with the browser, or with an API key",
        f"Shows a link, and waits 5 minutes for the browser. Kernels and scripts are signed in as well. {_NO_PERSON}",
    )
    add(
        "logout",
        "end the stored browser session, here and at the server",
        "Kernels that use the session follow within seconds. API keys are left alone. Exit code 1: the server was "
        "not told.",
    )
    check = add(
        "check", "ask the server whether it accepts the credential", f"Exit code 0: the server said yes. {_JSON}"
    )
    search = add(
        "scan",
        "search notebooks for your credentials, before you share them",
        "Finds the credentials that are known on this machine, and no others: LC_API_KEY, the keys in .env files from "
        "here and from each file's folder upward, and the stored session; as they are, or in JSON, base64 or URL form. "
        "Compressed data is not looked into. Exit codes: 0 clean, 1 found, 2 something could not be searched.",
    )
    for command in (status, check):
        command.add_argument("--json", action="store_true", help="print an object for programs")
    _add_login_options(login)
    search.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a folder (every .ipynb below it), or a file of any kind"
    )
    commands.add_parser(
        "sandbox",
        add_help=False,
        help="run a Luminary Cloud on this machine, for trying things out (needs the extra [sandbox])",
    )
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, more: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=more)


def _add_login_options(login: argparse.ArgumentParser) -> None:
    way = login.add_mutually_exclusive_group()
    way.add_argument("--browser", action="store_true", help="sign in with the browser (the default)")
    # No value: process arguments are seen by everybody on the machine.
    way.add_argument(
        "--key", action="store_true", help="ask for an API key, or read it from a pipe, and keep it in .env"
    )
    login.add_argument("--env-file", type=Path, metavar="PATH", help="with --key: the file to keep it in")
    login.add_argument("--environment", choices=["standard", "itar"], help="which Luminary Cloud; default: standard")
    login.add_argument("--no-open", action="store_true", help="show the link only, open no browser")


def _status(chosen: argparse.Namespace) -> int:
    finding = report.find()
    print(finding.as_json() if chosen.json else finding.in_words())
    return DONE if finding.credential else NOT


def _check(chosen: argparse.Namespace) -> int:
    finding = report.find()
    if finding.credential:
        finding = finding.judged(_settled(AuthSession()))
    print(finding.as_json() if chosen.json else finding.in_words())
    return DONE if finding.status.state is SignInState.SIGNED_IN else NOT


def _login(chosen: argparse.Namespace) -> int:
    if chosen.env_file and not chosen.key:
        report.complain("--env-file goes with --key: a browser session is kept by the SDK.")
        return USAGE
    report.read_env_as_a_notebook_does()
    session = AuthSession()
    if chosen.key:
        terminal.sign_in_with_key(session, environment=chosen.environment, env=chosen.env_file)
    else:
        terminal.sign_in_with_browser(session, environment=chosen.environment, open_browser=not chosen.no_open)
    print(report.after_sign_in(session))
    return DONE


def _logout(_chosen: argparse.Namespace) -> int:
    finding = report.find()
    keys = [source for source in finding.survey.sources if source.key]
    stored = finding.survey.find("stored_session")
    told = "No browser session is stored on this machine."
    if stored and stored.problem:
        raise AuthError(stored.problem, next_step=stored.next_step)
    if stored:
        # A key would come first, and it is the session that is to end.
        os.environ[env_file.KEY_NAME] = ""
        session = AuthSession()
        # A check under way may renew the session, and store it again.
        _settled(session)
        told = session.sign_out().message
    print(told)
    for source in keys:
        print(
            f"The API key {source.fingerprint} in {report.place(source)} is left alone, and stays valid until revoked."
        )
    return NOT if "server was not told" in told else DONE


def _scan(chosen: argparse.Namespace) -> int:
    # os.path.exists, unlike Path.exists, is False where a folder on the way may not be read.
    if missing := [path for path in chosen.paths if not os.path.exists(path)]:  # noqa: PTH110
        report.complain(f"There is no {scan.shown(missing[0])}.", "Name notebooks, or folders that hold some.")
        return USAGE
    result = scan.search(chosen.paths)
    for problem in result.problems:
        report.complain(problem)
    for found in result.found:
        print(found)
    print(result.summary())
    if result.found:
        return NOT
    return DONE if result.complete else USAGE


def _settled(session: AuthSession) -> AuthStatus:
    """Let `session` use what is there, and return the status once the server has answered."""
    changed = threading.Event()
    session.on_change(lambda _status: changed.set())
    session.start()
    while session.status.state is SignInState.CHECKING and changed.wait(_CHECK_SECONDS):
        changed.clear()
    return session.status


def _sandbox(arguments: Sequence[str]) -> int:
    try:
        from .sandbox.command import main as serve  # noqa: PLC0415 - its libraries are an extra
    except ModuleNotFoundError as error:
        report.complain(f"The sandbox needs {error.name}.", "Run: pip install 'luminary-auth-widget[sandbox]'")
        return NOT
    return serve(list(arguments))


def _write_what_the_terminal_can() -> None:
    # A terminal in an old code page shows "?" for an arrow, instead of ending the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "status": _status,
    "login": _login,
    "logout": _logout,
    "check": _check,
    "scan": _scan,
}


if __name__ == "__main__":
    sys.exit(main())
