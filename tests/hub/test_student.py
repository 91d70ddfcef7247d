"""hub/student.py: a student gets every lesson, and keeps what is the student's."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NOTEBOOKS, ROOT

resource = pytest.importorskip("resource", reason="JupyterHub does not run on Windows")
spec = importlib.util.spec_from_file_location("student", ROOT / "hub" / "student.py")
student = importlib.util.module_from_spec(spec)
spec.loader.exec_module(student)


@pytest.fixture
def lessons(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00_a", "01_b"):
        (folder / f"{name}.ipynb").write_text("version 1")
    return folder


@pytest.fixture
def mine(lessons, tmp_path):
    """The folder of a student who has been given the lessons."""
    student.give(lessons, tmp_path / "home" / "lessons")
    return tmp_path / "home" / "lessons"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*.ipynb"))}


def test_the_first_login_copies_every_lesson(tmp_path):
    written = student.give(NOTEBOOKS, tmp_path / "lessons")
    assert [path.name for path in written] == sorted(p.name for p in NOTEBOOKS.glob("*.ipynb"))
    assert all(path.read_bytes() == (NOTEBOOKS / path.name).read_bytes() for path in written)


def test_the_next_login_leaves_everything(lessons, mine):
    (mine / "00_a.ipynb").write_text("my answers")
    (mine / "notes.txt").write_text("mine, too")
    assert student.give(lessons, mine) == []
    assert contents(mine) == {"00_a.ipynb": "my answers", "01_b.ipynb": "version 1"}
    assert (mine / "notes.txt").read_text() == "mine, too"


def test_a_new_version_comes_beside_what_the_student_has_changed(lessons, mine):
    (mine / "00_a.ipynb").write_text("my answers")
    for lesson in lessons.iterdir():
        lesson.write_text("version 2")
    written = student.give(lessons, mine)
    assert [path.name for path in written] == ["00_a-new.ipynb", "01_b.ipynb"]
    assert contents(mine) == {
        "00_a-new.ipynb": "version 2",
        "00_a.ipynb": "my answers",
        "01_b.ipynb": "version 2",
    }
    assert student.give(lessons, mine) == []


def test_a_lesson_that_was_deleted_comes_back(lessons, mine):
    (mine / "00_a.ipynb").unlink()
    assert [path.name for path in student.give(lessons, mine)] == ["00_a.ipynb"]


def test_without_its_record_it_overwrites_nothing(lessons, mine):
    (mine / student.RECORD).write_text("{ damaged")
    (mine / "00_a.ipynb").write_text("my answers")
    assert [path.name for path in student.give(lessons, mine)] == ["00_a-new.ipynb"]
    assert contents(mine)["00_a.ipynb"] == "my answers"


EVENT = st.one_of(
    st.tuples(st.just("teacher"), st.integers(0, 3)),
    st.tuples(st.just("student"), st.integers(0, 3)),
    st.tuples(st.just("delete"), st.just(0)),
    st.tuples(st.just("login"), st.just(0)),
)


@settings(deadline=None)
@given(events=st.lists(EVENT, max_size=12))
def test_whatever_happens_nothing_of_the_student_is_lost(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("hub")
    lesson, home = folder / "notebooks" / "00_a.ipynb", folder / "home"
    lesson.parent.mkdir()
    lesson.write_text("version 0")
    student.give(lesson.parent, home)
    mine, last = set(), lesson.read_text()
    for what, number in events:
        if what == "teacher":
            lesson.write_text(f"version {number}")
        elif what == "student" and (home / lesson.name).exists():
            (home / lesson.name).write_text(f"answers {number}")
            mine = {f"answers {number}"}
        elif what == "delete":
            (home / lesson.name).unlink(missing_ok=True)
            mine = set()
        elif what == "login":
            new = lesson.read_text() != last or not (home / lesson.name).exists()
            last = lesson.read_text()
            student.give(lesson.parent, home)
            now = set(contents(home).values())
            assert mine <= now, "what the student wrote is there"
            assert last in now or not new, "and so is a version that the student has not had"


def test_on_a_full_disk_every_file_is_whole(lessons, mine, monkeypatch):
    for lesson in lessons.iterdir():
        lesson.write_text("version 2")

    def write_half(self, content):
        self.write_text("vers")
        raise OSError(28, "No space left on device")

    before = contents(mine)
    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="No space left"):
        student.give(lessons, mine)
    monkeypatch.undo()
    assert contents(mine) == before
    assert not [path for path in mine.iterdir() if path.suffix == ".part"]
    assert len(student.give(lessons, mine)) == 2


def test_a_full_disk_ends_in_a_sentence(monkeypatch):
    def full(*folders):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(student, "give", full)
    with pytest.raises(SystemExit, match="No space left on device. Ask your teacher"):
        student.main()


def test_the_memory_limit_of_the_hub_is_each_process_s(monkeypatch):
    calls = []
    monkeypatch.setattr(resource, "setrlimit", lambda *arguments: calls.append(arguments))
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    student.limit_memory()
    monkeypatch.setenv("MEM_LIMIT", "1000000000")
    student.limit_memory()
    assert calls == [(resource.RLIMIT_DATA, (10**9, 10**9))]
