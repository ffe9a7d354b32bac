"""What the package's Python says to people stands in words.py, and all of words.py is said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from luminary_auth_widget import words

PACKAGE = Path(words.__file__).parent
# The sandbox, in a folder of its own, stands in for somebody else's cloud: its words are not the product's.
MODULES = {path.name: ast.parse(path.read_text()) for path in PACKAGE.glob("*.py") if path.name != "words.py"}
CATALOGUE = ast.parse((PACKAGE / "words.py").read_text())

# What people are told has several words, or is one on a button: "Undo". Lower-case words alone are values.
SEVERAL_WORDS, ON_A_BUTTON = re.compile(r"(?=.*[^\W\d_]{2}).*\S\s+\S", re.DOTALL), re.compile(r"[A-Z][a-z]+[.:…]?")
NOT_OURS_TO_SAY = {
    "words of other programs, by which their errors are told": {
        "400 Bad Request",
        "Failed to resolve|[Nn]ame resolution",
        "Failed to resolve|errors resolving|(DNS|Name) resolution failed|name resolution",
        "Hostname Verification",
        "Invalid response",
        "Stream removed",
        "TLS CA certificate bundle",
        "certificate (has expired|is not yet valid)",
        "handshake failed",
        r"http2 header with status: (\d{3})",
    },
    "headers of HTTP": {"Authorization", "Bearer {}", "Connection", "text/plain; charset=utf-8"},
    "forms of pasted text": {"Bearer", r"(?i)(?:my|your)[_\- ](?:lc[_\- ])?api[_\- ]key"},
    "what is typed": {"logout everywhere", "rescue off", "rescue on", "  %luminary {}", "await session"},
    "names with their versions, a time for support": {
        "luminarycloud {}",
        "{} UTC",
        "{}; anywidget {}, ipywidgets {}, ipykernel {}, Python {}",
    },
    "names": {"Attempt", "Cc", "Cs", "Method", "Roaming", "Zl", "Zp"},
    "an id, for a cell that has none": {"a cell without an id"},
    "an error that is caught where it is raised": {"nested too deeply"},
    "Python's own words": {"module {} has no attribute {}"},
}


def _texts(module: ast.Module) -> Iterator[str]:
    """Yield every text of a module that is no docstring; `{}` stands for what an f-string is filled with."""
    passed_over: set[ast.AST] = set()
    for node in ast.walk(module):
        if node in passed_over:
            continue
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                passed_over.add(docstring)
            case ast.JoinedStr(values=parts):
                passed_over.update(part for part in parts if isinstance(part, ast.Constant))
                # What stands after a field's colon is an f-string to `ast`.
                passed_over.update(
                    s for part in parts if isinstance(part, ast.FormattedValue) and (s := part.format_spec)
                )
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            case ast.Constant(value=str(text)):
                yield text
            case ast.Constant(value=bytes(content)):
                yield content.decode("utf-8", "replace")


def _said_in(module: ast.Module) -> set[str]:
    return {text for text in _texts(module) if SEVERAL_WORDS.match(text) or ON_A_BUTTON.fullmatch(text)}


def _used_in(module: ast.Module) -> set[str]:
    return {
        node.attr
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "words" and node.attr.isupper()
    }


@pytest.mark.parametrize("name", sorted(MODULES))
def test_what_a_module_says_to_people_stands_in_the_catalogue(name):
    assert _said_in(MODULES[name]) - set().union(*NOT_OURS_TO_SAY.values()) == set()


def test_no_exception_is_left_of_what_is_no_longer_there():
    assert set().union(*NOT_OURS_TO_SAY.values()) - set().union(*map(_said_in, MODULES.values())) == set()


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('raise AuthError("It went wrong.", next_step=words.TRY_AGAIN)', "It went wrong."),
        ('told = f"{path} is damaged: {why!r:>9}"', "{} is damaged: {}"),
        ('label = "Undo"', "Undo"),
        ('parts = ("; its end", f"{count} min")', "{} min"),
        ("page = [b'Not here.']", "Not here."),
        ('title = {"state": f"{name()}" f" stopped"}', "{} stopped"),
    ],
)
def test_a_text_outside_the_catalogue_would_be_found(planted, found):
    assert found in _said_in(ast.parse(planted))


@pytest.mark.parametrize(
    "silent", ['"""What it does."""', 'kind = "signed_in"', 'line = f"{one} {two}"', "x = words.UNDO"]
)
def test_what_is_no_text_for_people_is_passed_over(silent):
    assert _said_in(ast.parse(silent)) == set()


def test_everything_in_the_catalogue_is_said_and_nothing_is_said_that_is_not_there():
    assert {name for name in vars(words) if name.isupper()} == set().union(*map(_used_in, MODULES.values()))


def test_the_catalogue_is_a_list_of_texts_and_mypy_knows_the_fields_of_each():
    docstring, the_import, *entries = CATALOGUE.body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(the_import) == "from typing import Final"
    # Without Final, a call that misses a field or has one too many would not be noticed.
    assert {ast.unparse(entry) for entry in entries if not _is_final_text(entry)} == set()


def _is_final_text(entry: ast.stmt) -> bool:
    match entry:
        case ast.AnnAssign(annotation=ast.Name(id="Final"), value=ast.Constant(value=str())):
            return True
    return False


def test_no_secret_is_opened_into_a_text():
    calls = [node for module in MODULES.values() for node in ast.walk(module) if isinstance(node, ast.Call)]
    filling = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "format"]
    assert len(filling) > len(vars(words)) / 4
    assert [ast.unparse(call) for call in filling if "reveal" in ast.unparse(call)] == []
