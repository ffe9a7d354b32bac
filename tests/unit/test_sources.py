"""What is found, which of it the SDK would take by itself, and what stands in its shadow."""

from pathlib import Path

import pytest

from luminary_auth_widget import env_file, sources
from luminary_auth_widget.credentials import Secret, clean_key
from luminary_auth_widget.errors import EnvFileUnusable
from luminary_auth_widget.sources import SourceKind

ENVIRONMENT_KEY = "lc-from-the-environment-E1e1"
FILE_KEY = "lc-from-the-env-file-F2f2"


@pytest.fixture
def a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LC_API_KEY", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


def _labels(survey):
    return [source.label for source in survey.sources]


def test_with_nothing_there_nothing_is_found(a_folder):
    found = sources.survey()
    assert found.sources == ()
    assert found.automatic is None


def test_the_environment_comes_before_the_env_file(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    found = sources.survey()
    assert _labels(found) == ["environment", "./.env"]
    assert found.automatic.id == "environment"


def test_a_key_that_the_sdk_copied_from_the_env_file_is_attributed_to_the_file(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", FILE_KEY)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    assert sources.survey().automatic.label == "./.env"


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_named_and_keeps_the_env_file_from_being_read_by_itself(a_folder, monkeypatch, empty):
    monkeypatch.setenv("LC_API_KEY", empty)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    found = sources.survey()
    assert found.automatic is None
    assert found.environment_blocks
    assert "set but empty" in found.find("environment").problem
    assert found.sources[1].key.secret == Secret(FILE_KEY)


def test_a_trailing_newline_as_ci_systems_give_it_is_removed(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY + "\n")
    key = sources.survey().automatic.key
    assert key.secret == Secret(ENVIRONMENT_KEY)
    assert key.remark == "Removed around the key: white space."


def test_a_variable_that_cannot_be_a_key_is_named_with_the_reason(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", "two words")
    source = sources.survey().automatic
    assert source.key is None
    assert source.problem == "LC_API_KEY in environment: The key has blanks inside; a key is one word."


def test_only_the_nearest_file_is_automatic_since_the_sdk_reads_no_other(a_folder, monkeypatch):
    inner = a_folder / "notebooks"
    inner.mkdir()
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    (inner / ".env").write_text("OTHER=1\n")
    monkeypatch.chdir(inner)
    found = sources.survey()
    assert _labels(found) == ["../.env"]
    assert found.automatic is None


def test_a_kernel_that_left_the_notebooks_folder_is_offered_the_file_beside_the_notebook(a_folder, monkeypatch):
    notebooks, elsewhere = a_folder / "notebooks", a_folder / "elsewhere"
    notebooks.mkdir()
    elsewhere.mkdir()
    (notebooks / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebooks / "wing.ipynb"))
    monkeypatch.chdir(elsewhere)
    found = sources.survey()
    assert _labels(found) == ["../notebooks/.env"]
    assert found.automatic is None


def test_a_broken_file_is_listed_with_its_reason_and_costs_nothing_else(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    (a_folder / ".env").write_bytes(b"\xff\xfe")
    found = sources.survey()
    assert found.automatic.id == "environment"
    assert "not UTF-8" in found.sources[1].problem


def test_a_file_named_by_the_person_must_exist(a_folder):
    with pytest.raises(EnvFileUnusable, match=r"nowhere/\.env does not exist"):
        sources.named_env_file(a_folder / "nowhere" / ".env")


def test_no_survey_shows_a_key(a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\nOTHER=hunter2\n")
    shown = repr(sources.survey())
    assert ENVIRONMENT_KEY not in shown
    assert FILE_KEY not in shown
    assert "hunter2" not in shown


# -- stored sessions, files that were named, and what each says of itself ---------------------------------------------

TOKEN = "a-refresh-token-that-is-long-T3t3"


@pytest.fixture
def a_store(a_folder, monkeypatch):
    """The SDK's folder, empty; and a home of its own."""
    folder = a_folder / "credentials"
    folder.mkdir()
    monkeypatch.setenv("LC_CREDENTIALS_DIR", str(folder))
    monkeypatch.setenv("HOME", str(a_folder / "home"))
    return folder


def test_a_source_is_known_by_a_name_that_stays(a_store, a_folder, monkeypatch):
    # Names are a contract: `session.use_source("stored_session")` stands in notebooks.
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    (a_store / "tokens2").write_text(f'{{"refresh_token": "{TOKEN}"}}')
    found = sources.survey()
    assert [(source.id, source.kind, source.label, source.path) for source in found.sources] == [
        ("environment", SourceKind.ENVIRONMENT, "environment", None),
        (f"env_file:{a_folder / '.env'}", SourceKind.ENV_FILE, "./.env", a_folder / ".env"),
        ("stored_session", SourceKind.STORED_SESSION, "browser session", a_store / "tokens2"),
    ]
    assert [source.fingerprint for source in found.sources] == ["…E1e1", "…F2f2", "…T3t3"]
    assert [source.secret.reveal() for source in found.sources] == [ENVIRONMENT_KEY, FILE_KEY, TOKEN]
    assert [source.session is None for source in found.sources] == [True, True, False]
    assert all(found.find(source.id) is source for source in found.sources)
    assert found.find("another") is None
    assert (found.environment_blocks, [file.path for file in found.env_files]) == (False, [a_folder / ".env"])


def test_a_stored_session_is_what_the_sdk_takes_where_there_is_no_key(a_store):
    (a_store / "tokens2").write_text(f'{{"refresh_token": "{TOKEN}"}}')
    assert sources.survey().automatic.id == "stored_session"


def test_the_file_comes_before_the_stored_session(a_store, a_folder):
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    (a_store / "tokens2").write_text(f'{{"refresh_token": "{TOKEN}"}}')
    assert sources.survey().automatic.label == "./.env"


def test_an_empty_variable_leaves_the_stored_session(a_store, a_folder, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", "")
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    (a_store / "tokens2").write_text(f'{{"refresh_token": "{TOKEN}"}}')
    assert sources.survey().automatic.id == "stored_session"


def test_a_session_in_the_file_of_the_documentation_is_named_by_that_file(a_store, a_folder):
    documented = a_folder / "home" / ".luminarycloud" / "config"
    documented.parent.mkdir(parents=True)
    documented.write_text(f'{{"refresh_token": "{TOKEN}"}}')
    (source,) = sources.survey().sources
    assert (source.id, source.path) == ("stored_session", documented)
    assert source.label == "browser session in ./home/.luminarycloud/config"


def test_a_damaged_store_is_listed_with_its_reason_and_what_to_do(a_store):
    (a_store / "tokens2").write_text("{")
    (source,) = sources.survey().sources
    assert (source.id, source.kind, source.label) == ("stored_session", SourceKind.STORED_SESSION, "browser session")
    assert source.path == a_store / "tokens2"
    assert source.problem == "The token store ./credentials/tokens2 is damaged."
    assert source.next_step.startswith("Sign in with the browser")
    assert (source.secret, source.fingerprint, source.key, source.session) == (None, "", None, None)


def test_what_was_emptied_in_the_sandbox_is_not_worth_a_word(a_store, a_folder, monkeypatch):
    monkeypatch.setenv("LUMINARY_SANDBOX_PAGES", "http://127.0.0.1:1")
    monkeypatch.setenv("LC_API_KEY", "")
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    found = sources.survey()
    assert _labels(found) == ["./.env"]
    assert (found.environment_blocks, found.automatic) == (True, None)


def test_a_key_that_is_set_in_the_sandbox_is_found(a_store, monkeypatch):
    monkeypatch.setenv("LUMINARY_SANDBOX_PAGES", "http://127.0.0.1:1")
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    assert sources.survey().automatic.id == "environment"


def test_an_empty_variable_says_what_to_do(a_store, monkeypatch):
    monkeypatch.setenv("LC_API_KEY", "")
    source = sources.survey().find("environment")
    assert (source.kind, source.label, source.key) == (SourceKind.ENVIRONMENT, "environment", None)
    assert (source.problem, source.next_step) == ("LC_API_KEY is set but empty.", "Set it to a key, or unset it.")


def test_a_key_that_cannot_be_one_keeps_the_next_step_of_its_reason(a_store, a_folder):
    (a_folder / ".env").write_text("LC_API_KEY=two words\n")
    source = sources.survey().automatic
    assert source.problem == "LC_API_KEY in ./.env: The key has blanks inside; a key is one word."
    assert source.next_step.startswith("Copy the whole key")


def test_a_broken_file_keeps_its_place_its_reason_and_its_next_step_and_hides_none_behind_it(
    a_store, a_folder, monkeypatch
):
    inner = a_folder / "notebooks"
    inner.mkdir()
    monkeypatch.chdir(inner)
    (inner / ".env").write_bytes(b"\xff\xfe")
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    found = sources.survey()
    assert [(source.label, source.path) for source in found.sources] == [
        ("./.env", inner / ".env"), ("../.env", a_folder / ".env"),
    ]  # fmt: skip
    assert found.sources[0].problem == "./.env is not UTF-8 text."
    assert found.sources[0].next_step == "Check the path, or paste the key into the field instead."
    assert [file.path for file in found.env_files] == [a_folder / ".env"]
    assert found.automatic is found.sources[0]


def test_a_file_without_a_key_is_no_source_but_was_read_and_the_next_one_is_found(a_store, a_folder, monkeypatch):
    inner = a_folder / "notebooks"
    inner.mkdir()
    monkeypatch.chdir(inner)
    (inner / ".env").write_text("LC_DOMAIN=own.example.com\n")
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    found = sources.survey()
    assert _labels(found) == ["../.env"]
    assert [file.path for file in found.env_files] == [inner / ".env", a_folder / ".env"]
    assert found.nearest_env_source is None


def test_a_key_in_the_environment_is_the_environments_where_the_nearest_file_has_another(
    a_store, a_folder, monkeypatch
):
    inner = a_folder / "notebooks"
    inner.mkdir()
    monkeypatch.chdir(inner)
    (inner / ".env").write_text("LC_API_KEY=another-key-altogether-0000\n")
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    monkeypatch.setenv("LC_API_KEY", FILE_KEY)
    assert sources.survey().automatic.id == "environment"


def test_a_key_that_the_sdks_import_has_copied_from_the_file_is_what_the_file_holds_by_now(
    a_store, a_folder, monkeypatch
):
    monkeypatch.setattr(env_file, "_copied", set())
    monkeypatch.delenv("LC_API_KEY", raising=False)
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    with env_file.noting_copied_key():
        monkeypatch.setenv("LC_API_KEY", FILE_KEY)
    (a_folder / ".env").write_text("LC_API_KEY=the-key-after-that-0000\n")
    assert sources.survey().automatic.label == "./.env"
    monkeypatch.setenv("LC_API_KEY", ENVIRONMENT_KEY)
    assert sources.survey().automatic.id == "environment"


@pytest.mark.parametrize(("environment", "file"), [("two words", FILE_KEY), (ENVIRONMENT_KEY, "two words")])
def test_a_key_in_the_environment_is_the_environments_where_one_of_both_is_none(
    a_store, a_folder, monkeypatch, environment, file
):
    monkeypatch.setenv("LC_API_KEY", environment)
    (a_folder / ".env").write_text(f"LC_API_KEY={file}\n")
    assert sources.survey().automatic.id == "environment"


@pytest.mark.parametrize("name", ["wing.ipynb", "notebooks/wing.ipynb", ""])
def test_a_notebook_that_is_named_without_its_folder_tells_nothing(a_store, a_folder, monkeypatch, name):
    (a_folder / "notebooks").mkdir()
    (a_folder / "notebooks" / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    monkeypatch.setenv("JPY_SESSION_NAME", name)
    assert sources.survey().sources == ()


def test_a_file_that_is_found_from_both_sides_is_listed_once(a_store, a_folder, monkeypatch):
    (a_folder / ".env").write_text(f"LC_API_KEY={FILE_KEY}\n")
    monkeypatch.setenv("JPY_SESSION_NAME", str(a_folder / "wing.ipynb"))
    assert _labels(sources.survey()) == ["./.env"]


def test_a_file_that_is_named_is_cleaned_and_known_by_its_whole_path(a_folder):
    (a_folder / "own.env").write_text(f"LC_API_KEY='<{FILE_KEY}>'\n")
    source = sources.named_env_file(Path("own.env"))
    assert (source.id, source.kind) == (f"env_file:{a_folder / 'own.env'}", SourceKind.ENV_FILE)
    assert (source.label, source.path) == ("./own.env", a_folder / "own.env")
    assert (source.key.secret, source.key.remark) == (Secret(FILE_KEY), "Removed around the key: angle brackets.")


def test_a_key_that_was_given_is_named_as_it_was_given():
    key = clean_key(Secret(FILE_KEY))
    source = sources.given(key, "pasted")
    assert (source.id, source.kind, source.label, source.path) == ("given", SourceKind.GIVEN, "pasted", None)
    assert (source.key, source.session, source.problem, source.fingerprint) == (key, None, "", "…F2f2")
