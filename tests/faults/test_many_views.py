"""Fifty views of one session in a real kernel: one model, one answer to each, and no thread more."""

import pytest

from tests.kernel.driver import Kernel
from tests.kernel.test_sign_in import LOGIN

FIFTY = 50
THREADS = """
import threading
[thread.join() for thread in threading.enumerate() if thread.name == 'luminary-auth']
print(threading.active_count())
"""


@pytest.fixture
def a_kernel(tmp_path, a_bound_environ):
    kernel = Kernel(tmp_path, a_bound_environ)
    yield kernel
    kernel.close()


def test_fifty_views_are_of_one_model_and_each_hello_is_answered_with_the_same_state(a_kernel, a_key):
    (model,) = a_kernel.run(LOGIN).models
    a_kernel.run(f"_ = session.use_key('{a_key.secret}')")
    a_kernel.status(model)
    before = a_kernel.run(THREADS).text
    for _ in range(FIFTY):
        assert a_kernel.run("session").models == [model]
    already = len(a_kernel.messages)
    for _ in range(FIFTY):
        a_kernel.click(model, "hello")
    a_kernel.has_handled_the_click()
    answers = [
        message["content"]["data"]["content"]
        for message in a_kernel.messages[already:]
        if message["msg_type"] == "comm_msg" and message["content"]["data"]["method"] == "custom"
    ]
    assert len(answers) == FIFTY
    assert {(answer["state"], answer["title"]) for answer in answers} == {("signed_in", "Signed in with an API key")}
    assert a_kernel.run(THREADS).text == before
