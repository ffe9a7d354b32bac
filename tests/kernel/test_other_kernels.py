"""Kernels on one token store: they follow each other's sign-ins and sign-outs, except those with a key of their own."""

import json
from datetime import timedelta

import pytest

from luminary_auth_widget import sandbox
from tests.conftest import bound_environ
from tests.sandbox.helpers import GRACE

from .driver import Kernel
from .test_sign_in import LIST, LOGIN

# A renewal that is slow to reach the store, and a look at the store meanwhile: it waits, or would read what is over.
LOOK_DURING_A_RENEWAL = """
import threading
from luminary_auth_widget import sdk, token_store
renew, saving, enough = token_store.renew, threading.Event(), threading.Event()
def renew_slowly(*given):
    saving.set()
    enough.wait(10)
    return renew(*given)
token_store.renew = renew_slowly
checking, looking = threading.Thread(target=session.check), threading.Thread(target=session._others.look)
checking.start()
assert saving.wait(10)
looking.start()
looking.join(0.5)
enough.set()
checking.join()
looking.join()
print(sdk.refresh_token(session.client) == token_store.find().token)
"""
# What stands in the store while a login is being finished, with which anything may still go wrong.
WATCH_THE_FINISH = """
from luminary_auth_widget import servers, token_store
stored, identity = [], servers.identity
def look_and_go_on(*given):
    stored.append(token_store.find())
    return identity(*given)
servers.identity = look_and_go_on
"""


@pytest.fixture(scope="module")
def three_kernels(a_running_sandbox, tmp_path_factory):
    """Two that are signed out, and one with a key of its own; all on one token store."""
    folder = tmp_path_factory.mktemp("other-kernels")
    environ = bound_environ(a_running_sandbox, folder)
    key = a_running_sandbox.create_api_key("grace@example.com", name="own").secret
    kernels = []
    for own in ({}, {}, {"LC_API_KEY": key}):
        kernels.append(Kernel(folder, {**environ, **own}))
    models = [kernel.run(LOGIN).models[0] for kernel in kernels]
    kernels[2].wait_for(models[2], state="signed_in")
    yield list(zip(kernels, models, strict=True)), folder / "credentials" / "tokens2", environ
    for kernel in kernels:
        kernel.close()


def test_a_sign_in_and_a_sign_out_in_one_kernel_are_followed_by_the_others_without_a_click(
    three_kernels, a_sandbox, adas_projects
):
    ((first, mine), (second, its), (third, keyed)), store, _ = three_kernels
    end = first.sign_in(mine, a_sandbox)["expires_at"]
    assert second.wait_for(its, state="signed_in", expiry="recorded")["expires_at"] == end
    assert second.run(LIST).text == adas_projects
    assert second.status(its)["title"] == "ada@example.com"

    # Another account, signed in to from the other side.
    second.sign_in(its, a_sandbox, GRACE)
    first.wait_for_title(mine, "grace@example.com")

    # Of this kernel only: the other one stays, and this one stays out.
    first.click(mine, "sign_out", everywhere=False)
    first.wait_for(mine, state="signed_out")
    assert "InteractiveAuthException" in first.run(LIST).error
    assert second.run("print(session.check().state.value)").text == "signed_in\n"

    # A new session is followed again; everywhere means everywhere.
    second.sign_in(its, a_sandbox)
    first.wait_for(mine, state="signed_in")
    first.click(mine, "sign_out", everywhere=True)
    second.wait_for(its, state="signed_out")
    assert "in another kernel" in second.status(its)["message"]
    assert "InteractiveAuthException" in second.run(LIST).error
    assert "refresh_token" not in json.loads(store.read_text())

    # A key of one's own is not exchanged for somebody's session.
    assert third.status(keyed)["title"] == "Signed in with an API key"
    assert third.run("print(session.status.state.value)").text == "signed_in\n"


def test_kernels_that_begin_to_sign_in_at_the_same_instant_both_get_a_link(three_kernels, a_sandbox):
    ((first, mine), (second, its), _), _, _ = three_kernels
    first.click(mine, "sign_in_with_browser")
    second.click(its, "sign_in_with_browser")
    first.wait_for(mine, attempt="waiting_for_browser")
    second.wait_for(its, attempt="waiting_for_browser")
    links = {first.status(mine)["attempt"]["link"], second.status(its)["attempt"]["link"]}
    assert len({link.partition("redirect_uri=")[2] for link in links}) == 2
    for kernel, model in ((first, mine), (second, its)):
        kernel.click(model, "cancel")
        kernel.wait_for(model, attempt="")


def test_a_kernel_that_starts_later_is_signed_in_by_the_store_and_knows_the_same_end(
    three_kernels, a_sandbox, tmp_path, adas_projects
):
    ((first, mine), (second, its), _), _, environ = three_kernels
    end = first.sign_in(mine, a_sandbox)["expires_at"]
    later = Kernel(tmp_path, environ)
    try:
        ran = later.run(f"{LOGIN}\n{LIST}")
        assert ran.text == adas_projects
        assert later.wait_for(ran.models[0], state="signed_in", expiry="recorded")["expires_at"] == end
    finally:
        later.close()
    first.click(mine, "sign_out", everywhere=True)
    second.wait_for(its, state="signed_out")


def test_with_rotation_on_a_renewal_in_one_kernel_costs_the_other_neither_its_session_nor_its_end(tmp_path):
    with sandbox.start(refresh_rotation=True) as cloud:
        environ = bound_environ(cloud, tmp_path)
        first, second = Kernel(tmp_path, environ), Kernel(tmp_path, environ)
        try:
            (mine,), (its,) = first.run(LOGIN).models, second.run(LOGIN).models
            end = first.sign_in(mine, cloud)["expires_at"]
            second.wait_for(its, state="signed_in")
            for kernel in (first, second, first):
                # The access tokens of both are over, and whoever renews makes the other's refresh token void.
                cloud.advance(timedelta(hours=25))
                assert kernel.run("print(session.check().state.value)").text == "signed_in\n"
            for kernel, model in ((first, mine), (second, its)):
                assert kernel.run("print(session.check().state.value)").text == "signed_in\n"
                assert kernel.wait_for(model, expiry="recorded")["expires_at"] == end
        finally:
            first.close()
            second.close()


def test_with_rotation_on_no_other_thread_or_kernel_takes_a_token_that_is_over_or_not_in_use_yet(tmp_path):
    with sandbox.start(refresh_rotation=True) as cloud:
        kernel = Kernel(tmp_path, bound_environ(cloud, tmp_path))
        try:
            (mine,) = kernel.run(LOGIN).models
            kernel.run(WATCH_THE_FINISH)
            kernel.sign_in(mine, cloud)
            # Else another kernel would follow, and make its token void before the login has ended.
            assert kernel.run("print(stored)").text == "[None]\n"
            cloud.advance(timedelta(hours=25))
            assert kernel.run(LOOK_DURING_A_RENEWAL).text == "True\n"
        finally:
            kernel.close()
