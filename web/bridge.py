"""The Python side of a page: widgets talk to the page, and what is displayed becomes a message.

It runs in the worker, before anything of bnlib is imported. IPython, of which the library wants
little, would take half of the start; what it wants stands here.
"""

import ast
import base64
import contextlib
import importlib
import io
import json
import pickle
import random
import symtable
import sys
import traceback
import types
import zlib

import comm
from comm.base_comm import BaseComm
from js import post  # (JSON, buffers): to the page, set by worker.mjs
from pyodide.ffi import to_js

MIME_PNG = "image/png"
EXERCISE = "<your code>"
place = None  # the element of the page in which what is displayed now is to be seen


def send(message, buffers=()):
    """Send a message to the page."""
    post(json.dumps(message), to_js([to_js(bytes(buffer)) for buffer in buffers]))


class PageComm(BaseComm):
    """A comm whose other side is in the page."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        """Send what a widget says."""
        message = {"type": msg_type, "comm_id": self.comm_id, "data": data or {}, **keys}
        send(message | {"metadata": metadata or {}}, buffers or [])


def display(shown, raw=False, metadata=None, display_id=None, update=False):
    """As IPython's, of a bundle of MIME types, or of an object that displays itself."""
    if not raw:
        return shown._ipython_display_()
    data, buffers = dict(shown), []
    if MIME_PNG in data:
        png = data.pop(MIME_PNG)
        buffers.append(base64.b64decode(png) if isinstance(png, str) else png)
    message = {"type": "display", "place": place, "data": data, "metadata": metadata or {}}
    send(message | {"display_id": display_id}, buffers)


def module(name, **names):
    """Make a module that stands in for one of IPython's."""
    made = types.ModuleType(name)
    vars(made).update(names)
    sys.modules[name] = made
    return made


random.seed()  # the stored memory that Python begins with holds the same for all
comm.create_comm = PageComm
widgets_of_page = comm.get_comm_manager()
module("IPython", get_ipython=lambda: None, version_info=(9, 0, 0))
module("IPython.display", display=display, clear_output=lambda wait=False: None)
module("IPython.core")
module("IPython.core.getipython", get_ipython=lambda: None)
module("IPython.core.interactiveshell", InteractiveShell=None, ExecutionInfo=None)
module("mpl_toolkits")
module("mpl_toolkits.mplot3d", Axes3D=None)  # nothing here has three dimensions

from bnlib.live import recording  # noqa: E402
from bnlib.live.predictions import Prediction, Predictions  # noqa: E402

Prediction.then = "Now look at the result."
predictions = Predictions()
committed = {}


def comm_msg(comm_id, data):
    """Take a message of a widget in the page."""
    widgets_of_page.get_comm(comm_id).handle_msg(
        {"content": {"comm_id": comm_id, "data": json.loads(data)}, "buffers": []}
    )
    tell_commitments()


def tell_commitments():
    """Tell the page what has been committed or taken back: it keeps it for the next visit."""
    global committed
    now = {step: p.answer for step, p in predictions._of_step.items() if p.answer is not None}
    for step in now.keys() | committed.keys():
        if now.get(step) != committed.get(step):
            send({"type": "committed", "step": step, "answer": now.get(step)})
    committed = now


def play(recorded):
    """Let explorers show what was recorded: `recorded` as the page has fetched it."""
    recording.play(pickle.loads(zlib.decompress(recorded.to_bytes())))


def show(module, function):
    """Make an explorer and show it."""
    display(getattr(importlib.import_module(module), function)())


def ask(method, step, arguments, answer):
    """Ask for a prediction; take the answer that was committed on an earlier visit, or None."""
    getattr(predictions, method)(step, *json.loads(arguments))
    if answer is not None:
        prediction = predictions._of_step[step]
        value = json.loads(answer)
        for slider, height in zip(
            getattr(prediction, "sliders", ()),
            value if isinstance(value, list) else [value],
            strict=False,
        ):
            slider.value = height
        prediction.commit(value)


def compare(step, truth, text, within):
    """Compare a prediction with what came out in the lesson."""
    predictions._of_step[step].lock()
    predictions.compare(step, json.loads(truth), json.loads(text), within)


def score():
    """Count the predictions that were right."""
    predictions.score()


def run(code, imports):
    """Run the cells of an exercise and show what they print, and the value of the last line.

    Args:
        code: of both cells.
        imports: JSON, name → the statement of the lesson that imports it; those that the code uses
            are run first.
    """
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        try:
            *body, last = ast.parse(code, EXERCISE).body
            wanted = undefined(symtable.symtable(code, EXERCISE, "exec"))
            for name, statement in json.loads(imports).items():
                if name in wanted:
                    exec(statement, names)
            exec(compile(ast.Module(body, []), EXERCISE, "exec"), names)
            print(repr(eval(compile(ast.Expression(last.value), EXERCISE, "eval"), names)))
        except ModuleNotFoundError as error:
            print(
                f"This needs {error.name}, which a page does not have. Open the lesson in Jupyter"
            )
            print("for it: the links are at its top.")
        except SyntaxError as error:
            print(*traceback.format_exception_only(error), sep="", end="")
        except (Exception, SystemExit) as error:
            said = traceback.format_exception(error)
            print(*(said[:1] + [line for line in said if EXERCISE in line] + said[-1:]), sep="")
    send({"type": "text", "place": place, "text": printed.getvalue()})


def undefined(table):
    """Return the names that code uses and does not define itself."""
    inner = set().union(*map(undefined, table.get_children()))
    symbols = table.get_symbols()
    if table.get_type() != "module":
        return inner | {symbol.get_name() for symbol in symbols if symbol.is_global()}
    own = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    return (inner | {symbol.get_name() for symbol in symbols}) - own


def at(where, function, *arguments):
    """Call a function of this module, whose output is to be seen at `where`."""
    global place
    place = where
    globals()[function](*arguments)
    tell_commitments()
