"""Which files a check's command runs, told from its words."""

from __future__ import annotations

import time

import pytest

from devloop.gates.guard_commands import run_by

TREE = {
    "package.json": (
        '{"scripts": {"test": "node scripts/t.js && npm run lint", "lint": "eslint -c cfg/e.json src", "x": "sh r.sh"}}'
    ),
    "Makefile": "all: build\n\ntest: lint\n\tpython tools/t.py\nlint:\n\t@sh scripts/lint.sh src\nx:\n\tsh rel.sh\n",
    "scripts/lint.sh": "#!/bin/sh\n# sh not.sh\ncd sub && ./inner.sh \\\n  x\nA=1 python3 -m tools.check src/app.py\n",
}
LINT = {"scripts/lint.sh", "sub/inner.sh", "tools/check.py", "tools/check/__main__.py"}


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (("sh", "scripts/lint.sh"), LINT),
        (("make", "test"), LINT | {"tools/t.py"}),
        (("npm", "test"), {"scripts/t.js", "cfg/e.json"}),
        (("./gradlew", "test"), {"gradlew"}),
        (("timeout", "60", "bash", "-eu", "/r/a.sh"), {"a.sh"}),
        (("bash", "-c", "cd a && ./x.sh"), {"a/x.sh"}),
        (("uv", "run", "python", "check.py"), {"check.py"}),
        (("coverage", "run", "run_tests.py"), {"run_tests.py"}),
        (("ruff", "check", "--config=x/r.toml", "src"), {"x/r.toml"}),
        (("mypy", "app.py"), set()),
        (("pytest", "tests/test_x.py"), set()),
        (("/usr/bin/node", "--test"), set()),
        (("sh", "../out.sh"), set()),
    ],
)
def test_what_a_command_runs_is_told_and_what_it_looks_at_is_not(command: tuple[str, ...], files: set[str]) -> None:
    found = run_by(command, "/r", TREE.get)
    assert {path for path in found if " " not in path} == files


def test_scripts_that_run_each_other_without_end_are_read_once() -> None:
    hostile = {
        "a.sh": "sh a.sh; " * 9000,
        "Makefile": "a:\n" + "\tmake\n" * 9000,
        "package.json": '{"scripts": {"test": "npm test"}}',
    }
    begun = time.process_time()
    for command in (("sh", "a.sh"), ("make",), ("npm", "test")):
        run_by(command, "/r", hostile.get)
    assert time.process_time() - begun < 3
