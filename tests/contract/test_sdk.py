"""What we touch of luminarycloud: each of these fails when an SDK upgrade changes it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import distribution
from pathlib import Path

from luminary_auth_widget.sandbox.demo import ADA, PROJECTS

ADAS = sorted(project.name for project in PROJECTS if ADA.email in project.members)


def test_the_client_takes_the_arguments_that_we_give_it(a_script):
    printed = a_script(
        "import inspect, luminarycloud as lc\n"
        "parameters = inspect.signature(lc.Client).parameters\n"
        "print({'target', 'api_key'} <= set(parameters), type(parameters['target'].default).__name__)"
    )
    assert printed == "True str\n"


def test_a_new_context_sees_the_client_made_at_import(a_script):
    printed = a_script(
        "import contextvars, luminarycloud as lc\n"
        "first = lc.get_default_client()\n"
        "lc.set_default_client(lc.Client(api_key='lc-another-key'))\n"
        "print(contextvars.Context().run(lc.get_default_client) is first)"
    )
    assert printed == "True\n"


def test_an_adopted_client_serves_every_thread_context_and_iterator_and_the_process_ends_cleanly(a_script, a_key):
    printed = a_script(
        "import contextvars, os, threading, luminarycloud as lc\n"
        "from luminary_auth_widget import sdk\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "names = lambda: print(sorted(p.name for p in lc.iterate_projects()))\n"
        "go = threading.Event(); early = threading.Thread(target=lambda: (go.wait(), names())); early.start()\n"
        "sdk.adopt(sdk.Deployment().client_for_key(Secret(os.environ['KEY'])))\n"
        "names(); go.set(); early.join(); contextvars.Context().run(names)\n"
        "with lc.Client(api_key=os.environ['KEY']): names()\n"
        "names()",
        KEY=a_key.secret,
    )
    assert printed == f"{ADAS}\n" * 5


def test_plain_set_default_client_does_not_reach_a_thread_which_is_why_we_adopt(a_script, a_key):
    printed = a_script(
        "import os, threading, luminarycloud as lc\n"
        "mine = lc.Client(api_key=os.environ['KEY']); lc.set_default_client(mine)\n"
        "t = threading.Thread(target=lambda: print(lc.get_default_client() is mine)); t.start(); t.join()",
        KEY=a_key.secret,
    )
    assert printed == "False\n"


def test_adoption_says_so_when_the_sdk_no_longer_lets_itself_be_adopted(a_script, a_key):
    printed = a_script(
        "import os, luminarycloud as lc\n"
        "from luminary_auth_widget import errors, sdk\n"
        "from luminary_auth_widget.credentials import Secret\n"
        "lc.Client.project = property(lambda self: object(), lambda self, value: None)\n"
        "try: sdk.adopt(sdk.Deployment().client_for_key(Secret(os.environ['KEY'])))\n"
        "except errors.SDKUnusable as error: print(error.message)",
        KEY=a_key.secret,
    )
    assert "its default client could not be replaced" in printed


def test_a_signed_out_client_fails_at_once_and_opens_no_browser(a_script):
    printed = a_script(
        "import webbrowser, grpc, luminarycloud as lc\n"
        "from luminary_auth_widget import sdk\n"
        "webbrowser.open_new = lambda url: print('opened')\n"
        "sdk.adopt(sdk.signed_out_client(sdk.Deployment()))\n"
        "try: list(lc.iterate_projects())\n"
        "except grpc.RpcError as error:\n"
        "    words = ('InteractiveAuthException', 'LC_API_KEY')\n"
        "    print(error.code().name, *(word in error.details() for word in words))"
    )
    assert printed == "UNAVAILABLE True True\n"


def test_the_method_that_a_check_calls_is_the_sdks_own(a_script):
    printed = a_script(
        "from luminarycloud._proto.api.v0.luminarycloud.project import project_pb2 as p\n"
        "from luminary_auth_widget import servers\n"
        "service = p.DESCRIPTOR.services_by_name['ProjectService'].full_name\n"
        "print(f'/{service}/ListProjects' == servers._LIST_PROJECTS)\n"
        "print(p.ListProjectsRequest.FromString(servers._ONE_PROJECT).page_size)"
    )
    assert printed == "True\n1\n"


def test_the_credentials_folder_is_the_sdks_own(a_script):
    ours_and_theirs = (
        "from luminary_auth_widget import records; import luminarycloud._config as c\n"
        "print(str(records.credentials_folder()) == c.LC_CREDENTIALS_DIR)"
    )
    assert a_script(ours_and_theirs) == "True\n"
    code = f"import os; del os.environ['LC_CREDENTIALS_DIR']\n{ours_and_theirs}"
    assert a_script(code) == "True\n"


def test_the_import_reads_the_nearest_env_file_of_the_working_directory_as_our_survey_assumes(a_script, tmp_path):
    (tmp_path / ".env").write_text("LC_API_KEY=lc-from-the-env-file\nOTHER=1\n")
    printed = a_script("import os, luminarycloud; print(os.environ['LC_API_KEY'], os.environ['OTHER'])")
    assert printed == "lc-from-the-env-file 1\n"
    assert a_script("import os, luminarycloud; print(repr(os.environ['LC_API_KEY']))", LC_API_KEY="") == "''\n"


def test_the_sdk_on_disk_is_as_it_was_published():
    for file in distribution("luminarycloud").files or []:
        if file.hash is not None:
            content = Path(str(file.locate())).read_bytes()
            digest = urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest()).rstrip(b"=").decode()
            assert digest == file.hash.value, f"{file} was changed"
