"""When the server does not answer as it should: a sentence, a limit, nothing lost, and recovery without a restart."""

from datetime import timedelta

import pytest

from tests.conftest import bound_environ

from .driver import Kernel
from .test_sign_in import LIST, LOGIN

FAULTS = {
    "refuse": "could not be reached",
    "bad_certificate": "does not trust",
    "slow": "did not answer within 5 s",
    "error": "failure of its own",
}


def _fault(sandbox, name):
    sandbox.fault(name, **({"seconds": 30} if name == "slow" else {}))


@pytest.mark.parametrize(("fault", "sentence"), FAULTS.items())
def test_a_pasted_key_that_cannot_be_checked_fails_with_the_reason_and_can_be_tried_again(
    a_kernel,
    a_sandbox,
    a_key,
    fault,
    sentence,
    adas_projects,
):
    (model,) = a_kernel.run(LOGIN).models
    _fault(a_sandbox, fault)
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(model, state="signed_out", attempt="failed")
    attempt = a_kernel.status(model)["attempt"]
    assert sentence in attempt["message"]
    assert attempt["next_step"]
    assert attempt["can_retry"]
    a_sandbox.clear_faults()
    a_kernel.click(model, "retry")
    a_kernel.wait_for(model, state="signed_in", attempt="")
    assert a_kernel.run(LIST).text == adas_projects


@pytest.mark.parametrize(("fault", "sentence"), FAULTS.items())
def test_a_key_that_was_found_and_cannot_be_checked_is_unverified_and_never_signed_in(
    a_kernel, a_folder, a_sandbox, a_key, fault, sentence
):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    _fault(a_sandbox, fault)
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.wait_for(model, state="unverified")
    assert sentence in a_kernel.status(model)["message"]
    a_sandbox.clear_faults()
    a_kernel.click(model, "check")
    a_kernel.wait_for(model, state="signed_in")


def test_a_running_check_can_be_cancelled_and_its_answer_changes_nothing(a_kernel, a_sandbox, a_key):
    (model,) = a_kernel.run(LOGIN).models
    _fault(a_sandbox, "slow")
    a_kernel.click(model, "use_key", remember=False, lasts="", buffers=(a_key.secret.encode(),))
    a_kernel.wait_for(model, attempt="checking")
    a_kernel.click(model, "cancel")
    a_kernel.wait_for(model, state="signed_out", attempt="")
    a_sandbox.clear_faults()
    answered = "import threading\n[t.join() for t in threading.enumerate() if t.name == 'luminary-auth']\n"
    assert a_kernel.run(f"{answered}print(session.status.state.value)").text == "signed_out\n"


@pytest.fixture(scope="module")
def a_signed_out_kernel(a_running_sandbox, tmp_path_factory):
    """Shared: what is refused changes nothing, so the next test finds it as this one did."""
    folder = tmp_path_factory.mktemp("signed-out")
    kernel = Kernel(folder, bound_environ(a_running_sandbox, folder))
    yield kernel
    assert kernel.run("print(session.status.state.value)").text == "signed_out\n"
    kernel.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "does not exist"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"OTHER=1\n", "There is no LC_API_KEY"),
        (b"LC_API_KEY=\n", "is empty"),
        (b"LC_API_KEY={MY_API_KEY}\n", "placeholder"),
        (b"LC_API_KEY=lc-unknown-key-0000\n", "refused this key"),
    ],
)
def test_an_env_file_that_cannot_sign_in_fails_as_an_attempt_with_the_reason(a_signed_out_kernel, content, sentence):
    (model,) = a_signed_out_kernel.run(LOGIN).models
    file = a_signed_out_kernel.folder / "other.env"
    file.unlink(missing_ok=True)
    if content is not None:
        file.write_bytes(content)
    a_signed_out_kernel.click(model, "load_env", path=str(file))
    a_signed_out_kernel.wait_for(model, state="signed_out", attempt="failed")
    assert sentence in a_signed_out_kernel.status(model)["attempt"]["message"]
    a_signed_out_kernel.click(model, "dismiss")
    a_signed_out_kernel.wait_for(model, attempt="")


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        (b"", "the text is empty"),
        (b"two words", "blanks inside"),
        (b"two\nlines", "several lines"),
        ("schlüssel-schlüssel".encode(), "U+00FC"),
        (b"\xff\xfe\xff\xfe", "U+FFFD"),
        (b"{MY_API_KEY}", "placeholder"),
    ],
)
def test_a_pasted_text_that_is_no_key_is_refused_before_anything_is_sent(
    a_signed_out_kernel, a_sandbox, pasted, sentence
):
    (model,) = a_signed_out_kernel.run(LOGIN).models
    before = len(a_sandbox.requests)
    a_signed_out_kernel.click(model, "use_key", remember=False, lasts="", buffers=(pasted,))
    a_signed_out_kernel.wait_for(model, attempt="failed")
    assert sentence in a_signed_out_kernel.status(model)["attempt"]["message"]
    assert len(a_sandbox.requests) == before
    a_signed_out_kernel.click(model, "dismiss")
    a_signed_out_kernel.wait_for(model, attempt="")


@pytest.mark.parametrize("end", ["revoke", "delete", "expire"])
def test_a_key_that_has_ended_in_whatever_way_is_rejected_with_what_to_do(a_kernel, a_folder, a_sandbox, a_key, end):
    if end == "expire":
        ended = a_sandbox.create_api_key("ada@example.com", name="ended", lifetime=timedelta(seconds=-1))
    else:
        ended = a_key
        a_sandbox.revoke_api_key(ended.id)
        if end == "delete":
            a_sandbox.delete_api_key(ended.id)
    (a_folder / ".env").write_text(f"LC_API_KEY={ended.secret}\n")
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.wait_for(model, state="rejected")
    assert a_kernel.status(model)["message"] == "It was revoked, deleted or has expired."
    assert "Create a new one" in a_kernel.status(model)["next_step"]


def test_a_broken_env_file_beside_the_notebook_is_named_when_the_sdk_cannot_be_loaded(a_kernel, a_folder):
    (a_folder / ".env").write_bytes(b"\xff\xfe")
    ran = a_kernel.run(LOGIN)
    assert "not UTF-8" in ran.error
    assert "Save that file as UTF-8" in ran.traceback
    (a_folder / ".env").unlink()
    assert a_kernel.run(LOGIN).error == ""


def test_a_credentials_folder_that_cannot_be_used_is_named_when_the_sdk_cannot_be_loaded(a_folder, a_bound_environ):
    (a_folder / "file").touch()
    kernel = Kernel(a_folder, {**a_bound_environ, "LC_CREDENTIALS_DIR": str(a_folder / "file" / "folder")})
    try:
        ran = kernel.run(LOGIN)
        assert "could not be loaded" in ran.error
        assert "LC_CREDENTIALS_DIR" in ran.traceback
    finally:
        kernel.close()


def test_a_login_that_is_interrupted_before_a_client_is_there_does_not_go_on_checking(a_kernel, a_folder, a_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run("from luminary_auth_widget import session as module\ndef stop(*_): raise KeyboardInterrupt")
    ran = a_kernel.run(f"whole, module.AuthSession._use_unchecked = module.AuthSession._use_unchecked, stop\n{LOGIN}")
    assert ran.error.startswith("KeyboardInterrupt")
    (model,) = ran.models
    assert a_kernel.wait_for(model, state="signed_out")
    assert "Nobody is signed in" in a_kernel.run(LIST).error
    a_kernel.run(f"module.AuthSession._use_unchecked = whole\n{LOGIN}")
    assert a_kernel.wait_for(model, state="signed_in")
