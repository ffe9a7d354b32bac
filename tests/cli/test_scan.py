"""`scan` finds this machine's credentials in notebooks, says where, and never what."""

import base64
import json
import os
import subprocess
import sys
from urllib.parse import quote

import nbformat
import pytest
from nbformat import v4

# With characters that JSON, base64 and URLs each write in another way.
KEY = 'lc/made-up+key="of\\no~use"?1234'
TOKEN = "v1.made-up-refresh-token-of-nobody-5678"


@pytest.fixture
def a_keyed_environ():
    return {"LC_API_KEY": KEY}


def _notebook(path, **cell):
    """Write a notebook of three cells; the second one, run as In [5], has the content."""
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Text"), v4.new_code_cell(), v4.new_code_cell("1 + 1")])
    notebook.cells[1].update({"execution_count": 5, **cell})
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return notebook


def _printed(text):
    return [v4.new_output("stream", text=text)]


FORMS = {
    "plain": KEY,
    "JSON": json.dumps({"key": KEY}),
    "JSON in JSON": json.dumps(json.dumps({"key": KEY})),
    "escaped": "".join(f"\\u{ord(character):04x}" for character in KEY),
    "URL": f"https://localhost/?key={quote(KEY, safe='')}",
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, one later": base64.b64encode(b"x" + KEY.encode() + b"tail").decode(),
    "base64, two later": base64.b64encode(b"xy" + KEY.encode() + b"tail").decode(),
    "base64 of URLs": base64.urlsafe_b64encode(b"?>?" + KEY.encode()).decode(),
    "base64 in lines": base64.encodebytes(b"x" * 50 + KEY.encode() + b"y" * 50).decode(),
}


def test_every_form_of_a_key_is_found_and_named_by_its_cell_and_shown_by_its_end_alone(
    the_command, a_folder, a_keyed_environ
):
    for name, text in FORMS.items():
        _notebook(a_folder / "notebooks" / f"{name}.ipynb", outputs=_printed(text))
    done = the_command("scan", "notebooks", environ=a_keyed_environ)
    assert (done.returncode, done.stderr) == (1, "")
    for name in FORMS:
        line = f"notebooks/{name}.ipynb: cell 2 (In [5]), output: API key …1234 from environment"
        assert line in done.stdout.splitlines()
    assert f"Found in {len(FORMS)} places in {len(FORMS)} files" in done.stdout
    assert "revoke" in done.stdout
    assert not any(text in done.stdout for text in FORMS.values())


def test_every_place_of_a_notebook_is_looked_into(the_command, a_folder, a_keyed_environ):
    _notebook(a_folder / "source.ipynb", source=f"login(api_key={KEY!r})")
    _notebook(a_folder / "metadata.ipynb", metadata={"note": KEY})
    _notebook(a_folder / ".ipynb_checkpoints" / "old-checkpoint.ipynb", source=f"# {KEY}")
    attached = _notebook(a_folder / "attachment.ipynb")
    attached.cells[0]["attachments"] = {"a.txt": {"text/plain": KEY}}
    nbformat.write(attached, a_folder / "attachment.ipynb")
    widgets = _notebook(a_folder / "widgets.ipynb")
    state = {"a": {"model_name": "PasswordModel", "model_module": "m", "state": {"value": KEY}}}
    widgets.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "state": state}}
    nbformat.write(widgets, a_folder / "widgets.ipynb")
    whole = _notebook(a_folder / "whole.ipynb")
    whole.metadata["title"] = KEY
    nbformat.write(whole, a_folder / "whole.ipynb")
    (a_folder / "damaged.ipynb").write_text(f'{{"cells": ["{quote(KEY)}"')
    (a_folder / "notes.txt").write_text(KEY)

    done = the_command("scan", ".", environ=a_keyed_environ)
    found = dict(
        line.split(": ")[:2]
        for line in done.stdout.splitlines()
        if "API key …1234 from" in line[:200] and ".ipynb: " in line
    )
    assert found == {
        "source.ipynb": "cell 2 (In [5]), source",
        "metadata.ipynb": "cell 2 (In [5]), metadata",
        ".ipynb_checkpoints/old-checkpoint.ipynb": "cell 2 (In [5]), source",
        "attachment.ipynb": "cell 1, attachment",
        "widgets.ipynb": "the notebook's widget state",
        "whole.ipynb": "the notebook's metadata",
        "damaged.ipynb": "in the file",
    }
    # A file of another kind, only when it is named.
    assert "notes.txt" not in done.stdout
    named = the_command("scan", "notes.txt", environ=a_keyed_environ)
    assert (named.returncode, named.stderr) == (1, "")
    assert "notes.txt: in the file" in named.stdout


