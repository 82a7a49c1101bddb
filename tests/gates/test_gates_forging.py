"""Trees that try to look green (gates §5, guards 2 to 5), and what comes of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.gates import Environment, Gate, Place, discover, run_gates
from devloop.gates.evidence import ReportDir
from devloop.gates.run import run_at
from devloop.sandbox import Mount, detect
from devloop.settings import GateSettings

Tree = Callable[..., Path]
Places = Callable[..., Place]

PASSED = '<testsuite tests="1" failures="0" errors="0"><testcase classname="c" name="a"/></testsuite>'
FAILING = "def test_real():\n    assert False\n"


def gate(command: tuple[str, ...]) -> Gate:
    return Gate("unit", "tests", command, "junit", origin="declared", timeout_s=30)


async def test_2_what_lies_in_the_persons_checkout_does_not_count(tree: Tree, place: Places) -> None:
    """The gate runs on the tree, seen at the person's path: their untracked, ignored files are not there."""
    where = place(tree({"test_a.py": "import helper\n\ndef test_a(): assert helper.fine\n"}))
    (where.view / "helper.py").write_text("fine = True\n")
    (where.view / "conftest.py").write_text("import sys\n")
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert result.verdict == "fail" and "could not be collected" in result.reason


async def test_3_the_work_cannot_change_its_own_command(tree: Tree, place: Places) -> None:
    """Commands come from the base tree (or trusted settings); the work's configuration is never asked."""
    base = tree({"test_a.py": FAILING, "pyproject.toml": "[tool.pytest.ini_options]\n"}, "base")
    work = tree(
        {"test_a.py": FAILING, ".devloop/config.toml": '[gates.pytest]\ncommand = ["sh", "-c", "echo THEIRS"]\n'},
        "work",
    )
    own = GateSettings(command=("pytest", "-q"), kind="tests", report="junit")
    (declared,) = discover(base, {"pytest": own}).gates
    assert declared.command == ("pytest", "-q")
    (result,) = await run_gates(discover(base).gates, place(work))
    assert result.verdict == "fail" and "THEIRS" not in result.output_tail


@pytest.mark.parametrize("name", ["pytest.py", "mypy.py", "ruff.py", "runpy.py", "sitecustomize.py"])
async def test_3_a_module_in_the_tree_does_not_become_the_tool(name: str, tree: Tree, place: Places) -> None:
    evil = f"import os\nos.write(1, b'EVIL ' + {name!r}.encode())\nos._exit(0)\n"
    files = {"test_a.py": FAILING, "a.py": "import os\n", name: evil, "ruff.toml": "", "mypy.ini": "[mypy]\n"}
    files["a.py"] = "import os\nx: int = ''\n"
    where = place(tree(files))
    gates = [
        g
        for g in discover(where.checkout).gates
        if g.name == (name[:-3] if name[:-3] in ("mypy", "ruff") else "pytest")
    ]
    (result,) = await run_gates(gates, where)
    assert "EVIL" not in result.output_tail
    assert result.verdict == "fail", result.reason


async def test_4_a_report_that_the_tree_brings_along_is_not_believed(tree: Tree, place: Places) -> None:
    body = '#!/bin/sh\ncp -p junit.xml "$1"\nexit 0\n'
    root = tree({"run.sh": body, "junit.xml": PASSED})
    os.utime(root / "junit.xml", (time.time() - 3600,) * 2)
    result = await run_at(gate(("./run.sh", "{out}/junit.xml")), place(root))
    assert result.verdict == "error" and "older than the start" in result.reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('ln -s "$PWD/junit.xml" "$1"', "symbolic link"),
        ('cp junit.xml "$1"; ln "$1" "$1.second"', "hard link"),
        ('mkfifo "$1"', "no regular file"),
        ('mkdir "$1"', "no regular file"),
        ('ln -s /etc/passwd "$1"', "symbolic link"),
    ],
)
async def test_4_a_report_that_is_no_plain_file_is_refused(body: str, words: str, tree: Tree, place: Places) -> None:
    root = tree({"run.sh": f"#!/bin/sh\n{body}\nexit 0\n", "junit.xml": PASSED})
    result = await run_at(gate(("./run.sh", "{out}/junit.xml")), place(root))
    assert result.verdict == "error" and words in result.reason


