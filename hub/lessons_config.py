"""What a student gets on every hub of this course: `load_subconfig` takes it in.

Each student has a copy of the lessons and a JupyterLab that opens lesson 00.
"""

import sys
from pathlib import Path

c = get_config()  # noqa: F821, JupyterHub provides it

MEMORY = "1G"  # that one process of a student may take; lesson 10 takes 0.7 GB, the others 0.5
IDLE_SECONDS = 2 * 3600  # after which a kernel, and then the server, of a student is shut down

c.Spawner.cmd = [sys.executable, str(Path(__file__).resolve().parent / "student.py")]
c.Spawner.args = [
    # Thirty kernels that start at once take each other's TCP ports, and die; files they do not. Nor
    # can another user of the machine open them.
    "--KernelManager.transport=ipc",
    # Here and not in a service of the hub: it also holds while the hub is down.
    f"--MappingKernelManager.cull_idle_timeout={IDLE_SECONDS}",
    "--MappingKernelManager.cull_connected=True",
    f"--ServerApp.shutdown_no_activity_timeout={IDLE_SECONDS}",
]
c.Spawner.default_url = "/lab/tree/lessons/00_start_here.ipynb"
c.Spawner.mem_limit = MEMORY
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}  # else a kernel starts a thread for every core
c.Spawner.start_timeout = c.Spawner.http_timeout = 600  # seconds: thirty at once are slow
