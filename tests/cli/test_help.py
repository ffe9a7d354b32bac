"""The help names what there is, in every Python alike, and README names the same commands."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = ("", "status", "login", "logout", "check", "scan")


def _words(text):
    """Return a help text without its blanks: where argparse breaks lines differs between Pythons."""
    return re.sub(r"\s+", "", text)


def _help(the_command, command):
    return the_command(*command.split(), "--help", environ={"COLUMNS": "100"})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_the_one_that_was_agreed(the_command, command):
    shown = _help(the_command, command)
    assert (shown.returncode, shown.stderr) == (0, "")
    agreed = (HERE / "help" / f"{command or 'luminary-auth'}.txt").read_text(encoding="utf-8")
    assert _words(shown.stdout) == _words(agreed)


def test_readme_lists_every_command_and_no_other(the_command):
    listed = re.findall(r"^    ([a-z]+) ", _help(the_command, "").stdout, re.MULTILINE)
    section = README.partition("## In a terminal")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `luminary-auth (\w+)", section, re.MULTILINE)
    assert set(named) == set(listed)
    every_help = "".join(_help(the_command, command).stdout for command in COMMANDS)
    assert [option for option in re.findall(r"`(--[a-z-]+)", section) if option not in every_help] == []


@pytest.mark.parametrize(
    "wrong", [(), ("signin",), ("status", "--jsn"), ("scan",), ("login", "--key", "--browser"), ("login", "--key=abc")]
)
def test_wrong_usage_has_exit_code_2_and_says_why_on_standard_error(the_command, wrong):
    done = the_command(*wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error:" in done.stderr


def test_a_file_to_remember_in_goes_with_a_key_only(the_command):
    done = the_command("login", "--env-file", ".env")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--key" in done.stderr
