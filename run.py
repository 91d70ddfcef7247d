"""The commands of this project. They need Python 3.11 or newer and nothing else.

    python3 run.py lab [ARGUMENT ...]       open the lessons in JupyterLab
    python3 run.py test [ARGUMENT ...]      run all tests but those of hub/ and web/
    python3 run.py execute [NOTEBOOK ...]   run notebooks (all of them) and store their outputs
    python3 run.py bench [PART ...]         measure the speed budgets
    python3 run.py picture                  make the picture of the README
    python3 run.py record [FOLDER]          train what lesson 12 shows, with MNIST from FOLDER
    python3 run.py hub [ARGUMENT ...]       serve a class from this machine, with JupyterHub
    python3 run.py web [--serve]            build the lessons as web pages, in site/

Further arguments go to JupyterLab or pytest:  lab --no-browser --port 9999,  test -m browser.
Each command first sets up .venv beside this file; the first time that takes about a minute.
"""
# Python 2.7 can parse this file, so that an old Python gets a sentence and not a SyntaxError.

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.realpath(__file__))
IS_HUB = sys.argv[1:2] == ["hub"]  # what it needs stays out of the environment of the lessons
VENV = os.path.join(ROOT, ".venv-hub" if IS_HUB else ".venv")
PYTHON = os.path.join(VENV, "Scripts\\python.exe" if os.name == "nt" else "bin/python")
STAMP = os.path.join(VENV, "set-up.json")
FIRST = "notebooks/00_start_here.ipynb"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

PROXY = "configurable-http-proxy@5.3.0"  # JupyterHub's own, for Node 20 and newer

COMMANDS = {  # without --allow-root JupyterLab refuses to start in most containers
    "lab": ["jupyterlab", "--allow-root", "--LabApp.default_url=/lab/tree/" + FIRST],
    "test": ["pytest"],
    "execute": ["tests.tools.execute"],
    "bench": ["tests.tools.bench"],
    "picture": ["tests.tools.picture"],
    "record": ["bnlib.experiments.paper_figure_1"],
    "web": ["web.build"],
    "hub": ["jupyterhub", "--config=hub/jupyterhub_config.py"],
}
EXTRAS = {"lab": "", "record": "", "hub": "[hub]"}  # of bnlib; all other commands need [test]

REMEDIES = [  # what a failure says -> what to do
    (r"No space left|WinError 112", "The disk is full: free 2 GB and run this again."),
    (
        r"NewConnection|Timeout|ProxyError|SSLError|Connection\w*Error",
        "The network failed: check the connection or proxy and run this again.\n"
        "Packages come from the Python Package Index, PyTorch on Linux from\n%s." % CPU_INDEX,
    ),
    (r"No matching distr", "The package does not exist for this Python. Use 3.11, 3.12 or 3.13."),
    ("", "Run this again; if it fails in the same way, delete %s first." % VENV),
]


def stop(failure, words):
    sys.exit("%s\n%s" % (words, next(do for says, do in REMEDIES if re.search(says, failure))))


def check_python(version):
    if version < (3, 11):
        sys.exit(
            "This needs Python 3.11 or newer, and %s is Python %d.%d. Get a newer one from\n"
            "https://www.python.org/downloads/ and run this with it, as in: python3.12 run.py lab"
            % (sys.executable, version[0], version[1])
        )
    from importlib.util import find_spec

    if not (find_spec("venv") and find_spec("ensurepip")):
        sys.exit(
            "%s lacks venv or ensurepip. On Debian or Ubuntu: sudo apt install python3-venv\n"
            "Elsewhere: install Python from https://www.python.org/downloads/" % sys.executable
        )


def check_node():
    """Find what JupyterHub's proxy runs on, and a build of the pages, before all else."""
    try:
        version = subprocess.check_output(["node", "--version"], encoding="ascii").strip()
    except OSError:
        version = "none"
    if not re.match(r"v(2\d|[3-9]\d)\.", version) or not shutil.which("npm"):
        sys.exit(
            "This needs Node 20 or newer, with npm; found: %s. Get it from\n"
            "https://nodejs.org/en/download, or: conda install -c conda-forge nodejs=22" % version
        )


def step(what, command):
    """Run one step of the set-up, quiet but for a dot every two seconds."""
    sys.stdout.write(what + " ")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, cwd=ROOT, encoding="utf-8", errors="replace", **pipes)
    output = None
    while output is None:
        sys.stdout.write(".")
        sys.stdout.flush()
        try:
            output, _ = process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            continue
    sys.stdout.write("\n")
    if process.returncode:
        stop(output, "\n".join(output.splitlines()[-8:] + [what + " failed."]))


