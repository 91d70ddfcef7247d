"""A class on a hub: ten students, what they may not do, and what goes wrong."""

import contextlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import psutil
import pytest
import requests
from playwright.sync_api import expect

from tests.conftest import NOTEBOOKS
from tests.tools.browser import Notebook, Server, chromium
from tests.tools.student import CellError, Student

LESSON = "00_start_here.ipynb"
LESSONS = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(scope="module")
def student(class_hub):
    """A function that logs a student in and starts the server."""
    students = {}

    def logged_in(name: str) -> Student:
        if name not in students:
            students[name] = Student(class_hub.url, name)
            students[name].log_in(class_hub.password)
            students[name].start_server()
            students[name].open_kernel()
        return students[name]

    return logged_in


def lesson_by_messages(student: Student) -> str:
    """Run lesson 00 and move the slider of its explorer; the line that comes back."""
    cells = nbformat.read(NOTEBOOKS / LESSON, as_version=4).cells
    for cell in cells:
        if cell.cell_type == "code":
            student.run(cell.source)
    student.run("lesson = depth_explorer(); display(lesson)")
    return student.move('lesson.controls["depth"]', 11)


def test_ten_students_run_a_lesson_and_move_its_slider(student):
    names = [f"student-{number}" for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        students = list(pool.map(student, names))
        lines = list(pool.map(lesson_by_messages, students))
    assert len(set(lines)) == 1
    assert lines[0].startswith("Layer 11 without BN")
    for one in students:
        content = one.ask("GET", "api/contents/lessons")["content"]
        assert sorted(file["name"] for file in content) == LESSONS


def test_a_student_in_a_browser(class_hub, chromium_path):
    """From the log-in form to a slider of lesson 00, which opens by itself."""
    with chromium(chromium_path) as page:
        page.goto(class_hub.url)
        page.get_by_label("Username").fill("berta")
        page.get_by_label("Password").fill("no idea")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Invalid username or password")).to_be_visible()
        page.get_by_label("Username").fill("berta")
        page.get_by_label("Password").fill(class_hub.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/user/berta/lab/tree/lessons/{LESSON}", timeout=120_000)
        mine = Server(f"{class_hub.url}/user/berta", token="")
        notebook = Notebook(page, mine, f"lessons/{LESSON}")
        notebook.run_all()
        explorer = notebook.cell_with_text("depth_explorer()")
        line = explorer.get_by_role("status").text_content()
        explorer.get_by_role("slider").first.press("ArrowRight")
        expect(explorer.get_by_role("status")).not_to_have_text(line)
        notebook.close()


def test_a_wrong_password_is_refused(class_hub):
    with pytest.raises(requests.HTTPError, match="403"):
        Student(class_hub.url, "eve").log_in("wrong")


def test_no_other_student_s_server(class_hub, student):
    ann, bob = student("ann"), student("bob")
    for headers in ({"Authorization": f"token {ann.token}"}, {}):
        answer = requests.get(f"{class_hub.url}/user/bob/api/contents", headers=headers, timeout=60)
        assert answer.status_code == 403
    assert bob.ask("GET", "api/contents")["type"] == "directory"


def test_a_student_is_no_teacher(class_hub, student):
    answer = student("ann").session.get(f"{class_hub.url}/hub/api/users", timeout=60)
    assert answer.status_code == 403


def test_the_teacher_sees_all_students(class_hub, student):
    student("ann")
    teacher = Student(class_hub.url, "teacher")
    teacher.log_in(class_hub.password_of("teacher"))
    users = teacher.session.get(f"{class_hub.url}/hub/api/users", timeout=60).json()
    assert {"ann", "teacher"} <= {user["name"] for user in users}
    with pytest.raises(requests.HTTPError, match="403"):
        Student(class_hub.url, "teacher").log_in(class_hub.password)


def test_a_killed_server_comes_back_with_the_student_s_file(class_hub, student):
    ann = student("ann")
    place, mine = f"api/contents/lessons/{LESSON}", nbformat.v4.new_notebook()
    mine.cells.append(nbformat.v4.new_markdown_cell("my answers"))
    ann.ask("PUT", place, json={"type": "notebook", "content": mine})
    killed = [p for p in class_hub.servers() if p.cwd().endswith("/ann")]
    assert killed
    for process in killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: not ann.is_ready(), 60)
    ann.start_server()
    [cell] = ann.ask("GET", place)["content"]["cells"]
    assert cell["source"] == "my answers"
    ann.open_kernel()
    assert ann.run("print(6 * 7)") == "42\n"


def test_too_large_an_array_ends_in_a_sentence(student):
    with pytest.raises(CellError, match="MemoryError: Unable to allocate 7.45 GiB"):
        student("ann").run("import numpy as np\nnp.ones(10**9)")
    assert student("ann").run("print('alive')") == "alive\n"


def test_a_full_disk_ends_in_a_sentence(class_hub):
    carla = Student(class_hub.url, "carla")
    class_hub.full.touch()
    try:
        with pytest.raises(requests.HTTPError, match="507") as refused:
            carla.log_in(class_hub.password)
    finally:
        class_hub.full.unlink()
    assert "The disk of this hub is full. Please tell your teacher." in refused.value.response.text
    carla.log_in(class_hub.password)
    carla.start_server()
    assert carla.ask("GET", "api/contents/lessons")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_kernels_live_on_while_the_hub_is_restarted(class_hub, student, how):
    bob = student("bob")
    bob.run("x = 41")
    class_hub.stop(how)
    class_hub.start()
    bob.connect()
    assert bob.run("print(x + 1)") == "42\n"


def wait_until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)
