"""Being the only one: what could not be had is waited for once."""

import threading
from datetime import timedelta

from luminary_auth_widget.locks import Hold, exclusively


def test_a_lock_that_somebody_else_holds_is_not_waited_for_again_further_in(tmp_path, monkeypatch):
    lock, held, enough = tmp_path / "lock", threading.Event(), threading.Event()

    def hold():
        with exclusively(lock, timedelta(0)):
            held.set()
            enough.wait(60)

    somebody = threading.Thread(target=hold)
    somebody.start()
    assert held.wait(60)

    def wait(_seconds):
        raise AssertionError("waited again")

    monkeypatch.setattr("luminary_auth_widget.locks.time.sleep", wait)
    with exclusively(lock, timedelta(0)) as outer, exclusively(lock, timedelta(hours=1)) as inner:
        assert (outer, inner) == (Hold.BUSY, Hold.BUSY)
    monkeypatch.undo()
    enough.set()
    somebody.join()
    with exclusively(lock, timedelta(0)) as outer, exclusively(lock, timedelta(0)) as inner:
        assert (outer, inner) == (Hold.HELD, Hold.ALREADY)
