"""A student of a hub without a browser: logs in, gets a server, runs cells, moves a slider.

It speaks as JupyterLab does: the hub's and the server's REST interface, and the messages of Jupyter
(https://jupyter-client.readthedocs.io/en/stable/messaging.html) over one websocket.
"""

import json
import time
import uuid
from typing import Any

import requests
import websocket

SECONDS = 600  # that a student waits for an answer


class CellError(Exception):
    """A cell has ended in an error: its name and its words."""


class Student:
    """One student; every method raises requests.HTTPError where the hub or the server says no."""

    def __init__(self, hub: str, name: str):
        self.hub, self.name, self.session = hub, name, requests.Session()
        self.token = ""  # of the hub's interface; opens the student's own server, and no other
        self.kernel = ""
        self.lost = 0  # connections, while nothing ran
        self._socket = websocket.WebSocket()

    def log_in(self, password: str) -> None:
        """Fill the form of the hub in; then ask for a token, as a server of the student would."""
        self.session.get(f"{self.hub}/hub/login", timeout=SECONDS)
        form = {"username": self.name, "password": password}
        self._post("/hub/login", data=form).raise_for_status()
        token = self._post(f"/hub/api/users/{self.name}/tokens", json={"note": "a test"})
        token.raise_for_status()
        self.token = token.json()["token"]
        self.session.headers["Authorization"] = f"token {self.token}"

    def _post(self, path: str, **content) -> requests.Response:
        xsrf = next(cookie.value for cookie in self.session.cookies if cookie.name == "_xsrf")
        header = {"X-XSRFToken": xsrf, "Referer": self.hub + path}
        url = self.hub + path
        return self.session.post(
            url, params={"_xsrf": xsrf}, headers=header, timeout=SECONDS, **content
        )

    def ask(self, method: str, path: str, **options) -> Any:
        """Ask something of the student's server, whose answer is JSON."""
        url = f"{self.hub}/user/{self.name}/{path}"
        answer = self.session.request(method, url, timeout=SECONDS, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def is_ready(self) -> bool:
        """Whether the hub says that the server runs."""
        user = self.session.get(f"{self.hub}/hub/api/users/{self.name}", timeout=SECONDS)
        user.raise_for_status()
        return user.json()["servers"].get("", {}).get("ready", False)

    def start_server(self) -> None:
        """Start the server, and wait until it answers."""
        server = f"{self.hub}/hub/api/users/{self.name}/server"
        self.session.post(server, timeout=SECONDS).raise_for_status()
        deadline = time.monotonic() + SECONDS
        while not self.is_ready():
            assert time.monotonic() < deadline, f"{self.name} has no server after {SECONDS} s"
            time.sleep(0.5)

    def open_kernel(self, lesson: str = "00_start_here.ipynb") -> None:
        """Start the kernel of a lesson, and connect to it."""
        body = {"name": "python3", "path": f"lessons/{lesson}"}
        self.kernel = self.ask("POST", "api/kernels", json=body)["id"]
        self.connect()

    def close_kernel(self) -> None:
        """Shut the kernel down, as in "Close and Shut Down Notebook"."""
        self._socket.close()
        self.ask("DELETE", f"api/kernels/{self.kernel}")

    def connect(self) -> None:
        """Connect to the kernel, for the first time or again."""
        place = f"{self.hub}/user/{self.name}/api/kernels/{self.kernel}/channels"
        header = [f"Authorization: token {self.token}"]
        self._socket.close()
        self._socket = websocket.create_connection(
            place.replace("http", "ws", 1), timeout=SECONDS, header=header
        )

    def wait(self, seconds: float) -> None:
        """Do nothing, as a person who reads, while the browser answers what the server asks."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                # Returns for a ping, too: each of them begins the time of the socket anew.
                self._socket.recv_data_frame(control_frame=True)
            except websocket.WebSocketTimeoutException:
                break
            except websocket.WebSocketConnectionClosedException:
                self.lost += 1
                self.connect()  # as JupyterLab does
        self._socket.settimeout(SECONDS)

    def run(self, code: str) -> str:
        """Run a cell, and return all that it prints or shows as text; raise CellError."""
        asked = self._send("execute_request", {"code": code, "silent": False})
        text, error = "", None
        while True:
            message = self._receive(asked)
            content, kind = message["content"], message["header"]["msg_type"]
            text += content.get("text", "") + content.get("data", {}).get("text/plain", "")
            if kind == "error":
                error = CellError(f"{content['ename']}: {content['evalue']}")
            if kind == "status" and content["execution_state"] == "idle":
                if error:
                    raise error
                return text

    def move(self, control: str, value: object) -> str:
        """Move a control of an explorer; return the picture's text that comes back.

        Args:
            control: an expression for it in the kernel, `explorer.controls["depth"]` say.
            value: where to.
        """
        model = self.run(f"print({control}.model_id)").strip()
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        asked = self._send("comm_msg", {"comm_id": model, "data": data})
        while True:
            message = self._receive(asked)
            if message["header"]["msg_type"] == "update_display_data":
                assert message["content"]["data"]["image/png"]
                return message["content"]["data"]["text/plain"]

    def _send(self, kind: str, content: dict) -> str:
        identity = uuid.uuid4().hex
        header = {"msg_id": identity, "msg_type": kind, "session": self.name, "username": self.name}
        header |= {"version": "5.3", "date": ""}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))
        return identity

    def _receive(self, asked: str) -> dict:
        while True:
            message = json.loads(self._socket.recv())
            if message["parent_header"].get("msg_id") == asked:
                return message
