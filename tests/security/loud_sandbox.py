"""The sandbox as a program in which everything is logged, whose keys and tokens need escapes, and which tells the test.

`loud_sandbox.py FOLDER KNOWN`: what its token endpoint sees and gives goes into the file KNOWN, by lines of JSON. Only
there do all secrets pass without a change to the processes that are under examination.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import flask

from luminary_auth_widget import sandbox
from luminary_auth_widget.sandbox import identity, store


def awkward(text: str) -> str:
    """Put into a text what JSON, URLs, HTML and shells write in their own ways, as far as a `.env` can hold it."""
    return f'{text[:-8]}"/+%{text[-8:-4]}=&<>#{text[-4:]}'


def main(folder: str, known: str) -> int:
    plain = store.new_secret

    def note(_app: flask.Flask, response: flask.Response, **_: Any) -> None:
        if flask.request.path == "/oauth/token":
            passed = {"asked": flask.request.get_json(silent=True), "given": response.get_json(silent=True)}
            with Path(known).open("a") as file:
                file.write(json.dumps(passed) + "\n")

    logging.basicConfig(level=logging.DEBUG)
    logging.debug("Everything is logged.")
    for module in (store, identity):
        vars(module)["new_secret"] = lambda prefix: awkward(plain(prefix))
    flask.request_finished.connect(note)
    return sandbox.main(["--folder", folder, "--refresh-rotation"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
