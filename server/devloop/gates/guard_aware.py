"""Code that asks whether it is being tested, reaches into what tests it, or equals whatever it is compared with: by the
lines of a diff. Pure."""

from __future__ import annotations

import re
from typing import Final

from devloop.gates.guard_files import is_test
from devloop.gates.patch import FileDiff, Line

_AWARE: Final = re.compile(
    r"\bPYTEST_(?:CURRENT_TEST|VERSION|XDIST\w*)\b|\bDEVLOOP_GATE|devloop[_-]gate|\bjunit_?xml\b|\bxmlpath\b|\bos\._exit\s*\("
    r"|\bimport\b[^#]{0,80}\b_exit\b|\bgetattr\([^()]{0,40},\s*+['\"]_exit\b|\brequest\.session\.(?:items\b(?!\()|shouldstop\b|shouldfail\b|testsfailed\b)"
    r"|\bfrom\s+_pytest\b|\bimport\s+_pytest\b|\b_pytest\.\w|\bpluggy\b|sys\.modules\b.{0,40}(?:pytest|unittest)"
    r"|(?:pytest|unittest).{0,20}\bin\s+sys\.modules|\bgc\.get_objects\s*\(|\bsys\.meta_path\b|\bos\.dup2\s*\("
    r"|\bpytest_(?:runtest|collection|sessionfinish|unconfigure|configure|report|terminal|exception|pyfunc)\w*\b"
    r"|\bpytest_plugins\b|\bpytest11\b|\bdef\s+load_tests\b|process\.env(?:\.|\[['\"])(?:JEST_WORKER_ID|VITEST\w*)|NODE_ENV['\"\])]*\s*[!=]==?\s*['\"]test"
    r"|\bimport\.meta\.vitest\b|\btesting\.Testing\(\)|\bflag\.Lookup\(\s*\"test\.|\bnot\(test\)"
    r"|\bcfg!\(test\)|\bcfg_attr\(test\b"
)
"""Code that asks whether it is being tested, or reaches into what tests it."""
_RUNNER_IN_SOURCE: Final = re.compile(
    r"^\s*(?:import|from)\s+pytest\b|__import__\(\s*['\"]_?pytest|import_module\(\s*['\"]_?pytest"
)
_EQUAL_TO_ALL: Final = re.compile(
    r"^\s*(?:def\s+__(?:eq|contains|l[te]|g[te])__\s*\(|__(?:eq|contains)__\s*=\s*lambda)"
)
_TRUE: Final = re.compile(r"(?:\breturn|\blambda\b[^:]*:)\s+(?:True|1|not\s+(?:False|0|None))\b")


def asking(file: FileDiff) -> list[tuple[Line, str]]:
    """New lines that do, with what they say."""
    before = {_flat(line.text) for line in file.removed}
    patterns = (_AWARE,) if is_test(file.new) else (_AWARE, _RUNNER_IN_SOURCE)
    found = []
    for at, line in enumerate(file.added):
        if _flat(line.text) in before:
            continue
        if any(pattern.search(line.text) for pattern in patterns):
            found.append((line, line.text))
        elif _EQUAL_TO_ALL.match(line.text):
            following = " ".join(each.text for each in file.added[at : at + 3])
            if _TRUE.search(following):
                found.append((line, f"equal to everything: {following}"))
    return found


def _flat(text: str) -> str:
    return " ".join(text.split())
