"""After a sign-in the next line works, wherever it stands, and wherever the sign-in has come from."""

import pytest

from .reach import Answer, Setter, measure
from .ways import WIDGET


@pytest.mark.parametrize("setter", Setter, ids=lambda setter: setter.name.lower())
def test_after_a_sign_in_every_cell_task_and_thread_lists_the_accounts_projects(
    a_kernel, a_sandbox, setter, record_property
):
    answers = measure(a_kernel, a_sandbox, WIDGET, setter)
    for reader, answer in answers.items():
        record_property(reader.value, answer.value)
    assert Answer.NO not in answers.values(), answers
