"""run.py: the set-up in good and in bad surroundings, on a tiny project that needs no network."""

import ast
import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / "run.py"

# A build backend that needs nothing: an editable install of it is a wheel with two small files.
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        info = "tiny-1.0.dist-info/"
        wheel.writestr("pytest.py", "import sys; print('ran', sys.argv[1:])")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n"
                       "Provides-Extra: test\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
                       "Tag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
TINY = {
    "requirements.txt": "",
    "backend.py": BACKEND,
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
    'backend-path = ["."]\n',
}
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "1",
}


def tiny_project(folder):
    folder.mkdir()
    for name, text in TINY.items():
        (folder / name).write_text(text)
    shutil.copy(RUN, folder)
    return folder


def call(project, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=project,
        env=os.environ | NO_NETWORK | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def load(path):
    spec = importlib.util.spec_from_file_location("run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A tiny project after its set-up, and what the set-up printed."""
    project = tiny_project(tmp_path_factory.mktemp("run") / "project")
    return project, call(project, "test", "-k", "what ever")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run.py as a module, in a project whose .venv is a folder and whose steps are noted down."""
    run = load(tiny_project(tmp_path / "project") / "run.py")
    run.steps = []

    def step(what, command):
        run.steps.append(what)
        Path(run.PYTHON).parent.mkdir(parents=True, exist_ok=True)
        Path(run.PYTHON).touch()

    monkeypatch.setattr(run, "step", step)
    run.set_up("")
    assert run.steps[0] == "Making .venv"
    run.steps.clear()
    return run


def fails(run, monkeypatch, error=SystemExit):
    def step(what, command):
        raise error

    monkeypatch.setattr(run, "step", step)
    with pytest.raises(error):
        run.set_up("[test]")


# The set-up, for real


def test_a_set_up_ends_in_the_command_with_its_arguments(ready):
    _, done = ready
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ran ['-k', 'what ever']\n")
    assert "Making .venv ." in done.stdout


def test_the_second_start_sets_nothing_up(ready):
    assert call(ready[0], "test").stdout == "ran []\n"


def test_a_copied_project_gets_its_own_environment(ready, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(ready[0], copy, symlinks=True)
    assert "Making .venv" in call(copy, "test").stdout
    stamp = json.loads((copy / ".venv" / "set-up.json").read_text())
    assert stamp["place"][0] == os.path.realpath(copy)


# The set-up, step by step


def test_nothing_to_do(run):
    run.set_up("")
    assert run.steps == []


def test_tests_come_on_top_and_serve_the_lab_too(run):
    run.set_up("[test]")
    assert len(run.steps) == 1 and run.steps[0].startswith("Installing")
    run.set_up("")
    assert len(run.steps) == 1


def test_the_lessons_are_signed_so_that_they_open_trusted(run, monkeypatch):
    commands = []
    lesson = Path(run.ROOT, "notebooks", "00_start_here.ipynb")
    lesson.parent.mkdir()
    lesson.write_text("{}")
    monkeypatch.setattr(run, "step", lambda what, command: commands.append(command))
    run.install("")
    assert commands[-1] == [run.PYTHON, "-m", "jupyter", "trust", str(lesson)]


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "run.py"])
def test_a_changed_file_installs_again(run, name):
    with open(Path(run.ROOT, name), "a") as file:
        file.write("\n")
    run.set_up("")
    assert len(run.steps) == 1 and run.steps[0].startswith("Installing")


@pytest.mark.parametrize("harm", ["no stamp", "half a stamp", "another Python", "no Python"])
def test_what_is_not_usable_is_made_anew(run, harm, monkeypatch):
    if harm == "no stamp":
        os.remove(run.STAMP)
    elif harm == "half a stamp":
        Path(run.STAMP).write_text(Path(run.STAMP).read_text()[:20])
    elif harm == "another Python":
        monkeypatch.setattr(sys, "version", "3.99")
    else:
        os.remove(run.PYTHON)
        Path(run.ROOT, "requirements.txt").write_text("# new\n")
    leftover = Path(run.VENV, "leftover")
    leftover.touch()
    run.set_up("")
    assert run.steps[0] == "Making .venv"
    assert not leftover.exists()


def test_a_failed_addition_keeps_what_worked(run, monkeypatch):
    fails(run, monkeypatch)
    run.set_up("")  # would call the failing step if there were anything to do


def test_an_interrupted_addition_does_not(run, monkeypatch):
    fails(run, monkeypatch, KeyboardInterrupt)
    assert not os.path.exists(run.STAMP)


@pytest.mark.parametrize(
    ("platform", "gpu", "cpu_build"),
    [("linux", None, True), ("linux", "nvidia-smi", False), ("darwin", None, False)],
)
def test_the_cpu_build_of_torch_on_linux_without_gpu(run, monkeypatch, platform, gpu, cpu_build):
    commands = []
    Path(run.ROOT, "requirements.txt").write_text("numpy==2.0\ntorch==2.13.0\n")
    monkeypatch.setattr(run, "step", lambda what, command: commands.append(command))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(shutil, "which", lambda name: gpu)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    run.install("")
    indices = [run.CPU_INDEX in command for command in commands]
    assert indices == ([True, False] if cpu_build else [False])
    assert ("torch==2.13.0+cpu" in commands[0]) == cpu_build


# Bad surroundings: a sentence, and no traceback


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_an_old_python(run, version):
    with pytest.raises(SystemExit) as stopped:
        run.check_python(version)
    assert "needs Python 3.11 or newer" in stopped.value.code
    assert "is Python {}.{}.".format(*version) in stopped.value.code


def test_an_old_python_can_parse_the_file():
    """It has none of what Python 2.7 lacks and what one writes by habit."""
    assert RUN.read_bytes().isascii()
    for node in ast.walk(ast.parse(RUN.read_bytes(), feature_version=(3, 7))):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign)
        assert not (isinstance(node, ast.arguments) and node.kwonlyargs)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_venv(tmp_path, module):
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None")
    done = call(tiny_project(tmp_path / "project"), "lab", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr and "Traceback" not in done.stderr


def test_no_network(ready, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ready[0], project, symlinks=True)
    stamp = json.loads((project / ".venv" / "set-up.json").read_text())
    stamp["place"][0] = os.path.realpath(project)
    (project / ".venv" / "set-up.json").write_text(json.dumps(stamp))
    (project / "requirements.txt").write_text("numpy==2.4.6\n")
    done = call(project, "lab")
    assert done.returncode == 1
    assert "The network failed: check the connection or proxy" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        ("ERROR: ... OSError: [Errno 28] No space left on device", "The disk is full"),
        ("[WinError 112] There is not enough space on the disk", "The disk is full"),
        ("ConnectTimeoutError ... ERROR: No matching distribution found", "The network failed"),
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", "Use 3.11, 3.12 or 3.13"),
        ("anything else", "Run this again; if it fails in the same way, delete"),
    ],
)
def test_what_to_do_about_a_failed_step(tmp_path, failure, remedy):
    run = load(RUN)
    with pytest.raises(SystemExit) as stopped:
        run.step("Installing", [sys.executable, "-c", f"print({failure!r}); raise SystemExit(1)"])
    words = str(stopped.value)
    assert failure in words and "Installing failed." in words and remedy in words


@pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")
@pytest.mark.parametrize(("says", "found"), [(None, "none"), ("v18.20.4", "v18.20.4")])
def test_a_hub_needs_node_and_says_where_to_get_it(monkeypatch, tmp_path, says, found):
    if says:
        for name, words in (("node", says), ("npm", "10.0.0")):
            (tmp_path / name).write_text(f"#!/bin/sh\necho {words}\n")
            (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SystemExit, match=f"needs Node 20 or newer, with npm; found: {found}"
    ) as stopped:
        load(RUN).check_node()
    assert "https://nodejs.org" in str(stopped.value)


def test_no_room_for_the_environment(run, monkeypatch):
    os.remove(run.STAMP)
    usage = shutil.disk_usage(run.ROOT)._replace(free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SystemExit, match=r"\.venv has no room for it\.\nThe disk is full"):
        run.set_up("")
    assert run.steps == []


def test_an_error_of_the_system(tmp_path):
    project = tiny_project(tmp_path / "project")
    (project / ".venv").write_text("not a folder")
    done = call(project, "lab")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"delete {project / '.venv'} first" in done.stderr


def test_an_unknown_command(tmp_path):
    done = call(tiny_project(tmp_path / "project"), "lba")
    assert done.returncode == 1
    assert "There is no command 'lba'" in done.stderr and "python3 run.py lab" in done.stderr
    assert not (tmp_path / "project" / ".venv").exists()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help(tmp_path, arguments):
    done = call(tiny_project(tmp_path / "project"), *arguments)
    assert done.returncode == 0 and "python3 run.py lab" in done.stdout


def test_every_command_is_explained_and_runs_a_module_that_is_there():
    run = load(RUN)
    for command, (module, *_) in run.COMMANDS.items():
        assert f"python3 run.py {command} " in run.__doc__
        assert importlib.util.find_spec(module), module


# JupyterLab as `lab` starts it


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address that JupyterLab prints when it starts as in `lab`, without a user's settings."""
    run, home = load(RUN), tmp_path_factory.mktemp("home")
    run.write_jupyterlab_settings(home)
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", *run.COMMANDS["lab"], "--no-browser", "--port=0"]
    command += [f"--LabApp.app_settings_dir={home / 'share/jupyter/lab/settings'}"]
    process = subprocess.Popen(
        command, cwd=run.ROOT, env=os.environ | folders, stderr=subprocess.PIPE, text=True
    )
    try:
        address = next(line.split()[-1] for line in process.stderr if "http://" in line)
        wait_until_answered(address)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_until_answered(address):
    for _ in range(100):  # JupyterLab prints its address a moment before it listens
        with contextlib.suppress(urllib.error.URLError):
            return get(address)
        time.sleep(0.1)
    raise TimeoutError(address)


def get(address):
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def split(address):
    base, path, token = re.fullmatch(r"(http://[^/]+)(/\S*)\?token=(\w+)", address).groups()
    return base, path, token


def test_jupyterlab_opens_the_first_lesson(server):
    base, path, token = split(server)
    assert path == "/lab/tree/notebooks/00_start_here.ipynb"
    assert get(f"{base}/api/contents/run.py?content=0&token={token}")[0] == 200


def test_jupyterlab_wants_its_token_and_listens_here_only(server):
    base, _, token = split(server)
    assert re.fullmatch(r"http://(localhost|127\.0\.0\.1):\d+", base)
    assert len(token) >= 32
    assert get(f"{base}/api/contents")[0] == 403


@pytest.mark.parametrize(
    ("plugin", "name", "value"),
    [
        ("@jupyter-widgets/jupyterlab-manager:plugin", "saveState", True),
        ("@jupyterlab/apputils-extension:notification", "fetchNews", "false"),
        ("@jupyterlab/apputils-extension:kernels-settings", "commsOverSubshells", "disabled"),
    ],
)
def test_jupyterlab_serves_the_settings(server, plugin, name, value):
    base, _, token = split(server)
    _, answer = get(f"{base}/lab/api/settings/{plugin}?token={token}")
    assert json.loads(answer)["schema"]["properties"][name]["default"] == value
