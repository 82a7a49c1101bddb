"""Any path in any worktree: the result lies inside, or there is a `Problem`; nothing outside is read or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from devloop import beneath
from devloop.openat2 import has_openat2
from devloop.tools import PROTECTED
from devloop.tools.confine import Confined
from devloop.tools.inputs import EditFile, ListFiles, ReadFile, WriteFile
from devloop.tools.model import Problem
from devloop.tools.reading import list_files, read_file
from devloop.tools.searching import _candidates
from devloop.tools.writing import edit_file, write_file
from devloop.workspace.safe_remove import remove_tree
from support.fuzz import Part, parts

VIEW = Path("/home/somebody/project")
ACCENT = unicodedata.normalize("NFC", "é")
NAMES = (
    *("a", "A", "dir", "DIR", "file", "file.py", "link", "out", "x" * 255, "x" * 256, "ſ", "K", "~", "-", " ", "*"),
    *(ACCENT, unicodedata.normalize("NFD", ACCENT), "\u0130", "\u2060a", "a\u200b", "con", "nul.txt", "a:b", "a\\b"),
    *(".git", ".GIT", ".Git ", ".git.", "git~1", "GIT~2", ".g\u200cit", ".git::$INDEX_ALLOCATION", ".git\\config"),
    *(
        ".devloop",
        ".DevLoop",
        ".vscode",
        ".v\u017fcode",
        ".envrc",
        ".ENVRC",
        ".claude",
        ".mcp.json",
        ".worktreeinclude",
    ),
    *("config", "hooks", "outside", "worktree", "proc", "self", "etc", "passwd"),
)
STEPS = ("..", ".", "", "...", "\0", "\udc80", "\ud800", "\n", "\u202e")
INSIDE, TWIN, SECRET, OWN = "inside\n", "twin\n", "outside-secret", "protected-secret"


@pytest.fixture(params=["openat2", "by component"])
def kernel(request, monkeypatch):
    if request.param == "openat2" and not has_openat2():
        pytest.skip("this kernel has no openat2")
    monkeypatch.setattr(beneath, "has_openat2", lambda: request.param == "openat2")
    return request.param == "openat2"


@pytest.fixture
def ground() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)
        remove_tree(Path(name, "worktree"))  # it may be deeper than Python calls itself


def laid_out(base: Path, random: Random) -> Path:
    """A worktree with up to a dozen things in it, and what no one may read or change beside it and protected in it."""
    remove_tree(base / "worktree")
    worktree, outside = base / "worktree", base / "outside"
    if not outside.exists():
        (outside / "dir").mkdir(parents=True)
        for name in ("file", "dir/file", "config"):
            (outside / name).write_text(SECRET)
        (outside / SECRET).touch()
    (base / "twin").write_text(TWIN)
    folders = [worktree]
    for name in (".git", ".devloop", ".vscode"):
        if random.random() < 0.5:
            (worktree / name).mkdir(parents=True)
            (worktree / name / "config").write_text(OWN)
    worktree.mkdir(exist_ok=True)
    for _ in range(random.randrange(12)):
        place = random.choice(folders) / random.choice(NAMES)
        if any(part.casefold().startswith(".git") for part in place.parts):
            continue
        try:
            match random.randrange(8):
                case 0 | 1:
                    place.mkdir()
                    folders.append(place)
                case 2 | 3:
                    with place.open("x") as stream:  # over nothing: a FIFO that is there would be waited for
                        stream.write(INSIDE)
                case 4:
                    os.link(base / "twin", place)
                case 5:
                    os.mkfifo(place)
                case _:
                    place.symlink_to(target(base, place, random))
        except OSError:  # it is there already, or too long
            continue
    return worktree


def target(base: Path, place: Path, random: Random) -> str:
    up = "../" * random.randrange(5)
    name = random.choice(NAMES).replace("\0", "")
    return random.choice(
        (
            *(f"{base}/outside", f"{base}/outside/file", f"{up}outside/file", f"{up}outside", f"{up}{name}", name),
            *(f"{base}/worktree/{name}", f"{base}/outside/new", "/proc/self/root", "/dev/zero", "/dev/stdin"),
            *(place.name, "..", ".", "/", "/etc/passwd", f"/proc/self/cwd/{name}", f"{up}worktree/../outside/file"),
        )
    )


def any_path(base: Path, random: Random) -> str:
    if random.random() < 0.1:
        return "".join(chr(random.choice((random.randrange(128), random.randrange(0x110000)))) for _ in range(12))
    if random.random() < 0.02:
        return random.choice(("a/", "../", "dir/../", "./")) * random.randrange(2500) + "file"
    pieces = [random.choice(STEPS if random.random() < 0.25 else NAMES) for _ in range(random.randrange(1, 6))]
    head = random.choice(
        ("", "", "", "/", f"{VIEW}/", f"{VIEW}/../", f"{base}/outside/", f"{base}/worktree/", "~/", "//")
    )
    return head + "/".join(pieces)


def seen_outside(base: Path) -> list[tuple[object, ...]]:
    """Everything beside the worktree: names, kinds, times of change and content."""
    found = []
    for folder, _, files in sorted(os.walk(base / "outside")):
        for name in (".", *sorted(files)):
            path = Path(folder, name)
            status = path.lstat()
            found.append((str(path), status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino))
    return [*found, (base / "twin").read_text(), sorted(each.name for each in base.iterdir())]


def protected_in(worktree: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in (".git", ".devloop", ".vscode"):
        if not (worktree / name).is_symlink() and (worktree / name).is_dir():
            found |= {str(each): each.read_text() for each in sorted((worktree / name).iterdir()) if each.is_file()}
    return found


@pytest.mark.parametrize("part", parts(8))
def test_any_path_in_any_worktree_stays_inside_or_is_a_problem(part: Part, kernel, ground, record_property):
    def check(random: Random) -> None:
        worktree, path = laid_out(ground, random), any_path(ground, random)
        before, own = seen_outside(ground), protected_in(worktree)
        begin, worked = time.monotonic(), time.process_time()
        with Confined(worktree, VIEW, kernel=kernel, protected=PROTECTED) as files:
            acts = (
                lambda: read_file(ReadFile(path=path), files).content,
                lambda: write_file(WriteFile(path=path, content="new\n"), files).content,
                lambda: edit_file(EditFile(path=path, old_string="in", new_string="out"), files).content,
                lambda: list_files(ListFiles(pattern="**", path=path), files).content,
                lambda: list_files(ListFiles(pattern=path[:900] or "*"), files).content,
                lambda: str(files.exists(files.split(path))),
            )
            for act in random.sample(acts, 3):
                try:
                    answer = act()
                except Problem as problem:
                    answer = str(problem).partition(" symbolic link to ")[0]
                except ValueError as problem:  # the model's input was refused before the tool began
                    if type(problem).__name__ != "ValidationError":
                        raise
                    continue
                assert SECRET not in answer.replace(path, "")
        assert time.process_time() - worked < 5, "something costs too much"
        assert time.monotonic() - begin < 60, "something was waited for"  # others run too
        assert seen_outside(ground) == before
        assert protected_in(worktree) == own

    part.inputs(f"paths in worktrees, {'openat2' if kernel else 'by component'}", 250, 100_000, record_property, check)


@pytest.mark.parametrize("part", parts(4))
@pytest.mark.parametrize("descriptors", [True, False], ids=["by descriptors", "by name"])
def test_whatever_devloop_itself_opens_stays_inside_or_is_an_error(
    part: Part, descriptors, kernel, ground, monkeypatch, record_property
):
    """`by name` is the weaker way of systems without descriptors of folders: without races it has to hold as well."""
    if not descriptors and kernel:
        pytest.skip("there is no openat2 without descriptors")
    monkeypatch.setattr(beneath, "DESCRIPTORS", descriptors)

    def check(random: Random) -> None:
        worktree, path = laid_out(ground, random), any_path(ground, random)
        before, links = seen_outside(ground), random.random() < 0.6
        acts = (
            lambda: beneath.read(worktree, path, 100_000, links=links).decode("utf-8", "replace"),
            lambda: beneath.write(worktree, path, b"new\n", links=links, new=random.random() < 0.5),
            lambda: str(beneath.entries(worktree, path, links=links)),
            lambda: beneath.remove(worktree, path),
            lambda: str(beneath.is_file(worktree, path, links=links)),
        )
        for act in random.sample(acts, 3):
            try:
                answer = act() or ""
            except OSError:
                continue
            assert SECRET not in answer
        assert seen_outside(ground) == before

    label = f"paths of devloop, {'openat2' if kernel else 'by component' if descriptors else 'by name'}"
    part.inputs(label, 150, 50_000, record_property, check)


def test_search_reads_only_names_of_files_inside(ground, make):
    random = Random(7)
    for _ in range(40):
        worktree = laid_out(ground, random)
        from devloop.tools.inputs import Search

        context = make(worktree=worktree).context
        for name in _candidates(Search(pattern="x"), context)[0]:
            assert (worktree / name).is_file() and not (worktree / name).is_symlink()
            assert worktree.resolve() in (worktree / name).resolve().parents


ALIAS = """
import sys
from pathlib import Path
from devloop.tools import PROTECTED
from devloop.tools.confine import Confined
from devloop.tools.model import Problem
root = Path(sys.argv[1])
for kernel in (True, False):
    with Confined(root, root, protected=PROTECTED, kernel=kernel) as files:
        for path in ("alias/config.toml", "alias/new/file", "other", "fine"):
            try:
                files.replace(files.split(path), b"changed")
                print(path, "written")
            except Problem as problem:
                print(path, "refused:", problem)
