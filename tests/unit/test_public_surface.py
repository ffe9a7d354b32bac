"""What `import luminary_auth_widget` gives, and what it costs."""

import subprocess
import sys

import luminary_auth_widget
from luminary_auth_widget import errors


def test_the_public_names_are_these():
    assert luminary_auth_widget.__all__ == [
        "Attempt",
        "AttemptPhase",
        "AuthError",
        "AuthSession",
        "AuthStatus",
        "AuthWidget",
        "Method",
        "SignInState",
        "login",
    ]
    assert all(hasattr(luminary_auth_widget, name) for name in luminary_auth_widget.__all__)


def test_importing_the_package_imports_nothing_that_takes_long():
    code = (
        "import sys, luminary_auth_widget\n"
        "heavy = {'luminarycloud', 'grpc', 'requests', 'anywidget', 'IPython', 'flask'}\n"
        "heavy.add('luminary_auth_widget.sandbox')\n"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_docstring_of_errors_draws_the_whole_tree():
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    ours = {name for name, kind in kinds.items() if issubclass(kind, errors.AuthError)}
    assert ours == {name for name in ours if name in (errors.__doc__ or "")}


def test_an_error_in_a_cell_is_a_sentence_and_a_next_step():
    error = errors.KeyRefused("It was revoked.", next_step="Create a new one.")
    assert str(error) == "It was revoked. Create a new one."
    assert error._render_traceback_() == ["KeyRefused: It was revoked.", "Create a new one."]
