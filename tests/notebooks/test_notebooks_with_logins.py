"""The notebooks that sign in with the browser: by the stand-in when nobody is there, by hand when somebody is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from luminary_auth_widget.sandbox.demo import GRACE, PROJECTS
from tests.sandbox.helpers import GRACE as AS_GRACE

from .conftest import WITH_LOGINS

GRACES = sorted(project.name for project in PROJECTS if GRACE.email in project.members)


@pytest.mark.parametrize("notebook", WITH_LOGINS, ids=lambda path: path.stem)
def test_it_runs_without_a_person_a_warning_or_a_secret_and_leaves_nothing_beside_it(
    notebook, run_unattended, a_folder
):
    run_unattended(notebook)
    assert [path.name for path in a_folder.iterdir()] == [notebook.name]


def test_a_sign_in_by_hand_is_left_alone_and_time_is_seen_to_pass(a_reader_of):
    reader = a_reader_of("browser-login")
    (model,) = reader.run_to("login").models
    reader.kernel.sign_in(model, reader.cloud, AS_GRACE)
    assert GRACE.email in reader.run_to("stand-in-link").text

    assert "This address belongs to another sign-in" in reader.run_to("refused").text
    assert "ada@example.com" in reader.run_to("stand-in-remote").text

    assert reader.run_to("soon").models == [model]
    seen = reader.kernel.status(model)
    left = timedelta(milliseconds=seen["expires_at"] - seen["now"])
    assert timedelta(days=2, hours=23) < left < timedelta(days=3)
    assert "the session is over" in reader.run_to("expired").text
    assert reader.kernel.status(model)["state"] == "expired"

    reader.kernel.sign_in(model, reader.cloud, AS_GRACE)
    assert GRACE.email in reader.run_to("stand-in-again").text
    reader.run_the_rest()
    assert reader.cloud.status.clock_ahead == timedelta(0)


def test_your_account_lists_the_projects_of_who_has_signed_in(a_reader_of, a_sandbox, tmp_path):
    # By variables of the SDK alone: the notebook takes it for the real service.
    environ = {**a_sandbox.environ, "LC_CREDENTIALS_DIR": str(tmp_path / "credentials")}
    reader = a_reader_of("your-account", **environ)
    (model,) = reader.run_to("login").models
    reader.kernel.sign_in(model, a_sandbox, AS_GRACE)
    assert sorted(reader.run_to("projects").text.splitlines()) == GRACES
    assert re.fullmatch(r"Until .* UTC\.\n", reader.run_to("ends").text)
    reader.run_the_rest()
