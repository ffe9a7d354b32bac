"""A person signs in, errs and saves in JupyterLab that logs all: page, frames, files and profile are searched."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, Request, WebSocket, expect, sync_playwright

from tests import chromium
from tests.browser.lab import LIMIT, LIST, LOGIN, Lab, LabPage
from tests.browser.person import address_of_the_dead_page, expect_signed_in, follow, link_of, paste
from tests.conftest import bound_environ

from .conftest import NAMED_FORMS, LoudSandbox, Planted, made_up
from .sweep import Hit, Keeper, Place, Sweep, files_below, processes_below

# The browser reaches JupyterLab, and no port of 127.0.0.1: so the last address is pasted as well.
ELSEWHERE = {"server": "http://127.0.0.1:9", "bypass": "<-loopback>,localhost"}
READ = "import json, os, pathlib\nread = lambda name: pathlib.Path(os.environ['GIVEN'], name).read_text()"
CELLS = (
    f"%xmode Verbose\n{READ}",
    LOGIN,
    LIST,
    "session.use_key(read('wrong'))",
    "session.paste_callback(read('address'))",
    "planted = json.loads(read('planted.json'))\nprint(planted['an output'])",
    "import ipywidgets\nipywidgets.Text(planted['widget state'])",
    "",
)
PLACES = {
    "a cell": "notebooks/leaks.ipynb",
    "an output": "notebooks/leaks.ipynb",
    "widget state": "notebooks/leaks.ipynb",
    "a cell, in the checkpoint": "notebooks/.ipynb_checkpoints/leaks-checkpoint.ipynb",
    "an output, in HTML": "notebooks/leaks.html",
    "a cell, in a frame to the kernel": "frame to the kernel",
    "an output, in a frame to the page": "frame to the page",
    "a request": "request",
    "a request, in the server's log": "lab.log",
    "local storage": "the page's local storage",
    "local storage, in the profile": "profile/",
    "session storage": "the page's session storage",
    "a database": "the page's databases",
    "a cookie": "the browser's cookies",
    "the page": "the page",
    "the console": "the console",
}
PLANT = """async (texts) => {
  localStorage.setItem("planted", texts["local storage"]);
  sessionStorage.setItem("planted", texts["session storage"]);
  document.cookie = `planted=${encodeURIComponent(texts["a cookie"])}`;
  console.log(texts["the console"]);
  document.body.append(texts["the page"]);
  await fetch(`/api/contents/planted?text=${encodeURIComponent(texts["a request"])}`);
  const database = await new Promise((resolve) => {
    const opening = indexedDB.open("planted", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("store");
    opening.onsuccess = () => resolve(opening.result);
  });
  await new Promise((resolve) => {
    const writing = database.transaction("store", "readwrite");
    writing.objectStore("store").put(texts["a database"], "planted");
    writing.oncomplete = resolve;
  });
  database.close();
}"""
STORED = """async () => {
  const databases = {};
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
    });
    for (const store of database.objectStoreNames) {
      databases[`${name}/${store}`] = await new Promise((resolve) => {
        const reading = database.transaction(store).objectStore(store).getAll();
        reading.onsuccess = () => resolve(reading.result);
      });
    }
    database.close();
  }
  const fields = [...document.querySelectorAll("input, textarea")].map(({ value }) => value);
  return {
    "the page's local storage": { ...localStorage },
    "the page's session storage": { ...sessionStorage },
    "the page's databases": databases,
    "the page": [document.documentElement.outerHTML, fields],
  };
}"""


class LabRide:
    """One machine with JupyterLab, one browser with a profile of its own."""

    def __init__(self, folder: Path, loud: LoudSandbox) -> None:
        self.machine, self.profile, self.given = (folder / name for name in ("machine", "profile", "given"))
        self.loud, self.cloud = loud, loud.cloud
        for made in (self.machine, self.given, self.machine / "tmp"):
            made.mkdir()
        self.key, self.key_in_sidebar = (self.cloud.create_api_key("ada@example.com").secret for _ in range(2))
        self.wrong = f"lc-wrong-{made_up()}"
        self.planted = Planted(dict.fromkeys(place.partition(",")[0] for place in PLACES))
        self.texts = {place: self.planted.text(place) for place in PLACES if "," not in place}
        self.secrets = {
            **self.planted.secrets,
            "key": self.key.removeprefix("lc_sandbox_"),
            "key in the sidebar": self.key_in_sidebar.removeprefix("lc_sandbox_"),
            "wrong key": self.wrong,
        }
        self.places: list[Place] = []
        self.hits: list[Hit] = []
        self.give("planted.json", json.dumps(self.texts))
        self.give("wrong", self.wrong)

    def give(self, name: str, text: str) -> None:
        (self.given / name).write_text(text)

    def go(self) -> None:
        own = {"GIVEN": str(self.given), "TMPDIR": str(self.machine / "tmp")}
        keeper = Keeper(self.machine)
        lab = Lab(self.machine, bound_environ(self.cloud, self.machine) | own, ("--debug",))
        try:
            with sync_playwright() as playwright:
                context = chromium.launch_with_profile(playwright, self.profile, proxy=ELSEWHERE, locale="en-GB")
                self._work(LabPage(self._watched(context.new_page(), lab.url), lab))
                # On the disk they are encrypted.
                self.places.append(("the browser's cookies", json.dumps(context.cookies()).encode()))
                context.close()
        finally:
            lab.close()
            gone = keeper.close()
        convert = (sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "leaks.ipynb")
        subprocess.run(convert, cwd=lab.notebooks, check=True, capture_output=True, timeout=120)
        self.places += [*files_below(self.machine), *gone]
        self.places += [(f"profile/{name}", data) for name, data in files_below(self.profile)]
        self.places += [(f"sandbox/{name}", data) for name, data in files_below(self.loud.folder)]
        self.secrets |= self.loud.secrets()

    def _work(self, lab_page: LabPage) -> None:
        lab_page.lab.notebook("leaks.ipynb", *CELLS)  # type: ignore[attr-defined]  # it is a Lab
        lab_page.open("leaks.ipynb")
        lab_page.run(0)
        # The sidebar begins, and stays open beside the notebook to the end.
        lab_page.command("luminary-auth:open-panel")
        panel, card = lab_page.panel, lab_page.card_below(1)
        panel.get_by_role("button", name="Start").click(timeout=LIMIT)
        _use_key(panel, self.key_in_sidebar, "Signed in with an API key")
        lab_page.run(2)
        _sign_out(panel)
        lab_page.run_cell(1)
        _use_key(card, self.wrong, "The server refused this key")
        _use_key(card, self.key, "Signed in with an API key")
        lab_page.run(2)
        assert "KeyRefused" in lab_page.run(3)
        _sign_out(card)
        address = address_of_the_dead_page(follow(link_of(card)))
        self.places += processes_below(psutil.Process().pid, itself=False)
        self.give("address", address.replace("state=", "state=x"))
        assert "CallbackUnusable" in lab_page.run(4)
        paste(card, address.replace("state=", "state=x"))
        expect(card.get_by_role("alert")).to_contain_text("another sign-in")
        paste(card, address)
        expect_signed_in(card)
        lab_page.run(2)
        lab_page.page.evaluate(PLANT, self.texts)
        lab_page.run(5)
        lab_page.run_cell(6)
        lab_page.type_into(7, f"# {self.texts['a cell']}")
        lab_page.run(7)
        lab_page.save()
        lab_page.save()
        stored = lab_page.page.evaluate(STORED)
        self.places += [(place, json.dumps(content).encode()) for place, content in stored.items()]

    def _watched(self, page: Page, server: str) -> Page:
        page.on("websocket", self._follow)
        page.on("console", lambda message: self.places.append(("the console", message.text.encode())))

        def note(request: Request) -> None:
            if request.url.startswith(server):
                self.places.append(("request", request.url.encode() + (request.post_data_buffer or b"")))

        page.on("request", note)
        return page

    def _follow(self, socket: WebSocket) -> None:
        def sent(frame: str | bytes) -> None:
            said, buffers = _parts(frame)
            self.places.append(("frame to the kernel", said))
            self.places.extend(("buffer to the kernel", buffer) for buffer in buffers)

        def received(frame: str | bytes) -> None:
            self.places.append(("frame to the page", frame if isinstance(frame, bytes) else frame.encode()))

        socket.on("framesent", sent)
        socket.on("framereceived", received)


def _use_key(where: Locator, key: str, said: str) -> None:
    where.get_by_label("API key", exact=True).fill(key, timeout=LIMIT)
    where.get_by_role("button", name="Use key").click()
    expect(where).to_contain_text(said, timeout=LIMIT)


def _sign_out(where: Locator) -> None:
    where.get_by_role("button", name="Sign out").click()
    expect(where).to_contain_text("Not signed in", timeout=LIMIT)


def _parts(frame: str | bytes) -> tuple[bytes, list[bytes]]:
    """Return what a frame says, and the buffers beside it (v1.kernel.websocket.jupyter.org)."""
    if isinstance(frame, str):
        return frame.encode(), []
    count = int.from_bytes(frame[:8], "little")
    offsets = [int.from_bytes(frame[at : at + 8], "little") for at in range(8, 8 * (count + 1), 8)]
    parts = [frame[begin:end] for begin, end in pairwise(offsets)]
    return b"\n".join(parts[:5]), parts[5:]


# Keys and the pasted address travel once; the SDK keeps its session. The browser remembers what stands in its address
# bars, to open the same tabs again: also the last address of a sign-in, with the code in it, which is spent by then.
# Where a page could have put it (storage, databases, cookies, cache) and in its history, where no page that failed to
# load is kept, it does not stand.
_ASKED_FOR = {
    "key": re.compile("buffer to the kernel"),
    "key in the sidebar": re.compile("buffer to the kernel"),
    "wrong key": re.compile("buffer to the kernel"),
    "authorization code": re.compile(r"buffer to the kernel|profile/Default/Sessions/(Session|Tabs)_\d+"),
    "refresh token": re.compile(r"credentials/(\.(luminary-auth|login)-\w+/)?tokens2( \(gone\))?"),
}


@pytest.fixture(scope="module")
def a_ride(a_loud_sandbox, tmp_path_factory):
    ride = LabRide(tmp_path_factory.mktemp("ride"), a_loud_sandbox)
    ride.go()
    ride.hits += Sweep(ride.secrets).search(ride.places)
    return ride


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_secret_is_found(a_ride, place):
    found = {hit.secret for hit in a_ride.hits if hit.place.startswith(PLACES[place])}
    assert {f"{place.partition(',')[0]}, as {form}" for form in NAMED_FORMS} - found == set()


def test_no_secret_is_found_but_where_it_was_asked_for(a_ride):
    assert [hit for hit in a_ride.hits if hit.secret not in a_ride.planted.secrets and not _asked_for(hit)] == []


def test_what_was_asked_for_is_found(a_ride):
    assert {_kind(hit.secret) for hit in a_ride.hits if _asked_for(hit)} == set(_ASKED_FOR)


def test_all_that_passes_the_token_endpoint_was_searched_for_and_needs_escapes(a_ride):
    kinds = {"authorization code", "PKCE verifier", "refresh token", "access token"}
    assert {_kind(label) for label in a_ride.secrets} >= kinds
    assert all('"/+%' in text for label, text in a_ride.secrets.items() if _kind(label) in {"key", "refresh token"})


def _asked_for(hit):
    place = _ASKED_FOR.get(_kind(hit.secret))
    return place is not None and place.fullmatch(hit.place)


def _kind(label):
    return re.sub(r" \d+$", "", label)
