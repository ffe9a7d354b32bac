"""`%luminary`, and what stands where no widget draws."""

import pytest

LOAD = "%load_ext luminary_auth_widget"
LIST = "import luminarycloud as lc; print(sorted(p.name for p in lc.iterate_projects()))"


@pytest.mark.parametrize("magic", ["%luminary", "%luminary login"])
def test_the_magic_shows_the_widget_and_signs_in_with_what_is_there(a_kernel, a_folder, a_key, adas_projects, magic):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run(LOAD)
    assert len(a_kernel.run(magic).models) == 1
    assert a_kernel.run(LIST).text == adas_projects


def test_status_check_and_logout_print_where_the_sign_in_stands(a_kernel, a_folder, a_sandbox, a_key):
    (a_folder / ".env").write_text(f"LC_API_KEY={a_key.secret}\n")
    a_kernel.run(f"{LOAD}\n%luminary")
    signed_in = f"Luminary Cloud: Signed in with an API key (…{a_key.secret[-4:]} from ./.env)"
    assert signed_in in a_kernel.run("%luminary check").text
    assert signed_in in a_kernel.run("%luminary status").text
    a_sandbox.revoke_api_key(a_key.id)
    assert "revoked" in a_kernel.run("%luminary check").text
    assert a_kernel.run("%luminary logout").text.startswith("Luminary Cloud: Not signed in\nSigned out of this kernel")


def test_a_word_that_it_does_not_know_is_answered_by_those_that_it_does(a_kernel):
    ran = a_kernel.run(f"{LOAD}\n%luminary singin")
    assert "There is no `%luminary singin`." in ran.text
    assert "%luminary login" in ran.text
    assert ran.error == ""


def test_signed_out_a_check_says_what_to_do(a_kernel):
    assert "Sign in first." in a_kernel.run(f"{LOAD}\n%luminary check").text


def test_a_page_that_draws_no_widget_gets_the_status_and_the_next_step_as_text_and_html(a_kernel, a_folder, a_key):
    bundle = (
        "from luminary_auth_widget import AuthWidget, login; login(show=False)\n"
        "data = AuthWidget()._repr_mimebundle_()[0]\n"
        "print(data['text/plain']); print(data['text/html'])"
    )
    plain, html = a_kernel.run(bundle).text.splitlines()
    assert plain.startswith("Luminary Cloud: Not signed in. Set LC_API_KEY")
    assert html.startswith("<p>Luminary Cloud: Not signed in.</p><p>Set LC_API_KEY")


def test_what_a_notebook_keeps_of_the_widget_names_neither_person_nor_key(a_kernel, a_sandbox):
    (model,) = a_kernel.run("from luminary_auth_widget import login; session = login()").models
    a_kernel.sign_in(model, a_sandbox)
    a_kernel.run("login()")
    shown = [message["content"]["data"] for message in a_kernel.messages if message["msg_type"] == "display_data"]
    assert shown[-1]["text/plain"] == "Luminary Cloud: Signed in."
    assert shown[-1]["text/html"] == "<p>Luminary Cloud: Signed in.</p>"