async def test_4_a_linked_folder_on_the_way_to_the_report_is_refused(tree: Tree, place: Places) -> None:
    body = '#!/bin/sh\nln -s "$PWD" "$(dirname "$1")/sub"\nexit 0\n'
    root = tree({"run.sh": body, "junit.xml": PASSED})
    made = Gate("unit", "tests", ("./run.sh", "{out}/x"), "junit", report_file="sub/junit.xml", origin="declared")
    result = await run_at(made, place(root))
    assert result.verdict == "error" and "symbolic link" in result.reason


@pytest.mark.parametrize("path", ["../junit.xml", "/etc/passwd", "{out}/../x"])
async def test_4_a_report_outside_its_directory_is_refused(path: str, tree: Tree, place: Places) -> None:
    made = Gate("unit", "tests", ("true",), "junit", report_file=path, origin="declared")
    result = await run_at(made, place(tree({"x": ""})))
    assert result.verdict in ("error", "unknown") and result.verdict != "pass"
    assert result.report_sha256 is None


async def test_4_a_report_that_waits_at_a_guessed_place_is_not_found(tree: Tree, place: Places, tmp_path: Path) -> None:
    for name in ("gate", "gate-", "gate-0", "gate-1"):
        waiting = tmp_path / "state" / "reports" / name / "out" / "junit.xml"
        waiting.parent.mkdir(parents=True)
        waiting.write_text(PASSED)
        os.utime(waiting, (time.time() + 600,) * 2)
    result = await run_at(gate(("true", "{out}/junit.xml")), place(tree({"x": ""})))
    assert result.verdict == "unknown" and "missing" in result.reason


def test_4_the_directory_is_new_private_and_of_a_name_nobody_knows(tmp_path: Path) -> None:
    first, second = ReportDir.make(tmp_path / "reports"), ReportDir.make(tmp_path / "reports")
    assert first.path != second.path and first.module != second.module
    assert first.path.stat().st_mode & 0o777 == 0o700 and list(first.out.iterdir()) == []


CONFTESTS = {
    "exit code 0 by force": ("import os\ndef pytest_sessionfinish(): os._exit(0)\n", ("unknown", "error")),
    "session made green": (
        "import pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session): session.exitstatus = 0\n",
        ("error", "unknown"),
    ),
    "plug-in thrown out": (
        "def pytest_sessionstart(session):\n"
        "  plugins = session.config.pluginmanager\n"
        "  for p in list(plugins.get_plugins()):\n"
        "    if type(p).__name__ == '_Stream': plugins.unregister(p)\n",
        ("unknown",),
    ),
    "every test deselected": ("def pytest_collection_modifyitems(items): items.clear()\n", ("unknown",)),
    "every test skipped": (
        "import pytest\ndef pytest_collection_modifyitems(items):\n  for i in items: i.add_marker(pytest.mark.skip)\n",
        ("unknown",),
    ),
    "report rewritten": (
        "import atexit, sys\n"
        "def pytest_unconfigure(config):\n"
        f"  path = config.option.xmlpath; text = {PASSED!r}\n"
        "  atexit.register(lambda: open(path, 'w').write(text))\n",
        ("error", "unknown"),
    ),
    "report rewritten and exit code forced": (
        "import os\n"
        "def pytest_unconfigure(config):\n"
        f"  open(config.option.xmlpath, 'w').write({PASSED!r}); os._exit(0)\n",
        ("unknown",),
    ),
}


