"""The sandbox from a terminal: in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from ..files import make_private_folder
from .handle import Sandbox
from .loopback import require_loopback
from .process import find_running
from .shared import accounts_sentence
from .state import INSTALL, RunningSandbox, SandboxError, shared_folder


def main(argv: list[str] | None = None) -> int:
    """Run the sandbox that notebooks join with `sandbox.use()`; where one runs already, tell about it.

    Returns
    -------
    int
        0 when it ended as asked, 1 when it could not start, 2 for wrong usage.
    """
    arguments = _parse(argv)
    folder = (arguments.folder or shared_folder()).resolve()
    make_private_folder(folder)
    running = find_running(folder)
    if arguments.stop:
        if running:
            running.stop()
        print("The sandbox has ended." if running else "No sandbox runs here.")
        return 0
    if running:
        _introduce(running, print_environ=arguments.print_environ)
        return 0
    try:
        return _serve(folder, arguments)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1


def _serve(folder: Path, arguments: argparse.Namespace) -> int:
    require_loopback(arguments.host)
    # The one place outside the server's own process that needs flask and grpc: here this process is the server.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from .server import serve  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        raise SandboxError(f"The sandbox cannot start: {missing}.", next_step=INSTALL) from None

    def introduce(state: RunningSandbox) -> None:
        _introduce(Sandbox(state, folder), print_environ=arguments.print_environ)
        print("# Ctrl-C ends it." if arguments.print_environ else "Ctrl-C ends it.", flush=True)

    serve(folder, host=arguments.host, refresh_rotation=arguments.refresh_rotation, ready=introduce)
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="luminary-auth sandbox", description="Luminary Cloud's stand-in on this machine."
    )
    parser.add_argument("--folder", type=Path, help="where it keeps its files; default: the one that notebooks join")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address; anything else is refused")
    parser.add_argument("--refresh-rotation", action="store_true", help="each renewal gives a new refresh token")
    parser.add_argument("--print-environ", action="store_true", help="print `export` lines for a shell")
    parser.add_argument("--stop", action="store_true", help="end the sandbox that runs")
    return parser.parse_args(argv)


def _introduce(sandbox: Sandbox, *, print_environ: bool) -> None:
    # What is no `export` is a comment then, so that all of it can be pasted or sourced.
    mark = "# " if print_environ else ""
    print(f"{mark}This is a sandbox, not Luminary Cloud: {sandbox.url}")
    print(f"{mark}Its pages: {sandbox.page_url}")
    print(f"{mark}{accounts_sentence()}", flush=True)
    if print_environ:
        for name, value in sandbox.environ.items():
            print(f"export {name}={shlex.quote(value)}")
