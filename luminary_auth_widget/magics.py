"""`%luminary`: the widget and the session without a line of Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class

from . import notebook, words
from .errors import AuthError
from .session import current_session


def load_ipython_extension(shell: Any) -> None:
    """Bring `%luminary`, and the widget below cells that fail: `%load_ext luminary_auth_widget`.

    The SDK's own first call would wait for a browser; from now on it takes what is there, or fails at once.
    """
    shell.register_magics(LuminaryMagics)
    notebook.watch_over(current_session())
    notebook.rescue_cells(True)
    current_session().start_with_the_sdk()


def unload_ipython_extension(_shell: Any) -> None:
    """Show nothing below cells any more: `%unload_ext luminary_auth_widget`."""
    notebook.rescue_cells(False)


@magics_class
class LuminaryMagics(Magics):
    """The magic that `%load_ext luminary_auth_widget` brings."""

    @line_magic
    def luminary(self, line: str) -> None:
        """Sign this kernel in to Luminary Cloud.

        %luminary                  show the widget, and use what is there
        %luminary login            the same
        %luminary status           print where the sign-in stands
        %luminary check            ask the server about it
        %luminary logout           stop using the credential, in this kernel only
        %luminary logout everywhere    end a browser session at the server, for every kernel
        %luminary rescue off       show nothing below cells that fail for want of a sign-in; on: show it again
        """
        given = " ".join(line.split())
        commands: dict[str, Callable[[], object]] = {
            "": notebook.login,
            "login": notebook.login,
            "status": lambda: None,
            "check": lambda: current_session().check(),
            "logout": lambda: current_session().sign_out(everywhere=False),
            "logout everywhere": lambda: current_session().sign_out(),
            "rescue on": lambda: notebook.rescue_cells(True),
            "rescue off": lambda: notebook.rescue_cells(False),
        }
        if given not in commands:
            print(words.MAGIC_UNKNOWN.format(given=given, commands=_listed(commands)))
            return
        try:
            commands[given]()
        except AuthError as error:
            print(error)
            return
        if given in {"status", "check", "logout", "logout everywhere"}:
            print(notebook.text_of(current_session()))


def _listed(commands: dict[str, Callable[[], object]]) -> str:
    return "\n".join(f"  %luminary {name}".rstrip() for name in commands)
