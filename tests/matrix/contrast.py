"""The same with the SDK alone: `make matrix` runs it and puts it beside; nothing of it is ours to promise."""

import pytest

from .reach import Answer, Setter, measure
from .ways import SDK_ALONE


@pytest.mark.parametrize("setter", Setter, ids=lambda setter: setter.name.lower())
def test_what_the_sdks_own_default_client_reaches(a_kernel, a_sandbox, setter, record_property):
    answers = measure(a_kernel, a_sandbox, SDK_ALONE, setter)
    for reader, answer in answers.items():
        record_property(reader.value, answer.value)
    if setter is Setter.SYNC_CELL:
        # The next line of the very cell: else nothing was measured.
        assert "RUNNING_SYNC" in {reader.name for reader, answer in answers.items() if answer is Answer.YES}
