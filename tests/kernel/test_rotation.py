"""A key is replaced before it ends: the old one stays in `.env` until the new one is accepted; Undo brings it back."""

from importlib.metadata import version

from .driver import Kernel

LOGIN = "from luminary_auth_widget import login; session = login()"
# As a person may have written it, on Windows.
BEFORE = '# the wind tunnel\r\nOTHER=1\r\n\r\nexport LC_API_KEY="{}"  # made in May\r\nLAST=x\r\n'


def _signed_in_from_env(kernel: Kernel) -> str:
    (model,) = kernel.run(LOGIN).models
    kernel.click(model, "hello")
    kernel.wait_for(model, state="signed_in")
    return model


def test_a_key_in_env_is_replaced_once_the_new_one_is_accepted_and_undo_brings_the_old_line_back(
    a_kernel, a_folder, a_sandbox, a_key
):
    new, env = a_sandbox.create_api_key("ada@example.com", name="laptop, renewed"), a_folder / ".env"
    before = BEFORE.format(a_key.secret).encode()
    env.write_bytes(before)
    model = _signed_in_from_env(a_kernel)
    a_kernel.click(model, "use_key", remember=True, lasts="P7D", buffers=(b"lc-unknown-key-0000",))
    a_kernel.wait_for(model, state="signed_in", attempt="failed")
    assert env.read_bytes() == before
    a_kernel.click(model, "use_key", remember=True, lasts="P7D", buffers=(new.secret.encode(),))
    status = a_kernel.wait_until(model, lambda status: "Replaced the key in ./.env" in str(status["notices"]))
    assert status["expiry"] == "noted"
    assert new.secret in env.read_text()
    assert a_key.secret not in env.read_text()
    a_kernel.click(model, "forget")
    status = a_kernel.wait_until(model, lambda status: "holds the earlier key" in str(status["notices"]))
    assert env.read_bytes() == before
    assert f"pasted key …{new.secret[-4:]}" in status["subtitle"]
    assert a_kernel.run("print(session.check().state.value)").text == "signed_in\n"


def test_within_a_day_of_a_keys_noted_end_another_key_is_what_to_press_for(a_kernel, a_key):
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.click(model, "hello")
    for hours, primary in ((25, ""), (23, "key")):
        ends = f"datetime.now(timezone.utc) + timedelta(hours={hours})"
        code = f"from datetime import *; session.use_key({a_key.secret!r}, expires_on={ends})"
        assert a_kernel.run(code).error == ""
        status = a_kernel.wait_for(model, state="signed_in", expiry="noted", attempt="")
        assert a_kernel.status(model)["primary"] == primary, status


def test_diagnostics_hold_versions_state_and_sources_and_no_secret(a_kernel, a_folder, a_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    model = _signed_in_from_env(a_kernel)
    told = a_kernel.status(model)["diagnostics"]
    for package in ("luminary-auth-widget", "luminarycloud", "anywidget", "ipywidgets", "ipykernel"):
        assert version(package) in told
    for words in ("signed_in", f"LC_API_KEY …{a_key.secret[-4:]} · in use", "./.env", "Python 3.", "ends · unknown"):
        assert words in told
    assert a_key.secret not in told
