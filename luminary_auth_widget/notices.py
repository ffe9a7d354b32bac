"""What the person should know beside the state, each with what can be done about it. Reads; changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import env_file, sources
from .errors import StorageFailed
from .files import friendly, open_to_others
from .sources import Source
from .token_store import Saved


@dataclass(frozen=True)
class Notice:
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
    again = sources.survey().automatic
    if source.label == "cell":
        place = friendly(env_file.place_to_remember())
        text = f"The key stands in this notebook's code and is saved with it. Keep it in {place}, then delete it here."
        notices.append(Notice("in_notebook", text, (("move_to_env", f"Copy to {place}"),)))
    elif again and again.key and again.secret != source.secret:
        text = f"After a kernel restart, the key in {again.label} ({again.fingerprint}) is used again."
        notices.append(Notice("again", text))
    if source.path is not None and (open_folder := open_to_others(source.path.parent)):
        what = "key" if source.session is None else "session"
        text = f"Other users can write to {friendly(open_folder)}, and put a {what} of theirs in the place of yours."
        notices.append(Notice("folder", f"{text} Make it yours alone, or keep the {what} elsewhere."))
    return notices


def about_keeping(
    kept: Saved | StorageFailed, *, was: str, now: str, replaced: str | None, environment: str
) -> list[Notice]:
    """Return what to say once a new browser session is in use: where it is kept, and whose place it took."""
    notices = []
    if isinstance(kept, StorageFailed):
        text = f"This session lives in this kernel only, and is not kept. {kept}"
        notices.append(Notice("kept", text))
    elif kept.moved_aside:
        text = f"The token store was damaged. It was moved to {friendly(kept.moved_aside)}, and a new one written."
        notices.append(Notice("kept", text))
    elif kept.tightened:
        text = f"Others could read {friendly(kept.path)}; it is now readable by you alone."
        notices.append(Notice("kept", text))
    if replaced and replaced != environment:
        text = "The SDK keeps one session only: this one took the place of the other environment's."
        notices.append(Notice("replaced", text))
    if was and now and was != now:
        notices.append(Notice("account", f"The account has changed: was {was}, now {now}."))
    return notices


def about_remembering(done: env_file.Remembered) -> list[Notice]:
    """Return what to say once the key stands in a `.env` file, and how git sees that file."""
    place = friendly(done.path)
    if done.path.is_symlink():
        place = f"{place}, a link to {friendly(Path(os.path.realpath(done.path)))}"
    told = f"{'Replaced the key in' if done.replaced else 'Remembered in'} {place}"
    tightened = "; the file is now readable by you alone" if done.tightened else ""
    scripts = " Plain scripts read it with load_dotenv() before they import luminarycloud."
    return [Notice("remembered", f"{told}{tightened}.{scripts}", (("forget", "Undo"),)), *_about_git(done.path)]


def _about_git(path: Path) -> list[Notice]:
    place = friendly(path)
    match env_file.git_standing(path):
        case "unprotected":
            return [Notice("git", f"Git would add {place} to a commit.", (("keep_from_git", "Add to .gitignore"),))]
        case "tracked":
            undo = f"Run `git rm --cached {path.name}`, and create a new key if it was pushed."
            return [Notice("git", f"Git already tracks {place}. {undo}")]
        case _:
            return []
