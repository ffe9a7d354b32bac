"""What the person should know beside the state, each with what can be done about it. Reads; changes nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from . import env_file, sources, words
from .errors import StorageFailed
from .files import friendly, open_to_others
from .sources import Source, SourceKind
from .token_store import Saved


class Notice(NamedTuple):
    """One sentence or two, with buttons.

    Attributes
    ----------
    id : str
        What it is about; a later notice of the same id takes its place.
    text : str
    actions : tuple of (str, str)
        Intent and label of each button.
    """

    id: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()


def about_use_of(source: Source) -> list[Notice]:
    """Return what to say once `source` is in use: what was cleaned off the key, and where else a key stands."""
    notices = []
    if source.key and source.key.remark:
        notices.append(Notice("removed", source.key.remark))
    if source.label == words.SOURCE_CELL:
        place = friendly(env_file.place_to_remember())
        text = words.KEY_IN_NOTEBOOK.format(path=place)
        notices.append(Notice("in_notebook", text, (("move_to_env", words.COPY_TO.format(path=place)),)))
    else:
        notices += about_what_is_used_again(source)
    if source.path is not None and (open_folder := open_to_others(source.path.parent)):
        said = words.OPEN_FOLDER_OF_KEY if source.session is None else words.OPEN_FOLDER_OF_SESSION
        notices.append(Notice("folder", said.format(folder=friendly(open_folder))))
    return notices


def about_what_is_used_again(source: Source) -> list[Notice]:
    """Return what to say where the key of `source` will not be the one that is used after a restart."""
    found = sources.survey()
    if found.environment_blocks and found.find("environment") and source.kind is SourceKind.ENV_FILE:
        return [Notice("again", words.KEY_NOT_READ_AGAIN)]
    again = found.automatic
    if again is None or again.key is None or again.secret == source.secret:
        return []
    text = words.ANOTHER_KEY_USED_AGAIN.format(source=again.label, fingerprint=again.fingerprint)
    return [Notice("again", text)]


def about_keeping(
    kept: Saved | StorageFailed, *, was: str, now: str, replaced: str | None, environment: str
) -> list[Notice]:
    """Return what to say once a new browser session is in use: where it is kept, and whose place it took."""
    notices = []
    if isinstance(kept, StorageFailed):
        text = words.SESSION_NOT_KEPT.format(why=kept)
        notices.append(Notice("kept", text))
    elif kept.moved_aside:
        text = words.STORE_REPLACED.format(path=friendly(kept.moved_aside))
        notices.append(Notice("kept", text))
    elif kept.tightened:
        text = words.FILE_TIGHTENED.format(path=friendly(kept.path))
        notices.append(Notice("kept", text))
    if replaced and replaced != environment:
        text = words.OTHER_SESSION_REPLACED
        notices.append(Notice("replaced", text))
    if was and now and was != now:
        notices.append(Notice("account", words.ACCOUNT_CHANGED.format(before=was, now=now)))
    return notices


def about_remembering(done: env_file.Remembered) -> list[Notice]:
    """Return what to say once the key stands in a `.env` file, and how git sees that file."""
    place = friendly(done.path)
    if done.path.is_symlink():
        place = words.A_LINK_TO.format(link=place, path=friendly(Path(os.path.realpath(done.path))))
    if done.was_there:
        said = words.KEY_WAS_THERE_TIGHTENED if done.tightened else words.KEY_WAS_THERE
    elif done.replaced:
        said = words.KEY_REPLACED_TIGHTENED if done.tightened else words.KEY_REPLACED
    else:
        said = words.KEY_REMEMBERED_TIGHTENED if done.tightened else words.KEY_REMEMBERED
    text = f"{said.format(path=place)} {words.PLAIN_SCRIPTS}"
    undo = () if done.was_there else (("forget", words.UNDO),)
    return [Notice("remembered", text, undo), *_about_git(done.path)]


def _about_git(path: Path) -> list[Notice]:
    place = friendly(path)
    match env_file.git_standing(path):
        case "unprotected":
            return [Notice("git", words.GIT_WOULD_ADD.format(path=place), (("keep_from_git", words.GIT_IGNORE),))]
        case "tracked":
            return [Notice("git", words.GIT_TRACKS.format(path=place, file=path.name))]
        case _:
            return []
