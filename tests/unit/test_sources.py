"""What is found, which of it the SDK would take by itself, and what stands in its shadow."""

import pytest

from luminary_auth_widget import sources
from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.errors import EnvFileUnusable

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
