"""The API key in use in a person's `.env` file, on the board: written there, taken out again, kept from git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import env_file, sources, words
from .board import Board
from .credentials import CleanedKey, Secret
from .errors import AuthError
from .files import absolute, friendly
from .notices import Notice, about_remembering, about_what_is_used_again
from .sources import Source


class Remembering:
    """Where the key in use stands by our doing, and what that has changed there.

    Parameters
    ----------
    board : Board
    move : Callable[[Source], None]
        Called once the key stands at another source: in a file, or no longer in one.
    """

    def __init__(self, board: Board, move: Callable[[Source], None]):
        self._board = board
        self._move = move
        # What Undo needs, in memory only.
        self._done: env_file.Remembered | None = None
        self._place: Path | None = None

    def begin_anew(self) -> None:
        """Take note that another credential is in use, or none: there is nothing to undo."""
        self._done = self._place = None

    def remember(self, key: Secret, path: str | Path | None = None) -> None:
        """Write the key into the file named, the nearest `.env` or a new one.

        Raises
        ------
        EnvFileUnusable, StorageFailed
        """
        place = absolute(Path(path)) if path is not None else env_file.place_to_remember()
        try:
            done = env_file.remember(place, key)
        except AuthError as error:
            self._board.failure = error
            self._board.note(Notice("remembered", words.KEY_NOT_REMEMBERED.format(why=error)))
            self._board.publish()
            raise
        self._place = place
        if not done.was_there:  # else what Undo needs is from before
            self._done = done
        if done.replaced is not None:
            env_file.replace_in_environment(done.replaced.key, key)
        self._board.drop("in_notebook", "again")
        # First: whoever reads the notice may press its Undo.
        source = sources.named_env_file(place)
        self._move(source)
        self._board.note(*about_remembering(done), *about_what_is_used_again(source))

    def forget(self, key: Secret, path: str | Path | None = None) -> None:
        """Take the key out of the file again; bring back the one whose place it took.

        Raises
        ------
        EnvFileUnusable, StorageFailed
        """
        done, place = self._done, self._meant(path)
        before = done.replaced if done is not None and done.path == place else None
        if before is not None and env_file.bring_back(place, before, key):
            env_file.replace_in_environment(key, before.key)
            said = words.KEY_BROUGHT_BACK.format(path=friendly(place), fingerprint=before.key.fingerprint)
        elif env_file.forget(place, key):
            said = words.KEY_FORGOTTEN.format(path=friendly(place))
        else:
            self._board.note(Notice("remembered", words.KEY_NOT_THERE.format(path=friendly(place))))
            return
        self._done = None
        self._move(sources.given(CleanedKey(key), words.SOURCE_PASTED))
        self._board.drop("git")
        self._board.note(Notice("remembered", said))

    def keep_from_git(self, path: str | Path | None = None) -> None:
        """Add the file to the `.gitignore` of its folder.

        Raises
        ------
        StorageFailed
        """
        place = self._meant(path)
        ignore = env_file.add_to_gitignore(place)
        self._board.note(Notice("git", words.KEPT_FROM_GIT.format(ignoring=friendly(ignore), file=place.name)))

    def _meant(self, path: str | Path | None) -> Path:
        """Return the file that is meant: the one named, else the one in which the key was to be remembered."""
        if path is not None:
            return absolute(Path(path))
        return self._place or env_file.place_to_remember()
