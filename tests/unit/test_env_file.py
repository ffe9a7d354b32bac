"""`.env` files: found as the SDK finds them, read with care, written whole and private."""

import os
import stat
import subprocess
import time

import pytest

from luminary_auth_widget import env_file, sources
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import EnvFileUnusable, StorageFailed

KEY = Secret("lc-0123456789abcdefA1b2")


@pytest.fixture
def a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_found_from_the_working_directory_upward_nearest_first(a_folder, monkeypatch):
    inner = a_folder / "project" / "notebooks"
    inner.mkdir(parents=True)
    (a_folder / ".env").touch()
    (inner / ".env").touch()
    monkeypatch.chdir(inner)
    assert env_file.find()[:2] == [inner / ".env", a_folder / ".env"]


def test_nothing_but_the_key_and_the_names_of_lc_variables_is_kept(a_folder):
    lines = ("DATABASE_PASSWORD=hunter2", "LC_DOMAIN=apis.example.com", f"LC_API_KEY={KEY.reveal()}")
    (a_folder / ".env").write_text("\n".join(lines))
    found = env_file.read(a_folder / ".env")
    assert found.key == KEY
    assert found.settings == ("LC_DOMAIN",)
    assert "hunter2" not in repr(found)
    assert "example" not in repr(found)


def _nothing(_path):
    pass


def _directory(path):
    path.mkdir()


def _fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_nothing, "does not exist"),
        (_directory, "is a directory"),
        (_fifo, "no regular file"),
        (lambda path: path.write_bytes(b"LC_API_KEY=\xff\xfe\x00"), "not UTF-8"),
        (lambda path: path.write_bytes(b"#" * 2_000_000), "too large"),
        (lambda path: path.write_text("OTHER=1\n"), "There is no LC_API_KEY"),
        (lambda path: path.write_text("LC_API_KEY\n"), "is empty"),
        (lambda path: path.write_text("LC_API_KEY=\n"), "is empty"),
        (lambda path: path.write_text("LC_API_KEY='  '\n"), "is empty"),
    ],
)
def test_a_file_without_a_usable_key_is_refused_with_a_sentence(a_folder, make, sentence):
    make(a_folder / ".env")
    with pytest.raises(EnvFileUnusable, match=sentence) as refusal:
        env_file.require_key(a_folder / ".env")
    assert refusal.value.next_step


