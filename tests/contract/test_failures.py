"""What the SDK raises for want of a sign-in is what `failures` looks for."""

import pytest

PROBE = (
    "import luminarycloud as lc\nfrom luminary_auth_widget.failures import wants_sign_in\n"
    "def fails(call):\n"
    "    try: call()\n"
    "    except Exception as error: return type(error).__name__, wants_sign_in(error)\n"
)


def _verdict(a_script, code, **environ):
    return a_script(f"{PROBE}{code}", **environ).strip()


@pytest.mark.parametrize(
    ("client", "call", "raised"),
    [
        ("lc.Client(api_key='lc-unknown-key-0000')", "list(lc.iterate_projects())", "AuthenticationError"),
        ("lc.Client(api_key=None, noninteractive=True)", "list(lc.iterate_projects())", "_InactiveRpcError"),
        ("lc.Client(api_key=None, noninteractive=True)", "one.get_token()", "InteractiveAuthException"),
        ("lc.Client(api_key=None, noninteractive=True)", "one.http.get('/v0/projects')", "InteractiveAuthException"),
    ],
)
def test_a_call_without_a_good_sign_in(a_script, client, call, raised):
    assert _verdict(a_script, f"one = {client}\nwith one: print(fails(lambda: {call}))") == f"('{raised}', True)"


@pytest.mark.parametrize(("status", "verdict"), [(401, True), (404, False), (503, False)])
def test_an_answer_of_the_sdks_http_client(a_script, status, verdict):
    code = (
        "import requests\nfrom luminarycloud._client.http_client import HTTPErrorWithBody\n"
        f"answer = requests.Response(); answer.status_code = {status}\n"
        "print(wants_sign_in(HTTPErrorWithBody(answer)))"
    )
    assert _verdict(a_script, code) == str(verdict)


@pytest.mark.parametrize("call", ["1 / 0", "lc.get_project('p-none')"])
def test_another_failure(a_script, a_key, call):
    code = f"import os\none = lc.Client(api_key=os.environ['KEY'])\nwith one: print(fails(lambda: {call}))"
    assert _verdict(a_script, code, KEY=a_key.secret).endswith(", False)")


def test_a_failure_that_was_caused_by_one_and_one_among_several(a_script):
    code = (
        "def wrapped():\n"
        "    try: lc.Client(api_key=None, noninteractive=True).get_token()\n"
        "    except Exception as error: raise ValueError('no mesh') from error\n"
        "print(fails(wrapped))"
    )
    assert _verdict(a_script, code) == "('ValueError', True)"
