"""The pictures in README.md: the real widget in real JupyterLab, signed in to the sandbox. `make shots` writes them."""

from __future__ import annotations

import base64
import struct
import tempfile
import zlib
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect, sync_playwright

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox.demo import ADA
from tests import chromium
from tests.conftest import bound_environ

from .lab import LIMIT_SECONDS, Lab, LabPage
from .person import follow, log_in

DOCS = Path(__file__).parents[2] / "docs"
LOGIN = "from luminary_auth_widget import login\n\nsession = login()"
LIST = "import luminarycloud as lc\n\nfor project in lc.iterate_projects():\n    print(project.name)"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# A README is downloaded by everybody who only wants to read it.
LARGEST_BYTES = 60_000
SCALE = 2  # sharp on dense screens, too
LIMIT = LIMIT_SECONDS * 1000  # milliseconds, as Playwright has them
# Rounded to 18 steps a channel, which no eye sees in text and lines, the file is half as large.
SIDE_BY_SIDE = """async ([pictures, gap]) => {
  const images = pictures.map((data) => Object.assign(new Image(), { src: `data:image/png;base64,${data}` }));
  await Promise.all(images.map((image) => image.decode()));
  const canvas = document.createElement("canvas");
  canvas.width = images.reduce((sum, image) => sum + image.width, gap * (images.length - 1));
  canvas.height = Math.max(...images.map((image) => image.height));
  const context = canvas.getContext("2d");
  images.reduce((x, image) => (context.drawImage(image, x, 0), x + image.width + gap), 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  pixels.data.forEach((value, place) => { pixels.data[place] = Math.round(value / 15) * 15; });
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL().split(",")[1];
}"""


def main() -> None:
    """Write two pictures for each theme: the widget before and after a key is pasted, and JupyterLab's sidebar."""
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sandbox.start() as cloud, sync_playwright() as playwright:
        place = Path(folder)
        lab = Lab(place, bound_environ(cloud, place))
        browser = chromium.launch(playwright)
        try:
            for name, theme in THEMES.items():
                _keep(f"widget-{name}.png", _beside(browser, _states(browser, lab, cloud, theme)))
                _keep(f"sidebar-{name}.png", _beside(browser, [_sidebar(browser, lab, theme)]))
        finally:
            browser.close()
            lab.close()


def _keep(name: str, picture: bytes) -> None:
    (DOCS / name).write_bytes(picture)
    print(f"{name}: {len(picture):,} bytes")
    if len(picture) > LARGEST_BYTES:
        raise SystemExit(f"{name} is larger than {LARGEST_BYTES:,} bytes.")


def _states(browser: Browser, lab: Lab, cloud: sandbox.Sandbox, theme: str) -> list[bytes]:
    """Return the widget signed out, with a key pasted, and signed in with a key of three months."""
    context = browser.new_context(
        locale="en-GB", timezone_id="UTC", viewport={"width": 900, "height": 900}, device_scale_factor=SCALE
    )
    # A notebook and so a kernel for each theme: nobody is signed in there yet.
    notebook = lab.notebook(f"{theme}.ipynb", LOGIN)
    page = LabPage(context.new_page(), lab).open(notebook.name)
    page.command("application:toggle-left-area")
    page.command("apputils:change-theme", theme=theme)
    page.type_into(0, f"import os\n\nos.environ.pop('LC_API_KEY', None)\n{LOGIN}")
    page.run_cell(0)
    card = page.page.get_by_role("region", name="Luminary Cloud sign-in").first
    field = card.get_by_label("API key", exact=True)
    field.fill(cloud.create_api_key("ada@example.com").secret, timeout=LIMIT)
    card.get_by_label("Key lasts", exact=True).select_option(label="three months")
    expect(card.get_by_role("link", name="Get a key")).to_be_visible(timeout=LIMIT)
    signed_out = _picture_of(card)
    card.get_by_role("button", name="Use key").click()
    expect(card).to_contain_text("Signed in with an API key", timeout=LIMIT)
    signed_in = _picture_of(card)
    context.close()
    return [signed_out, signed_in]


def _sidebar(browser: Browser, lab: Lab, theme: str) -> bytes:
    """Return JupyterLab's window after *Start*, and a log-in with the browser, in the panel."""
    context = browser.new_context(
        locale="en-GB", timezone_id="UTC", viewport={"width": 840, "height": 420}, device_scale_factor=1.5
    )
    notebook = lab.notebook(f"{theme.rpartition(' ')[2]}/wing.ipynb", LIST, "")
    page = LabPage(context.new_page(), lab).open(str(notebook.relative_to(lab.notebooks)))
    page.command("apputils:change-theme", theme=theme)
    page.command("luminary-auth:sign-in-with-browser")
    panel = page.panel
    log_in(follow(panel.get_by_role("link", name="Open the log-in page")))
    expect(panel).to_contain_text(ADA.email, timeout=LIMIT)
    page.run(0)
    page.save()
    page.page.bring_to_front()
    picture = page.page.screenshot(animations="disabled")
    panel.get_by_role("button", name="Sign out…").click()
    panel.get_by_role("button", name="Everywhere").click()
    expect(panel).to_contain_text("Not signed in", timeout=LIMIT)
    context.close()
    return picture


def _picture_of(card: Locator) -> bytes:
    card.evaluate("node => { node.style.width = '410px'; document.activeElement?.blur(); }")
    return card.screenshot(animations="disabled")


def _beside(browser: Browser, pictures: list[bytes]) -> bytes:
    page = browser.new_page()
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    picture: str = page.evaluate(SIDE_BY_SIDE, [encoded, 20 * SCALE])
    page.close()
    return _packed(base64.b64decode(picture))


def _packed(png: bytes) -> bytes:
    """Return the same picture, compressed as far as it goes: Chromium compresses in haste."""
    chunks, place = [], 8
    while place < len(png):
        (size,) = struct.unpack_from(">I", png, place)
        chunks.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + size]))
        place += 12 + size
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    kept = [(b"IHDR", chunks[0][1]), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in kept)
    return png[:8] + b"".join(packed)


if __name__ == "__main__":
    main()
