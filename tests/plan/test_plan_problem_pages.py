"""Every code that a plan can get is explained, and none that nothing says."""

from __future__ import annotations

import re
from pathlib import Path

from devloop import plan, shipped

ELSEWHERE = {"checkpoint", "more-problems", "sandbox-off", "sandbox-degraded"}
"""Said by the language server."""


def test_every_problem_has_a_section_and_no_section_is_left_over() -> None:
    sections = re.findall(r"^## ([a-z0-9-]+)$", shipped.problems().read_text(encoding="utf-8"), re.MULTILINE)
    sources = [path.read_text(encoding="utf-8") for path in Path(plan.__file__).parent.glob("problems*.py")]
    everywhere = Path(plan.__file__).parent.parent.rglob("*.py")  # skills, agents, settings, hooks, state files
    said = "\n".join(path.read_text(encoding="utf-8") for path in everywhere)
    quoted = set(re.findall(r"\"([a-z0-9]+(?:-[a-z0-9]+)*)\"", said))
    assert len(sections) == len(set(sections))
    assert set(sections) - ELSEWHERE <= quoted | {"duplicate-id"}
    codes = {code for text in sources for code in re.findall(r"Problem\(\s*\"([a-z0-9-]+)\"", text)}
    assert codes <= set(sections)
