"""What others may have put in the place of our files: refused in a sentence, not waited for, not written through."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from luminary_auth_widget import env_file, files, notices, records, sources, token_store
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import AuthError, EnvFileUnusable, StorageFailed, StoreUnusable
from luminary_auth_widget.session import AuthSession
from luminary_auth_widget.status import SignInState

KEY = Secret("lc-0123456789abcdefA1b2")
TOKEN = Secret("refresh-0123456789abcdefC3d4")
END = datetime(2030, 1, 1, tzinfo=timezone.utc)
GIGABYTE = 1 << 30


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has 108 characters at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def _link_to_a_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(GIGABYTE)


UNREADABLE: dict[str, Callable[[Path], Any]] = {
    "a FIFO": os.mkfifo,
    "a link to a FIFO": _link_to_a_fifo,
    "a socket": _socket,
    "a directory": Path.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a file of 1 GB": _sparse,
}
# Never handed to what writes: tests run as root, too.
ENDLESS: dict[str, Callable[[Path], Any]] = {
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to what /proc makes up": lambda path: path.symlink_to("/proc/self/environ"),
}


@pytest.fixture
def a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which holds the credentials folder, and is home as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    for name in ("LC_API_KEY", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "credentials").mkdir(mode=0o700)
    return tmp_path


def at_once(call: Callable[[], Any]) -> Any:
    """Return what the call returns or the error of ours that it raises, without waiting for one that hangs."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except AuthError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive(), "It hangs."
    assert outcome, "It raised something that is no error of ours."
    return outcome[0]