@pytest.fixture
def an_ordinary_user():
    """Root may read every file: step down while the test runs."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_an_unreadable_file_is_refused_with_a_sentence(a_folder, request):
    (a_folder / ".env").touch(mode=0)
    request.getfixturevalue("an_ordinary_user")
    with pytest.raises(EnvFileUnusable, match="cannot be read: Permission denied"):
        env_file.read(a_folder / ".env")


def test_a_mark_of_windows_editors_before_the_first_name_is_no_part_of_it(a_folder):
    (a_folder / ".env").write_bytes(b"\xef\xbb\xbfLC_API_KEY=lc-0123456789abcdefA1b2\r\n")
    assert env_file.require_key(a_folder / ".env") == KEY


def test_remembering_keeps_every_other_line_and_comment(a_folder):
    path = a_folder / ".env"
    path.write_text("# the wind tunnel\nOTHER='1' # why\n\nLC_API_KEY=old-key-old-key\nLAST=x\n")
    done = env_file.remember(path, KEY)
    assert path.read_text().splitlines() == [
        "# the wind tunnel",
        "OTHER='1' # why",
        "",
        "LC_API_KEY='lc-0123456789abcdefA1b2'",
        "LAST=x",
    ]
    assert (done.created, bool(done.replaced)) == (False, True)


def test_an_exported_key_stays_exported(a_folder):
    (a_folder / ".env").write_text("export LC_API_KEY=old-key-old-key\n")
    env_file.remember(a_folder / ".env", KEY)
    assert (a_folder / ".env").read_text() == "export LC_API_KEY='lc-0123456789abcdefA1b2'\n"


def test_a_remembered_key_is_readable_by_its_owner_alone_and_a_looser_file_is_tightened(a_folder):
    path = a_folder / ".env"
    assert env_file.remember(path, KEY).created
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert env_file.remember(path, KEY).tightened
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_remembering_through_a_link_replaces_what_it_points_to(a_folder):
    (a_folder / "shared.env").write_text("OTHER=1\n")
    (a_folder / ".env").symlink_to("shared.env")
    env_file.remember(a_folder / ".env", KEY)
    assert (a_folder / ".env").is_symlink()
    assert env_file.require_key(a_folder / "shared.env") == KEY


AWKWARD = ["lc-'quoted'-9876", 'lc-"quoted"-9876', "lc-back\\slash-9876", "lc-hash#inside-9876", "lc-$HOME-9876"]


@pytest.mark.parametrize("key", AWKWARD)
def test_every_remembered_key_is_read_back_as_it_was(a_folder, key):
    env_file.remember(a_folder / ".env", Secret(key))
    assert env_file.require_key(a_folder / ".env") == Secret(key)


def test_a_key_that_dotenv_would_read_differently_is_not_written(a_folder):
    (a_folder / ".env").write_text("OTHER=1\n")
    with pytest.raises(StorageFailed, match="cannot keep"):
        env_file.remember(a_folder / ".env", Secret("lc-${HOME}-0123456789"))
    assert (a_folder / ".env").read_text() == "OTHER=1\n"


def test_nothing_is_left_beside_the_file_after_success_or_failure(a_folder):
    env_file.remember(a_folder / ".env", KEY)
    with pytest.raises(StorageFailed):
        env_file.remember(a_folder / ".env", Secret("lc-${HOME}-0123456789"))
    assert [path.name for path in a_folder.iterdir()] == [".env"]


def test_the_draft_of_a_writer_that_was_killed_is_cleared_away(a_folder):
    left = a_folder / ".luminary-auth-left"
    left.mkdir()
    (left / ".env").write_text("LC_API_KEY=half")
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    env_file.remember(a_folder / ".env", KEY)
    assert not left.exists()


def test_forgetting_takes_our_line_out_and_keeps_the_rest(a_folder):
    path = a_folder / ".env"
    path.write_text("# mine\nOTHER=1\n")
    env_file.remember(path, KEY)
    assert env_file.forget(path, KEY)
    assert path.read_text() == "# mine\nOTHER=1\n"


def test_forgetting_the_only_line_removes_the_file(a_folder):
    env_file.remember(a_folder / ".env", KEY)
    assert env_file.forget(a_folder / ".env", KEY)
    assert not (a_folder / ".env").exists()


def test_another_key_is_not_forgotten(a_folder):
    env_file.remember(a_folder / ".env", Secret("somebody-else's-key"))
    assert not env_file.forget(a_folder / ".env", KEY)
    assert (a_folder / ".env").exists()


def _git(*command):
    subprocess.run(["git", *command], check=True, capture_output=True)


def test_git_is_asked_whether_it_would_take_the_file(a_folder):
    path = a_folder / ".env"
    assert env_file.git_standing(path) == ""
    _git("init")
    path.write_text("LC_API_KEY=x\n")
    assert env_file.git_standing(path) == "unprotected"
    env_file.add_to_gitignore(path)
    assert env_file.git_standing(path) == ""
    _git("add", "--force", ".env")
    assert env_file.git_standing(path) == "tracked"


def test_what_refers_to_another_name_takes_it_from_the_environment_first_as_load_dotenv_does(a_folder, monkeypatch):
    path = a_folder / ".env"
    path.write_text("HOST=a\nURL=${HOST}/x\nLC_API_KEY=${HOST}-key\n")
    monkeypatch.setenv("HOST", "b")
    for name in ("URL", "LC_API_KEY"):
        monkeypatch.setenv(name, "restored by this")
        monkeypatch.delenv(name)
    assert env_file.read(path).key == Secret("b-key")
    env_file.load_into_environment(path)
    assert os.environ["URL"] == "b/x"


def test_in_a_working_directory_that_was_removed_nothing_is_found_and_a_key_goes_home(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert env_file.find() == []
    assert env_file.place_to_remember() == tmp_path / ".env"
    assert sources.survey().env_files == ()


def test_a_gitignore_keeps_its_lines_in_whatever_encoding_and_its_mode(a_folder):
    ignore = a_folder / ".gitignore"
    ignore.write_bytes(b"dist\r\n# \xe9 in Latin-1\nbuild")
    ignore.chmod(0o644)
    env_file.add_to_gitignore(a_folder / ".env")
    assert ignore.read_bytes() == b"dist\r\n# \xe9 in Latin-1\nbuild\n.env\n"
    assert stat.S_IMODE(ignore.stat().st_mode) == 0o644


OLD = "lc-old-key-old-key"


@pytest.mark.parametrize(
    "text",
    [
        f"LC_API_KEY={OLD}\n",
        f"LC_API_KEY={OLD}",
        f'\ufeff# the wind tunnel\r\n\r\nexport LC_API_KEY="{OLD}"  # why\r\nLAST=x\r\n',
        f"OTHER='two\nlines'\n\n\nLC_API_KEY = '{OLD}'\nLC_API_KEY={OLD}\n",
        "LC_API_KEY=\nLAST=x\n",
    ],
)
def test_a_key_that_was_replaced_is_brought_back_byte_for_byte(a_folder, text):
    path = a_folder / ".env"
    path.write_bytes(text.encode())
    done = env_file.remember(path, KEY)
    assert env_file.require_key(path) == KEY
    assert done.replaced
    assert OLD not in repr(done)
    assert env_file.bring_back(path, done.replaced, KEY)
    assert path.read_bytes() == text.encode()


def test_a_key_is_brought_back_into_a_file_that_was_changed_meanwhile_and_the_change_stays(a_folder):
    path = a_folder / ".env"
    path.write_text(f"LC_API_KEY={OLD}\n")
    done = env_file.remember(path, KEY)
    assert done.replaced
    path.write_text(f"{path.read_text()}NEW=1\n")
    assert env_file.bring_back(path, done.replaced, KEY)
    assert path.read_text() == f"LC_API_KEY='{OLD}'\nNEW=1\n"


def test_no_key_is_brought_back_where_a_third_one_stands_by_now(a_folder):
    path = a_folder / ".env"
    path.write_text(f"LC_API_KEY={OLD}\n")
    done = env_file.remember(path, KEY)
    assert done.replaced
    path.write_text("LC_API_KEY=lc-third-third-key\n")
    assert not env_file.bring_back(path, done.replaced, KEY)
    assert path.read_text() == "LC_API_KEY=lc-third-third-key\n"


def test_of_a_file_whose_key_was_replaced_nothing_but_that_key_is_kept(a_folder):
    path = a_folder / ".env"
    path.write_text(f"DATABASE_PASSWORD=hunter2\nLC_API_KEY={OLD}\nLAST=hunter3\n")
    kept = env_file.remember(path, KEY).replaced
    assert kept
    assert "hunter" not in kept.text.reveal()