@pytest.mark.parametrize("attack", CONFTESTS)
async def test_5_a_conftest_that_lies_is_contradicted_by_another_witness(
    attack: str, tree: Tree, place: Places
) -> None:
    text, verdicts = CONFTESTS[attack]
    where = place(tree({"conftest.py": text, "test_a.py": FAILING}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert result.verdict in verdicts, (result.verdict, result.reason)


async def test_5_what_was_said_once_can_not_be_taken_back(tree: Tree, place: Places) -> None:
    """Report, exit code and the events of the session are made up together, after the session has said its own."""
    events = [
        {"event": "collected", "count": 1},
        {"event": "test", "id": "c.py::a", "when": "call", "outcome": "passed"},
        {"event": "probe", "outcome": "failed"},
        {"event": "finish", "exit": 0},
    ]
    said = "".join(json.dumps(event) + "\n" for event in events)
    text = (
        "import os\ndef pytest_unconfigure(config):\n"
        f"  path = config.option.xmlpath; open(path, 'w').write({PASSED!r})\n"
        f"  open(os.path.join(os.path.dirname(path), 'stream'), 'w').write({said!r}); os._exit(0)\n"
    )
    where = place(tree({"conftest.py": text, "test_a.py": FAILING}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert result.verdict == "unknown" and "the event stream goes on after its end" in result.reason


async def test_5_pytest_options_in_the_tree_cannot_switch_the_witnesses_off(tree: Tree, place: Places) -> None:
    ini = "[pytest]\naddopts = --junitxml=/tmp/elsewhere.xml --junit-prefix=p -o junit_family=legacy\n"
    where = place(tree({"pytest.ini": ini, "test_a.py": "def test_a(): pass\n"}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert (result.verdict, dict(result.tests)) == ("pass", {"test_a.py::test_a": "passed"}), result.reason
    (where.checkout / "pytest.ini").write_text("[pytest]\naddopts = -p no:junitxml\n")
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert result.verdict == "unknown" and "missing" in result.reason


async def test_a_gate_that_rewrites_the_tree_leaves_none_for_the_next(tree: Tree, place: Places) -> None:
    """A test that repairs the sources must not make a later gate green."""
    where = place(tree({"test_a.py": "def test_a(): open('a.py', 'w').write('')\n", "a.py": "bad\n"}))
    gates = [*discover(where.checkout).gates, Gate("z", "other", ("true",), origin="declared")]
    results = await run_gates(gates, where)
    assert [r.verdict for r in results] == ["pass", "error"]
    assert "changed the checkout (a.py)" in results[1].reason and "a.py" in results[0].notes[0]


async def test_a_new_checkout_is_asked_for_after_a_gate_wrote_into_the_tree(tree: Tree, place: Places) -> None:
    files = {"test_a.py": "def test_a(): open('evil.py', 'w').write('')\n"}
    where = place(tree(files))
    asked: list[Path] = []

    async def renew() -> Path:
        asked.append(tree(files, f"fresh{len(asked)}"))
        return asked[-1]

    gates = [*discover(where.checkout).gates, Gate("z", "other", ("test", "!", "-e", "evil.py"), origin="declared")]
    results = await run_gates(gates, where, renew=renew)
    assert [r.verdict for r in results] == ["pass", "pass"] and len(asked) == 1


async def test_lint_and_type_gates_cannot_write_into_the_tree(tree: Tree, place: Places) -> None:
    plugin = "open('a.py', 'w').write('')\n"
    where = place(tree({"mypy.ini": "[mypy]\nplugins = ./evil.py\n", "evil.py": plugin, "a.py": "x: int = ''\n"}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert (where.checkout / "a.py").read_text() == "x: int = ''\n" and result.verdict != "pass"


@pytest.mark.parametrize("way", ["pth", "finder"])
async def test_an_editable_install_resolves_to_the_tree_under_test(
    way: str, tree: Tree, place: Places, venv: Callable[..., Environment]
) -> None:
    """The environment points at the person's checkout; inside the sandbox that is where the work is."""
    test = "import thing\n\ndef test_which(): assert thing.where == 'tree', thing.__file__\n"
    person = tree({"src/thing.py": "where = 'person'\n", "tests/test_a.py": test}, "person")
    work = tree({"src/thing.py": "where = 'tree'\n", "tests/test_a.py": test}, "work")
    finder = (
        "import sys, importlib.util\n"
        f"MAPPING = {{'thing': {str(person / 'src' / 'thing')!r}}}\n"
        "class F:\n"
        "  @classmethod\n"
        "  def find_spec(cls, name, path=None, target=None):\n"
        "    if name in MAPPING: return importlib.util.spec_from_file_location(name, MAPPING[name] + '.py')\n"
        "def install(): sys.meta_path.append(F)\n"
    )
    files = {
        "pth": {"_thing.pth": f"{person / 'src'}\n"},
        "finder": {
            "__editable___thing_finder.py": finder,
            "__editable__.thing.pth": "import __editable___thing_finder; __editable___thing_finder.install()\n",
            "thing-1.0.dist-info/direct_url.json": f'{{"url": "{person.as_uri()}", "dir_info": {{"editable": true}}}}',
        },
    }[way]
    environment = venv(person, files)
    where = place(work, environment=environment)
    (result,) = await run_gates(discover(work).gates, where)
    assert result.verdict == "pass", result.output_tail
    assert environment.root == person / ".venv" and not (work / ".venv").exists()
    bare = place(work, environment=environment, backend=(await detect("none")).backend)
    (refused,) = await run_gates(discover(work).gates, bare)
    assert refused.verdict == "error" and "without the full sandbox" in refused.reason


async def test_a_folder_that_site_packages_names_is_not_shown_and_a_note_says_so(
    tree: Tree, place: Places, venv: Callable[..., Environment]
) -> None:
    """A `.pth` line can name anything, a folder of keys as well as a sibling project."""
    keys = tree({"credentials": "secret"}, ".aws")
    person = tree({}, "person")
    work = tree({"test_a.py": f"import os\n\ndef test_a(): assert not os.path.exists({str(keys)!r})\n"})
    environment = venv(person, {"x.pth": "../../../../../.aws\n"})
    assert [editable.path for editable in environment.editables] == [keys]
    (result,) = await run_gates(discover(work).gates, place(work, environment=environment))
    assert result.verdict == "pass", result.output_tail
    assert [note for note in result.notes if str(keys) in note and "not shown" in note and "sandbox.read_only" in note]


async def test_an_editable_install_from_elsewhere_that_the_person_lists_is_read_only_with_a_note(
    tree: Tree, place: Places, venv: Callable[..., Environment]
) -> None:
    sibling = tree({"lib/other.py": "x = 1\n"}, "sibling")
    person = tree({}, "person")
    test = "import other, pytest\n\ndef test_a():\n    with pytest.raises(OSError): open(other.__file__, 'w')\n"
    work = tree({"test_a.py": test})
    environment = venv(person, {"other.pth": f"{sibling / 'lib'}\n"})
    listed = (Mount(sibling, sibling),)
    (result,) = await run_gates(discover(work).gates, place(work, environment=environment, mounts=listed))
    assert result.verdict == "pass", result.output_tail
    assert [note for note in result.notes if str(sibling / "lib") in note and "read-only" in note]
    assert not any("not shown" in note for note in result.notes)


async def test_a_tree_that_puts_something_in_place_of_the_environment_is_an_error(
    tree: Tree, place: Places, venv: Callable[..., Environment]
) -> None:
    person = tree({}, "person")
    environment = venv(person, {})
    work = tree({"test_a.py": "def test_a(): pass\n"})
    (work / ".venv").symlink_to("/etc")
    (result,) = await run_gates(discover(work).gates, place(work, environment=environment))
    assert result.verdict == "error" and ".venv" in result.reason
