"""The search that judges the product is judged first: it finds a secret in each form, and none where there is none."""

from __future__ import annotations

import base64
import json
from functools import partial

import pytest

from luminary_auth_widget.credentials import Secret
from luminary_auth_widget.scan import Known, Piece
from tests.sandbox.helpers import eventually

from .conftest import NAMED_FORMS, made_up
from .sweep import FORMS, Hit, Keeper, Sweep, files_below

of_every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def a_secret():
    return made_up()


@of_every_form
def test_a_secret_is_found_in_each_form_wherever_it_begins_and_the_form_is_named(a_secret, form):
    sweep = Sweep({"key": a_secret})
    for written in FORMS[form](a_secret):
        # Some forms are alike for this secret.
        first = next(one for one, write in FORMS.items() if written in write(a_secret))
        for before in ("", "a", "ab", "abc"):
            found = sweep.search([("a file", f"{before}{written} and more".encode("latin-1"))])
            assert found == [Hit("key", "a file", first)]


@pytest.mark.parametrize("offset", range(3))
def test_a_secret_is_found_in_base64_of_a_longer_text_in_lines(a_secret, offset):
    text = base64.encodebytes(f"{'x' * (40 + offset)}{a_secret}{'y' * 80}".encode())
    assert [hit.secret for hit in Sweep({"key": a_secret}).search([("a file", text)])] == ["key"]


def test_a_part_of_17_characters_is_found_and_the_last_four_are_not(a_secret):
    sweep = Sweep({"key": a_secret})
    assert sweep.search([("a log", f"begins with {a_secret[:17]}…".encode())])[0].form.startswith("in part")
    assert sweep.search([("a log", f"API key …{a_secret[-4:]}".encode())]) == []


def test_a_secret_in_a_files_name_is_found(a_secret):
    assert Sweep({"key": a_secret}).search([(f"home/{a_secret}.txt", b"")])[0].secret == "key"


def test_other_secrets_are_not_taken_for_this_one(a_secret):
    others = json.dumps([made_up() for _ in range(1000)]).encode()
    assert Sweep({"key": a_secret}).search([("a file", others), ("another", base64.b64encode(others))]) == []


def test_a_text_too_short_to_be_told_is_refused():
    with pytest.raises(AssertionError, match="too short"):
        Sweep({"key": "abc"})


def test_a_hit_says_where_and_how_and_not_what(a_secret):
    assert a_secret not in repr(Sweep({"key": a_secret}).search([("a file", a_secret.encode())]))


@pytest.mark.parametrize("form", NAMED_FORMS)
def test_what_it_finds_people_find_with_the_scan_command(a_secret, form):
    known = Known(Secret(a_secret), "key")
    assert all(known.is_in(Piece(written.encode())) for written in FORMS[form](a_secret))


def test_a_file_that_was_deleted_or_replaced_is_kept(tmp_path, a_secret):
    keeper = Keeper(tmp_path)
    folder = tmp_path / "new" / "folder"
    folder.mkdir(parents=True)
    for name in ("deleted", "replaced", "left"):
        (folder / name).write_text(a_secret)
        assert eventually(partial(keeper.holds, folder / name))
    (folder / "deleted").unlink()
    (folder / "replacement").write_text("nothing")
    (folder / "replacement").replace(folder / "replaced")
    gone, left = keeper.close(), list(files_below(tmp_path))
    places = [hit.place for hit in Sweep({"key": a_secret}).search([*gone, *left])]
    assert places == ["new/folder/deleted (gone)", "new/folder/left", "new/folder/replaced (gone)"]
