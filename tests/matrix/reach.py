"""How far a sign-in reaches: somebody sets the default client, and every kind of code in the kernel lists projects.

One kernel for each way of signing in, in rounds, with another account in each: a list that is left over from the round
before is no answer. The kernel starts with a key that has been revoked, so that what is not reached gets an error.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass

from luminary_auth_widget.sandbox import Sandbox
from luminary_auth_widget.sandbox.demo import ADA, GRACE, PROJECTS, DemoAccount
from tests.kernel.driver import LIMIT_SECONDS, Kernel, ipykernel_version

# From then on the main shell handles clicks while an async cell runs, and such routes as `Way.rerouted` exist.
CONCURRENT = ipykernel_version() >= (7, 4)
# How long a cell runs that nothing can reach: a click that could be handled would be, within milliseconds.
NEVER_SECONDS = 1


class Setter(str, enum.Enum):
    """Where the code runs that sets the default client."""

    CLICK = "a click, on the main shell"
    SUBSHELL_CLICK = "a click, on a subshell"
    THREAD = "a background thread"
    ASYNC_CELL = "an async cell"
    SYNC_CELL = "a sync cell"


class Reader(str, enum.Enum):
    """Where the code runs that lists the projects then."""

    NEXT_SYNC = "the next sync cell"
    NEXT_ASYNC = "the next async cell"
    RUNNING_SYNC = "a sync cell already running"
    RUNNING_ASYNC = "an async cell already running"
    TASK_BEFORE = "a task started earlier"
    TASK_AFTER = "a task started later"
    TO_THREAD = "asyncio.to_thread"
    POOL_BEFORE = "a thread pool started earlier"
    POOL_AFTER = "a thread pool started later"
    THREAD_BEFORE = "a thread started earlier"
    THREAD_AFTER = "a thread started later"


class Answer(str, enum.Enum):
    """What a reader got; the last three: why the case does not exist."""

    YES = "yes"
    NO = "no"
    ONE_CELL = "one cell at a time"
    CLICK_WAITS = "the click waits"
    NO_SUBSHELLS = "no subshells"


@dataclass(frozen=True)
class Way:
    """How the default client is set: with the widget, or with the SDK alone.

    Attributes
    ----------
    begin : str
        A cell; it shows what can be clicked.
    use : str
        A statement, with the key in the variable `key`.
    click : callable
        Clicks in the model, with the key in the file "key-NUMBER", on the subshell or on the main shell; returns when
        the client has been set and the file "set-NUMBER" says so.
    rerouted : bool
        Whether ipykernel 7.4 takes its clicks to the shell that has published last, wherever the page has sent them.
    """

    begin: str
    use: str
    click: Callable[[Kernel, str, int, str | None], None]
    rerouted: bool = False


# What the readers run. `Round` starts those that have to be there earlier, and waits for the file "set-NUMBER".
PREPARE = f"""
import asyncio, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import luminarycloud as lc

def names():
    try:
        return sorted(project.name for project in lc.iterate_projects())
    except Exception as error:
        return f"{{type(error).__name__}}: {{error}}"

class Round:
    def __init__(self, number):
        self.is_set, self.go = Path(f"set-{{number}}"), Path(f"go-{{number}}")
        self.ends, self.key = time.monotonic() + {LIMIT_SECONDS}, Path(f"key-{{number}}").read_text()
        self.listed = {{}}
        self.task = asyncio.get_running_loop().create_task(self.listed_by_task())
        self.thread = threading.Thread(target=self.list_in_thread)
        self.thread.start()
        self.pool = ThreadPoolExecutor(1)
        self.pool.submit(int).result()

    def over(self, path, ends=None):
        return path.exists() or time.monotonic() > (ends or self.ends)

    def wait(self, path, ends=None):
        while not self.over(path, ends):
            time.sleep(0.01)  # a running cell, which shares nothing with the test but files

    async def wait_async(self, path, ends=None):
        while not self.over(path, ends):
            await asyncio.sleep(0.01)

    def running(self):
        return names() if self.is_set.exists() else "never set"

    def list_in_thread(self):
        self.wait(self.is_set)
        self.listed["THREAD_BEFORE"] = names()

    async def listed_by_task(self):
        await self.wait_async(self.is_set)
        return names()

    def set_in_thread(self):
        self.wait(self.go)
        key = self.key
        {{use}}
        self.is_set.touch()

    async def read(self):
        async def later():
            return names()
        listed = self.listed
        listed["TASK_BEFORE"] = await self.task
        listed["TASK_AFTER"] = await asyncio.create_task(later())
        listed["TO_THREAD"] = await asyncio.to_thread(names)
        listed["POOL_BEFORE"] = self.pool.submit(names).result()
        with ThreadPoolExecutor(1) as pool:
            listed["POOL_AFTER"] = pool.submit(names).result()
        await asyncio.to_thread(self.thread.join)
        thread = threading.Thread(target=lambda: listed.update(THREAD_AFTER=names()))
        thread.start()
        thread.join()
        return listed