"""


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="needs Linux' unshare")
def test_what_is_protected_is_known_by_any_name_that_the_file_system_has_for_it(ground):
    """A folder that is mounted at a second name stands for a file system that takes several spellings for one."""
    worktree = ground / "worktree"
    for name in (".devloop", "alias"):
        (worktree / name).mkdir(parents=True)
    (worktree / ".devloop/config.toml").write_text("mine")
    (worktree / ".envrc").write_text("mine")
    (worktree / "other").touch()
    mount = f"cd '{worktree}' && mount --bind .devloop alias && mount --bind .envrc other && exec \"$@\""
    words = ["unshare", "-rm", "sh", "-c", mount, "sh", sys.executable, "-P", "-c", ALIAS, str(worktree)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unshare" in ended.stderr or "mount" in ended.stderr:
        pytest.skip(f"no mounts of one's own here: {ended.stderr.strip()}")
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *("alias/config.toml refused", "alias/new/file refused", "other refused", "fine written")
    ] * 2
    assert "is .devloop by another name" in lines[0] and "is .envrc by another name" in lines[2]
    assert sorted(each.name for each in (worktree / ".devloop").iterdir()) == ["config.toml"]
    assert {(worktree / name).read_text() for name in (".devloop/config.toml", ".envrc")} == {"mine"}