def test_each_credential_of_this_machine_is_known(the_command, a_folder, a_bound_environ, tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "tokens2").write_text(json.dumps({"refresh_token": TOKEN}))
    documented = tmp_path / "home" / ".luminarycloud"
    documented.mkdir()
    (documented / "config").write_text(json.dumps({"refresh_token": "documented-token-9876"}))
    (a_folder / ".env").write_text("LC_API_KEY=key-of-the-folder-abcd\n")
    beside = tmp_path / "elsewhere"
    _notebook(beside / "deep" / "n.ipynb", source="'key-beside-the-notebook-efgh'")
    (beside / ".env").write_text("LC_API_KEY='key-beside-the-notebook-efgh'\n")
    everything = f"{KEY} {TOKEN} documented-token-9876 key-of-the-folder-abcd"
    _notebook(a_folder / "n.ipynb", source=everything)
    done = the_command("scan", ".", str(beside), environ={"LC_API_KEY": KEY})
    assert (done.returncode, done.stderr) == (1, "")
    for end in ("…1234", "…5678", "…9876", "…abcd"):
        assert any(line.startswith("n.ipynb: ") and end in line for line in done.stdout.splitlines())
    assert "deep/n.ipynb: cell 2 (In [5]), source: API key …efgh" in done.stdout
    assert not any(secret in done.stdout for secret in (*everything.split(), "key-beside"))


def test_a_clean_folder_has_exit_code_0_and_the_limit_is_said(the_command, a_folder, a_keyed_environ):
    _notebook(a_folder / "n.ipynb", outputs=_printed(f"…{KEY[-4:]} and {KEY[:-1]}"))
    assert the_command("scan", "n.ipynb", environ=a_keyed_environ).returncode == 0
    done = the_command("scan", ".", environ=a_keyed_environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "Nothing found: 1 file searched for API key …1234 from environment."
    assert "not known on this machine would not be found" in done.stdout


def test_a_path_that_is_not_there_has_exit_code_2_before_anything_is_searched(the_command, a_folder, a_keyed_environ):
    _notebook(a_folder / "n.ipynb", source=KEY)
    done = the_command("scan", "n.ipynb", "missing\x1b[2J.ipynb", environ=a_keyed_environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing?[2J.ipynb" in done.stderr


def test_what_cannot_be_searched_is_said_and_is_not_called_clean(the_command, a_folder, a_keyed_environ):
    os.mkfifo(a_folder / "pipe.ipynb")
    (a_folder / "gone.ipynb").symlink_to("nowhere")
    _notebook(a_folder / "n.ipynb")
    done = the_command("scan", ".", environ=a_keyed_environ)
    assert done.returncode == 2
    assert "pipe.ipynb cannot be read: it is no regular file." in done.stderr
    assert "gone.ipynb cannot be read: No such file or directory." in done.stderr
    assert "1 file searched" in done.stdout
    # A search for nothing is none.
    nothing = the_command("scan", "n.ipynb")
    assert nothing.returncode == 2
    assert "No credential is known on this machine" in nothing.stdout


def test_a_huge_notebook_is_searched_to_its_end_in_little_memory(a_folder, a_bound_environ):
    # 200 MB, with the key across the border between two pieces, near the end.
    piece = 1 << 20
    with (a_folder / "huge.ipynb").open("wb") as huge:
        huge.write(b'{"cells": [{"outputs": [{"text": "')
        huge.seek(200 * piece - 10)
        huge.write(b"key-of-ours-across-a-border-1234")
    (a_folder / "run.py").write_text(
        "import re, sys\nfrom luminary_auth_widget.cli import main\ncode = main(['scan', 'huge.ipynb'])\n"
        # The peak that getrusage tells is inherited from whoever has started the process.
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\nsys.exit(code)\n"
    )
    environ = {**a_bound_environ, "LC_API_KEY": "key-of-ours-across-a-border-1234"}
    done = subprocess.run(
        [sys.executable, "run.py"], env=environ, cwd=a_folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "huge.ipynb: in the file: API key …1234" in done.stdout
    # In KiB.
    assert int(done.stdout.splitlines()[-1]) < 150_000
