"""A class on one machine, which `python3 run.py hub` serves.

Everything runs as ONE user of this machine: a student who wants to can read and change the files of
all others, so this is for trusted classes in a trusted network. notebooks/teachers.md says what to
take for others. All options: https://jupyterhub.readthedocs.io
"""

import os
import secrets
import shutil
import socket
import sys
from pathlib import Path

from tornado.web import HTTPError

# What you may want to change.
ADDRESS = "http://127.0.0.1:8000"  # of this machine only; for a class "http://0.0.0.0:8000", or
# "https://0.0.0.0:8000" with the two files of your certificate, so that nobody on the way reads
# the passwords.
SSL_KEY, SSL_CERTIFICATE = "", ""
TEACHERS = {"teacher"}  # they see all students, and start and stop their servers
# What each of them gets is said in lessons_config.py: memory, and when what is idle is shut down.

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

# Where a student's server runs: as a process of this machine, with a folder of its own.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(CLASS / "students" / "{username}")
load_subconfig(str(HUB / "lessons_config.py"))  # noqa: F821, JupyterHub provides this, too
if os.geteuid() == 0:
    c.Spawner.args.append("--allow-root")


def check_disk(spawner) -> None:
    """Refuse to start a server that could not save anything."""
    if shutil.disk_usage(CLASS).free < FREE_BYTES:
        error = HTTPError(507, "the disk is full")
        error.jupyterhub_message = "The disk of this hub is full. Please tell your teacher."
        raise error


c.Spawner.pre_spawn_hook = check_disk

# Where the hub keeps its own things. What students run lives on while the hub is restarted.
c.JupyterHub.bind_url = ADDRESS
c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = SSL_KEY, SSL_CERTIFICATE
c.JupyterHub.cleanup_servers = False
c.JupyterHub.db_url = f"sqlite:///{CLASS / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(CLASS / "cookie-secret")
c.ConfigurableHTTPProxy.pid_file = str(CLASS / "proxy.pid")
proxy = Path(sys.prefix, "node_modules", ".bin", "configurable-http-proxy")
c.ConfigurableHTTPProxy.command = [str(proxy)]

print(
    f"""
    Address:           {ADDRESS.replace("0.0.0.0", socket.getfqdn())}
    Students:          any name, and the class password {password("class", 12)}
    Teachers ({", ".join(sorted(TEACHERS))}):  the password in {CLASS / "teacher-password.txt"}
    Everything of the class is kept in {CLASS}.
    All students' programs run as one user of this machine: for a class that you trust.
    To stop: Ctrl+C. Students' servers go on, and stop by themselves when they are idle.
""",
    file=sys.stderr,
)
