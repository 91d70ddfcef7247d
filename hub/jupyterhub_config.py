"""A class on one machine, which `python3 run.py hub` serves.

Each student gets a copy of the lessons and a JupyterLab that opens lesson 00. All of them run as
ONE user of this machine, who can read and change every student's files, so this is for trusted
classes in a trusted network. notebooks/teachers.md says what to take for others, and how to reuse
this file. All options: https://jupyterhub.readthedocs.io
"""

import os
import secrets
import shutil
import sys
from pathlib import Path

from tornado.web import HTTPError

# What you may want to change.
ADDRESS = "http://127.0.0.1:8000"  # for a class: "http://0.0.0.0:8000", behind https if you can
TEACHERS = {"teacher"}  # they see all students, and start and stop their servers
MEMORY = "1G"  # that one process of a student may take; a lesson takes up to 0.5 GB
IDLE_SECONDS = 2 * 3600  # after which a kernel, and then the server, of a student is shut down

HUB = Path(__file__).resolve().parent
CLASS = HUB.parent / "class"  # passwords, students and all their files: keep this, and back it up
FREE_BYTES = 50e6  # below which nobody's server starts

c = get_config()  # noqa: F821, JupyterHub provides it
CLASS.mkdir(mode=0o700, exist_ok=True)


def password(name: str, length: int) -> str:
    """Draw a password once and keep it in a file that only the owner of the hub can read."""
    file = CLASS / f"{name}-password.txt"
    if not file.exists():
        letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
        drawn = "".join(secrets.choice(letters) for _ in range(length))
        file.touch(mode=0o600)
        file.write_text(drawn + "\n")
    return file.read_text().strip()


# Who may come in: everybody who knows the class password, under a name of their own. For accounts
# that exist elsewhere change this line, to "github" or "lti" say, and install that authenticator.
c.JupyterHub.authenticator_class = "shared-password"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = TEACHERS
c.SharedPasswordAuthenticator.user_password = password("class", 12)
c.SharedPasswordAuthenticator.admin_password = password("teacher", 32)

# What a student gets.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(CLASS / "students" / "{username}")
c.Spawner.cmd = [sys.executable, str(HUB / "student.py")]
c.Spawner.args = [
    # Here and not in a service of the hub: it also holds while the hub is down.
    f"--MappingKernelManager.cull_idle_timeout={IDLE_SECONDS}",
    "--MappingKernelManager.cull_connected=True",
    f"--ServerApp.shutdown_no_activity_timeout={IDLE_SECONDS}",
]
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")
c.Spawner.default_url = "/lab/tree/lessons/00_start_here.ipynb"
c.Spawner.mem_limit = MEMORY
c.Spawner.start_timeout = c.Spawner.http_timeout = 120  # while thirty start at once


def check_disk(spawner) -> None:
    """Refuse to start a server that could not save anything."""
    if shutil.disk_usage(CLASS).free < FREE_BYTES:
        error = HTTPError(507, "the disk is full")
        error.jupyterhub_message = "The disk of this hub is full. Please tell your teacher."
        raise error


c.Spawner.pre_spawn_hook = check_disk

# Where the hub keeps its own things. What students run lives on while the hub is restarted.
c.JupyterHub.bind_url = ADDRESS
c.JupyterHub.cleanup_servers = False
c.JupyterHub.db_url = f"sqlite:///{CLASS / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(CLASS / "cookie-secret")
c.ConfigurableHTTPProxy.pid_file = str(CLASS / "proxy.pid")
proxy = Path(sys.prefix, "node_modules", ".bin", "configurable-http-proxy")
c.ConfigurableHTTPProxy.command = [str(proxy)]

print(
    f"""
    Address:           {ADDRESS}
    Students:          any name, and the class password {password("class", 12)}
    Teachers ({", ".join(sorted(TEACHERS))}):  the password in {CLASS / "teacher-password.txt"}
    Everything of the class is kept in {CLASS}.
    To stop: Ctrl+C. Students' servers go on, and stop by themselves when they are idle.
""",
    file=sys.stderr,
)
