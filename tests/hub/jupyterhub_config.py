"""What the hub of test_jupyterhub.py is configured with; where things lie is told by its environment."""

import json
import os
from pathlib import Path

FOLDER = Path(os.environ["HUB_FOLDER"])
PORT, HUB_PORT, API_PORT = os.environ["HUB_PORTS"].split(",")

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub puts it there
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{HUB_PORT}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{API_PORT}"
c.ConfigurableHTTPProxy.command = [os.environ["HUB_PROXY"]]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
# Every server runs as whoever runs the tests; a home each.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "{username}")
c.Spawner.ip = "127.0.0.1"
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
c.Spawner.http_timeout = 60


def preset(spawner):
    """Give a user what the file of that name holds, as a hub does with credentials that it keeps."""
    given = FOLDER / f"{spawner.user.name}.json"
    if given.exists():
        spawner.environment = json.loads(given.read_text())


c.Spawner.pre_spawn_hook = preset