def pip(what, *arguments):
    # Compiling 9000 files ahead takes 20 s; Python compiles the few that a lesson needs itself.
    options = ["--quiet", "--no-compile", "--disable-pip-version-check"]
    step("Installing " + what, [PYTHON, "-m", "pip", "install"] + options + list(arguments))


def install(extra):
    with open(os.path.join(ROOT, "requirements.txt")) as file:
        torch = [line.strip() for line in file if line.startswith("torch==")]
    has_gpu = shutil.which("nvidia-smi") or os.path.exists("/proc/driver/nvidia")
    if torch and sys.platform.startswith("linux") and not has_gpu:
        # "+cpu" matches no CUDA build: where the index cannot be reached, this ends with a
        # sentence and not with gigabytes. No other package gets to wait for that index.
        index = ["--extra-index-url", CPU_INDEX, "--retries", "1"]
        pip("PyTorch (200 MB)", torch[0] + "+cpu", "--no-deps", *index)
    pip("JupyterLab, bnlib and what they need", "-r", "requirements.txt", "-e", "." + extra)
    if extra == "[hub]":
        install_proxy()
    write_jupyterlab_settings(VENV)
    lessons = sorted(glob.glob(os.path.join(ROOT, "notebooks", "*.ipynb")))
    if lessons:  # ours, so JupyterLab may show all that is stored in them
        step("Signing the lessons", [PYTHON, "-m", "jupyter", "trust"] + lessons)


def install_proxy():
    npm = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--prefix", VENV]
    step("Installing JupyterHub's proxy", npm + [PROXY])


def write_jupyterlab_settings(prefix):
    """Set what the lessons want as the defaults of the JupyterLab installed in `prefix`."""
    settings = {
        # A lesson that is saved and opened again the next day still shows its controls.
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
        # Sliders in a thread of their own overtake each other, and some of what they say is lost:
        # https://github.com/jupyterlab/jupyterlab/issues/19719
        "@jupyterlab/apputils-extension:kernels-settings": {"commsOverSubshells": "disabled"},
        # What a student sees first is the lesson, not a question about Jupyter's news.
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    }
    folder = os.path.join(prefix, "share", "jupyter", "lab", "settings")
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "overrides.json"), settings)


def wanted(extra):
    content = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml", "run.py"):
        with open(os.path.join(ROOT, name), "rb") as file:
            content.update(file.read())
    place = [ROOT, sys.base_prefix, sys.version]
    return {"place": place, "content": content.hexdigest(), "extra": extra}


def read_stamp():
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def write(path, content):
    with open(path, "w") as file:
        json.dump(content, file, indent=1)


def set_up(extra):
    """Bring VENV to what the project's files ask for; where it is there already, do nothing.

    The stamp goes before a change and comes after it: a VENV without one was interrupted, one
    with that of another place was moved or copied, and both are made anew.
    """
    old = read_stamp()
    if old in (wanted(extra), wanted("[test]")):
        return
    usable = old.get("place") == wanted(extra)["place"] and os.path.exists(PYTHON)
    if usable:
        os.remove(STAMP)
    else:
        if os.path.exists(VENV):
            shutil.rmtree(VENV)
        if shutil.disk_usage(ROOT).free < 1.5e9:  # it takes 1.1 GB
            stop("No space left", "%s has no room for it." % VENV)
        step("Making " + os.path.basename(VENV), [sys.executable, "-m", "venv", VENV])
    try:
        install(extra)
    except SystemExit:
        if usable:  # pip takes back what it cannot finish, so what worked before still does
            write(STAMP, old)
        raise
    write(STAMP, wanted(extra))


def main(arguments):
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        sys.stdout.write(__doc__)
        return
    if command not in COMMANDS:
        sys.exit("%s\nThere is no command %r; those above are all." % (__doc__, command))
    check_python(sys.version_info)
    if command == "hub" and os.name == "nt":
        sys.exit("JupyterHub does not run on Windows itself. Run this in WSL, its Linux.")
    if command in ("hub", "web"):
        check_node()
    set_up(EXTRAS.get(command, "[test]"))
    os.chdir(ROOT)
    line = [PYTHON, "-m"] + COMMANDS[command] + arguments[1:]
    if os.name == "posix":  # signals then reach JupyterLab or pytest itself
        os.execv(PYTHON, line)
    sys.exit(subprocess.call(line))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        stop(str(error), str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command goes on from here.")
