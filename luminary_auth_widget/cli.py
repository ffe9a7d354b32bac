"""The `luminary-auth` command: the kernel's sign-in rules, in a terminal."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from . import env_file, report, scan, terminal, words
from .errors import AuthError
from .files import is_there
from .session import AuthSession
from .status import AuthStatus, SignInState

DONE, NOT, USAGE, INTERRUPTED = 0, 1, 2, 130
# Each server is asked for at most 5 s, and a session is a matter of three.
_CHECK_SECONDS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _write_what_the_terminal_can()
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if rest and chosen.command != "sandbox":
        parser.error(words.CLI_UNRECOGNIZED.format(arguments=" ".join(rest)))
    if chosen.command == "sandbox":
        return _sandbox(rest)
    try:
        return _COMMANDS[chosen.command](chosen)
    except AuthError as error:
        report.complain(error.message, error.next_step)
        return NOT
    except (KeyboardInterrupt, EOFError):
        report.complain(words.CLI_CANCELLED)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`) has seen enough. Python would complain at exit, when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="luminary-auth", description=words.CLI_WHAT, epilog=words.CLI_EXIT_CODES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = partial(_add, commands)
    status = add("status", words.CLI_STATUS, f"{words.CLI_STATUS_MORE} {words.CLI_JSON_MORE}")
    login = add("login", words.CLI_LOGIN, f"{words.CLI_LOGIN_MORE} {words.CLI_NEEDS_A_PERSON}")
    add("logout", words.CLI_LOGOUT, words.CLI_LOGOUT_MORE)
    check = add("check", words.CLI_CHECK, f"{words.CLI_CHECK_MORE} {words.CLI_JSON_MORE}")
    search = add("scan", words.CLI_SCAN, words.CLI_SCAN_MORE)
    for command in (status, check):
        command.add_argument("--json", action="store_true", help=words.CLI_JSON)
    _add_login_options(login)
    search.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=words.CLI_PATH)
    commands.add_parser("sandbox", add_help=False, help=words.CLI_SANDBOX)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, more: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=more)


def _add_login_options(login: argparse.ArgumentParser) -> None:
    way = login.add_mutually_exclusive_group()
    way.add_argument("--browser", action="store_true", help=words.CLI_BROWSER)
    # No value: process arguments are seen by everybody on the machine.
    way.add_argument("--key", action="store_true", help=words.CLI_KEY)
    login.add_argument("--env-file", type=Path, metavar="PATH", help=words.CLI_ENV_FILE)
    login.add_argument("--environment", choices=["standard", "itar"], help=words.CLI_ENVIRONMENT)
    login.add_argument("--no-open", action="store_true", help=words.CLI_NO_OPEN)


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
        report.complain(words.CLI_ENV_FILE_WITHOUT_KEY)
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
    told = words.CLI_NO_SESSION
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
        print(words.CLI_KEY_LEFT_ALONE.format(fingerprint=source.fingerprint, place=report.place(source)))
    return DONE if told in {words.CLI_NO_SESSION, words.SIGNED_OUT_EVERYWHERE} else NOT


def _scan(chosen: argparse.Namespace) -> int:
    if missing := [path for path in chosen.paths if not is_there(path)]:
        report.complain(words.CLI_NO_SUCH_PATH.format(path=scan.shown(missing[0])), words.CLI_NO_SUCH_PATH_NEXT)
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
        report.complain(words.CLI_SANDBOX_NEEDS.format(library=error.name), words.CLI_SANDBOX_NEEDS_NEXT)
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