"""
# The cell that runs while somebody else sets the client, or that sets it itself.
RUNNING = {
    Reader.RUNNING_SYNC: "this.wait(this.is_set, time.monotonic() + {seconds})",
    Reader.RUNNING_ASYNC: "await this.wait_async(this.is_set, time.monotonic() + {seconds})",
}
SETTING = {
    Setter.SYNC_CELL: ("", Reader.RUNNING_SYNC),
    Setter.ASYNC_CELL: ("await asyncio.sleep(0)\n", Reader.RUNNING_ASYNC),
}
NAMES = "import json; print(json.dumps(names()))"


def projects_of(account: DemoAccount) -> list[str]:
    return sorted(project.name for project in PROJECTS if account.email in project.members)


def measure(kernel: Kernel, cloud: Sandbox, way: Way, setter: Setter) -> dict[Reader, Answer]:
    """Sign in once while a sync cell runs, once while an async cell does, and return who was reached."""
    subshell = None
    if setter is Setter.SUBSHELL_CLICK:
        if not kernel.has_subshells:
            return dict.fromkeys(Reader, Answer.NO_SUBSHELLS)
        subshell = kernel.create_subshell()
    (model, *_) = [*kernel.run(way.begin).models, ""]
    assert kernel.run(PREPARE.replace("{use}", way.use)).error == ""
    answers: dict[Reader, Answer] = {}
    for number, running in enumerate(RUNNING):
        here = _Round(kernel, cloud, way, setter, number, running, model, subshell)
        for reader, answer in here.answers().items():
            # Reached in one round and not in the other is not reached.
            answers[reader] = min(answers.get(reader, answer), answer, key=lambda a: a is not Answer.NO)
    return {reader: answers[reader] for reader in Reader}


def missing(way: Way, setter: Setter, running: Reader) -> Answer | None:
    """Return why nobody can set the client in this way while such a cell runs; None where somebody can."""
    if setter in SETTING:
        return None if SETTING[setter][1] is running else Answer.ONE_CELL
    on_main = setter is Setter.CLICK or (setter is Setter.SUBSHELL_CLICK and way.rerouted and CONCURRENT)
    return Answer.CLICK_WAITS if on_main and not (running is Reader.RUNNING_ASYNC and CONCURRENT) else None


@dataclass(frozen=True)
class _Round:
    kernel: Kernel
    cloud: Sandbox
    way: Way
    setter: Setter
    number: int
    running: Reader
    model: str
    subshell: str | None

    def answers(self) -> dict[Reader, Answer]:
        account = (ADA, GRACE)[self.number % 2]
        key = self.cloud.create_api_key(account.email, name="matrix").secret
        (self.kernel.folder / f"key-{self.number}").write_text(key)
        begun = self.kernel.run(f"await asyncio.sleep(0)\nthis = Round({self.number})")
        assert begun.error == "", begun.traceback
        why = missing(self.way, self.setter, self.running)
        listed = {self.running.name: self._set_while_a_cell_runs(why)}
        listed[Reader.NEXT_SYNC.name] = json.loads(self.kernel.run(NAMES).text)
        listed[Reader.NEXT_ASYNC.name] = json.loads(self.kernel.run(f"await asyncio.sleep(0)\n{NAMES}").text)
        listed |= json.loads(self.kernel.run("print(json.dumps(await this.read()))").text)
        answers = {Reader[name]: _answer(names == projects_of(account)) for name, names in listed.items()}
        if why is not None:
            # What is said not to exist must not happen either.
            assert listed[self.running.name] == "never set", (self.setter, self.running)
            answers[self.running] = why
        return answers

    def _set_while_a_cell_runs(self, why: Answer | None) -> object:
        """Have the client set; return what the cell listed that ran meanwhile, or that set it itself."""
        kernel, itself = self.kernel, SETTING.get(self.setter)
        if itself is not None and why is None:
            ran = kernel.run(self._setting_cell())
            assert ran.error == "", ran.traceback
            return json.loads(ran.text)
        if self.setter is Setter.THREAD:
            kernel.run("setting = threading.Thread(target=this.set_in_thread); setting.start()")
        seconds = NEVER_SECONDS if why else LIMIT_SECONDS
        cell = RUNNING[self.running].format(seconds=seconds)
        request = str(kernel.client.execute(f"import json\n{cell}\nprint(json.dumps(this.running()))"))
        kernel.has_begun(request)
        if itself is not None:
            setting = str(kernel.client.execute(self._setting_cell()))
            ran = kernel.end_of(request)
            kernel.end_of(setting)
            return json.loads(ran.text)
        if self.setter is Setter.THREAD:
            (kernel.folder / f"go-{self.number}").touch()
            return json.loads(kernel.end_of(request).text)
        self.way.click(kernel, self.model, self.number, self.subshell)
        return json.loads(kernel.end_of(request).text)

    def _setting_cell(self) -> str:
        first, _ = SETTING[self.setter]
        return f"{first}key = this.key\n{self.way.use}\nthis.is_set.touch()\n{NAMES}"


def _answer(reached: bool) -> Answer:
    return Answer.YES if reached else Answer.NO