def peak_of(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        at_once(call)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# -- the token store ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", UNREADABLE | ENDLESS)
def test_in_the_token_stores_place_it_is_said_at_once(a_folder: Path, what: str) -> None:
    (UNREADABLE | ENDLESS)[what](token_store.token_path())
    refusal = at_once(token_store.find)
    assert isinstance(refusal, StoreUnusable)
    assert refusal.next_step


@pytest.mark.parametrize("what", ["a FIFO", "a link to a FIFO", "a socket", "a directory"])
def test_in_the_token_stores_place_its_mode_is_not_ours_to_change(a_folder: Path, what: str) -> None:
    place = token_store.token_path()
    UNREADABLE[what](place)
    place.chmod(0o755)
    assert not token_store.tighten()
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


@pytest.mark.parametrize("what", UNREADABLE)
def test_in_the_token_stores_place_it_is_moved_aside_when_a_session_is_saved(a_folder: Path, what: str) -> None:
    UNREADABLE[what](token_store.token_path())
    saved = at_once(lambda: token_store.save(TOKEN))
    assert os.path.lexists(saved.moved_aside)
    assert stat.S_ISREG(token_store.token_path().lstat().st_mode)
    found = token_store.find()
    assert found
    assert found.token == TOKEN


def test_a_link_in_the_token_stores_place_leads_nobody_to_what_is_elsewhere(a_folder: Path) -> None:
    victim = a_folder / "victim"
    victim.write_text("not JSON")
    victim.chmod(0o644)
    token_store.token_path().symlink_to(victim)
    token_store.save(TOKEN)
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("not JSON", 0o644)
    assert not token_store.token_path().is_symlink()


# -- our records -------------------------------------------------------------------------------------------------------


def _sidecar() -> Path:
    return records.credentials_folder() / "luminary-auth-widget.json"


@pytest.mark.parametrize("what", UNREADABLE | ENDLESS)
def test_in_our_records_place_it_means_that_nothing_was_noted(a_folder: Path, what: str) -> None:
    (UNREADABLE | ENDLESS)[what](_sidecar())
    assert at_once(lambda: records.session(TOKEN)) is None
    assert at_once(lambda: records.noted_expiry(KEY)) is None


@pytest.mark.parametrize("what", UNREADABLE)
def test_in_our_records_place_it_is_replaced_or_said(a_folder: Path, what: str) -> None:
    UNREADABLE[what](_sidecar())
    failure = at_once(lambda: records.note_expiry(KEY, END))
    if what == "a directory":
        assert isinstance(failure, StorageFailed)
        assert "could not be written: Is a directory" in failure.message
    else:
        assert stat.S_ISREG(_sidecar().lstat().st_mode)
        assert records.noted_expiry(KEY) == END


def test_a_link_in_our_records_place_is_replaced_and_what_it_names_stays(a_folder: Path) -> None:
    victim = a_folder / ".bashrc"
    victim.write_text("alias ll='ls -l'\n")
    _sidecar().symlink_to(victim)
    records.note_expiry(KEY, END)
    assert victim.read_text() == "alias ll='ls -l'\n"
    assert (records.noted_expiry(KEY), _sidecar().is_symlink()) == (END, False)


# -- .env and .gitignore -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", UNREADABLE | ENDLESS)
def test_in_the_place_of_an_env_file_it_is_refused_by_reading_and_by_writing(a_folder: Path, what: str) -> None:
    place = a_folder / ".env"
    (UNREADABLE | ENDLESS)[what](place)
    before = place.lstat()
    refusals = [at_once(lambda: env_file.read(place))]
    if what in UNREADABLE:
        refusals += [at_once(lambda: env_file.remember(place, KEY)), at_once(lambda: env_file.forget(place, KEY))]
    for refusal in refusals:
        assert isinstance(refusal, EnvFileUnusable)
        assert refusal.next_step
    assert place.lstat() == before
    assert KEY.reveal() not in "".join(map(str, refusals))


def test_an_env_file_that_leads_nowhere_is_refused_and_makes_no_file_there(a_folder: Path) -> None:
    (a_folder / ".env").symlink_to("elsewhere")
    assert isinstance(at_once(lambda: env_file.remember(a_folder / ".env", KEY)), EnvFileUnusable)
    assert not (a_folder / "elsewhere").exists()


def test_whoever_remembers_through_a_link_is_told_where_the_key_lies(a_folder: Path) -> None:
    (a_folder / "shared.env").touch()
    (a_folder / ".env").symlink_to("shared.env")
    (notice, *_) = notices.about_remembering(env_file.remember(a_folder / ".env", KEY))
    assert notice.text.startswith("Remembered in ./.env, a link to ./shared.env")


def test_an_env_file_of_1_gb_is_refused_by_its_size_and_the_memory_stays_flat(a_folder: Path) -> None:
    _sparse(a_folder / ".env")
    assert peak_of(sources.survey) < 1_000_000
    (source,) = sources.survey().sources
    assert source.problem == "./.env is far too large."


@pytest.mark.parametrize("what", ["a FIFO", "a socket", "a directory", "a file of 1 GB"])
def test_in_the_place_of_gitignore_it_is_said(a_folder: Path, what: str) -> None:
    UNREADABLE[what](a_folder / ".gitignore")
    failure = at_once(lambda: env_file.add_to_gitignore(a_folder / ".env"))
    assert isinstance(failure, StorageFailed)
    assert "./.gitignore could not be written" in failure.message


def test_a_gitignore_that_is_a_link_is_not_written_through(a_folder: Path) -> None:
    victim = a_folder / "victim"
    victim.write_text("mine\n")
    (a_folder / ".gitignore").symlink_to(victim)
    failure = at_once(lambda: env_file.add_to_gitignore(a_folder / ".env"))
    assert "is a link, which git does not follow" in failure.message
    assert victim.read_text() == "mine\n"


SIGN_IN = (
    "import resource; from luminary_auth_widget import login\n"
    "session = login(show=False); print(session.status.message)\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    "import os; print('PYTHON_DOTENV_DISABLED' in os.environ)"
)


@pytest.mark.parametrize(("what", "sentence"), [("a FIFO", "no regular file"), ("a file of 1 GB", "far too large")])
def test_an_endless_env_file_is_kept_from_the_sdks_import_which_would_read_it_whole(
    a_folder: Path, a_bound_environ: dict[str, str], what: str, sentence: str
) -> None:
    (a_folder / "notebooks").mkdir()
    UNREADABLE[what](a_folder / "notebooks" / ".env")
    ran = subprocess.run(
        [sys.executable, "-c", SIGN_IN],
        env=a_bound_environ,
        cwd=a_folder / "notebooks",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said, megabytes, disabled = ran.stdout.splitlines()
    assert (said, disabled) == (f"./.env is {sentence}.", "False")
    assert int(megabytes) < 500


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_ours_alone_needs_no_word_nor_does_one_below_tmp(a_folder: Path) -> None:
    assert files.open_to_others(a_folder / "credentials") is None
    a_folder.chmod(0o1777)
    assert files.open_to_others(a_folder / "credentials") is None


@pytest.mark.parametrize("below", [".", "credentials"])
@pytest.mark.parametrize("what", ["session", "key"])
def test_where_anybody_may_write_the_person_is_told_that_others_can_replace_the_credential(
    a_folder: Path, below: str, what: str
) -> None:
    token_store.save(TOKEN)
    env_file.remember(a_folder / "credentials" / ".env", KEY)
    (a_folder / below).chmod(0o777)
    key = sources.named_env_file(a_folder / "credentials" / ".env")
    session = token_store.find()
    assert session
    told = notices.about_use_of(key if what == "key" else sources.stored_session(session))
    (text,) = [notice.text for notice in told if notice.id == "folder"]
    shown = files.friendly(a_folder / below)
    assert f"Other users can write to {shown}, and put a {what} of theirs in the place of yours." in text


def test_a_folder_that_belongs_to_another_user_is_named_to_us_and_not_to_root(
    a_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever runs this owns the folder, or is root and can give it away; then somebody else looks at it.
    owner = os.geteuid() or 4711
    os.chown(a_folder / "credentials", owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert files.open_to_others(a_folder / "credentials") is None
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert files.open_to_others(a_folder / "credentials") == Path(os.path.realpath(a_folder / "credentials"))


# -- paths -------------------------------------------------------------------------------------------------------------

CANARY = "canary-4711-line-of-somebody-elses-file"
TRICKS = {
    "a way upward": ("../elsewhere/shadow", "There is no LC_API_KEY"),
    "a file of the system": ("/etc/passwd", "There is no LC_API_KEY"),
    "what is not expanded": ("~/.ssh/id_rsa", "does not exist"),
    "a variable": ("$HOME/.env", "does not exist"),
    "nothing": ("", "is a directory"),
    "a folder": ("..", "is a directory"),
    "a web address": ("file:///etc/passwd", "does not exist"),
    "a zero byte": (".env\0.txt", "is no path of a file"),
    "half a character": ("\ud800.env", "is no path of a file"),
    "a device": ("/dev/zero", "is no regular file"),
    "a terminal": ("/dev/tty", "is no regular file"),
    "the environment of this process": ("/proc/self/environ", "is no regular file"),
    "the memory of this process": ("/proc/self/mem", "cannot be read"),
    "a name without an end": ("x" * 100_000, "cannot be read: File name too long"),
    "a name that a terminal obeys": ("\x1b]0;owned\x07\x1b[2J.env", "does not exist"),
    "a name that turns the text around": ("\u202evne.", "does not exist"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_that_was_bent_is_refused_in_a_sentence_that_shows_nothing_of_the_file(
    a_folder: Path, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    path, sentence = TRICKS[trick]
    (a_folder / "elsewhere").mkdir()
    (a_folder / "elsewhere" / "shadow").write_text(f"root:{CANARY}:\nOTHER={CANARY}\n")
    monkeypatch.chdir(a_folder / "credentials")
    session = AuthSession()
    refusal = at_once(lambda: session.load_env(path))
    assert isinstance(refusal, EnvFileUnusable)
    assert sentence in refusal.message
    attempt = session.status.attempt
    assert attempt
    shown = f"{refusal} {attempt.message} {attempt.next_step}"
    assert CANARY not in shown
    assert "root:" not in shown
    assert len(shown) < 2000
    assert shown.replace("\ufffd", "").isprintable()
    shown.encode()
    assert session.status.state is SignInState.SIGNED_OUT
