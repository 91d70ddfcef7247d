"""The configurations of hubs, as JupyterHub loads them."""

import re
import shutil
import stat
from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tests.conftest import NOTEBOOKS, ROOT

pytest.importorskip("jupyterhub")
TEACHERS = (NOTEBOOKS / "teachers.md").read_text(encoding="utf-8")


def load(path: Path) -> Config:
    return PyFileConfigLoader(str(path)).load_config()


@pytest.fixture
def hub(tmp_path):
    """A copy of hub/, whose class/ is not that of this folder."""
    return shutil.copytree(ROOT / "hub", tmp_path / "hub")


def test_passwords_are_drawn_once_and_for_the_owner_only(hub, capsys):
    first, again = (load(hub / "jupyterhub_config.py") for _ in range(2))
    for name in ("user_password", "admin_password"):
        drawn = first.SharedPasswordAuthenticator[name]
        assert len(drawn) >= 12 and drawn == again.SharedPasswordAuthenticator[name]
    for name in ("class", "teacher"):
        file = hub.parent / "class" / f"{name}-password.txt"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    printed = capsys.readouterr().err
    assert first.SharedPasswordAuthenticator.user_password in printed
    assert first.SharedPasswordAuthenticator.admin_password not in printed


def test_two_hubs_have_two_passwords(hub, tmp_path):
    other = shutil.copytree(ROOT / "hub", tmp_path / "other" / "hub")
    passwords = {
        load(h / "jupyterhub_config.py").SharedPasswordAuthenticator.user_password
        for h in (hub, other)
    }
    assert len(passwords) == 2


def test_what_teachers_add_for_other_hubs_takes_the_lessons_with_it(hub, tmp_path):
    [code] = re.findall(r"echo '(.*?)' \|", TEACHERS, re.DOTALL)
    tljh = tmp_path / "lessons.py"
    tljh.write_text(re.sub(r"(?m)^    ", "", code).replace("/opt/bn/hub/lessons", f"{hub}/lessons"))
    shared, theirs = load(hub / "lessons_config.py").Spawner, load(tljh).Spawner
    assert theirs.cmd == ["/opt/tljh/user/bin/python", "/opt/bn/hub/student.py"]
    assert {**theirs, "cmd": 0} == {**shared, "cmd": 0}


def test_what_teachers_add_for_docker(hub):
    lines = re.findall(r"(?m)^    (c\.(?:JupyterHub|DockerSpawner)\..*)", TEACHERS)
    config = hub / "jupyterhub_config.py"
    config.write_text("\n".join([config.read_text(), *lines]))
    docker = load(config)
    assert docker.JupyterHub.spawner_class == "docker"
    assert docker.DockerSpawner.cmd[1] == "/srv/bnlib/hub/student.py"
    assert f"--target-repo-dir {Path(docker.DockerSpawner.cmd[1]).parents[1]} " in TEACHERS
    assert docker.Spawner.default_url.endswith("00_start_here.ipynb")
