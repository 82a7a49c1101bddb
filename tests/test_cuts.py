"""Text is cut in one place (`redact/cutting.py`), which cleans it first: half a secret would not be known for one.

Found are slices of fixed length of what is plainly a text: what a call such as `str` or `strip` gives, a parameter or a
part that is called so, or is declared as one. Not those that go straight into a pattern or a comparison, nor names that
are made of a text's letters.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

DEVLOOP = Path(__file__).parent.parent / "server" / "devloop"
GIVES_TEXT = {"str", "repr", "printable", "visible", "join", "strip", "rstrip", "lstrip", "decode", "text", "redact"}
CALLED_SO = {"text", "title", "message", "output", "summary", "reason", "stdout", "stderr", "patch", "command"}
LOOKS = {"finditer", "findall", "fullmatch", "match", "search", "sub", "split", "width", "get_close_matches"}
MAY_CUT = re.compile(r"\[[^\[]*:[^\]]*(?:[A-Z]{3}|\d\d|limit)|\[[^\[]*(?:[A-Z]{3}|\d\d|limit)[^\]]*:")
"""Lines worth parsing for, which saves most of the time."""
ALLOWED = {
    "cli/statusline.py": "knows the standard library alone; the daemon's words are clean when it reads them",
    "hooks/conditions.py": "the words of a call that a condition is compared with",
    "lsp/features/_quick_fixes.py": "compared with what the editor sends back",
    "lsp/features/_refactorings.py": "the editor's own words, for a place in the text that it has",
    "lsp/positions.py": "measured in pieces",
    "rpc.py": "the name of a method",
    "runs/hooking.py": "the name of a file, of a commit or a number",
    "tools/reading.py": "what is too long to be read ends between words: nobody sees the rest of it",
    "tools/text.py": "lines that are compared",
}


def texts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The names of a function that stand for texts."""
    given = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    declared = [each.arg for each in given if each.annotation is not None and ast.unparse(each.annotation) == "str"]
    return {*declared, *CALLED_SO}


def is_text(value: ast.AST, names: set[str]) -> bool:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
        case ast.Call(func=ast.Attribute(attr="sub")):  # a name made of letters
            return False
        case ast.Call(func=ast.Attribute(value=inner, attr=name)):
            made = any(isinstance(each, ast.Attribute) and each.attr == "sub" for each in ast.walk(inner))
            return name in GIVES_TEXT and not made and not isinstance(getattr(inner, "value", ""), bytes)
        case ast.Call(func=ast.Name(id=name)):
            return name in GIVES_TEXT
        case ast.BoolOp(values=values):
            return any(is_text(each, names) for each in values)
        case ast.BinOp(left=left, right=right):
            return is_text(left, names) or is_text(right, names)
    return isinstance(value, ast.JoinedStr)


def is_fixed(bound: ast.AST | None) -> bool:
    """A number of some size, or a constant: not a place that was found in the text."""
    parts = list(ast.walk(bound)) if bound is not None else []
    if any(isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) for each in parts):
        return False
    for each in parts:
        match each:
            case ast.Constant(value=int(number)) if number > 16:
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.lstrip("_").isupper() or name == "limit":
                return True
    return False


def cuts(source: str) -> Iterator[int]:
    """The lines in which a text is cut by hand."""
    lines = [number for number, line in enumerate(source.splitlines(), 1) if MAY_CUT.search(line)]
    for function in ast.walk(ast.parse(source)) if lines else ():
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not any(function.lineno <= line <= (function.end_lineno or 0) for line in lines):
            continue
        names = texts(function)
        calls = (each for each in ast.walk(function) if isinstance(each, ast.Call))
        looked = {id(given) for call in calls if getattr(call.func, "attr", "") in LOOKS for given in call.args}
        for each in ast.walk(function):
            if isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Slice) and id(each) not in looked:
                fixed = is_fixed(each.slice.lower) or is_fixed(each.slice.upper)
                if fixed and is_text(each.value, names):
                    yield each.lineno


def test_no_text_is_cut_by_hand():
    found = [
        f"{name}:{line}"
        for path in sorted(DEVLOOP.rglob("*.py"))
        if not (name := path.relative_to(DEVLOOP).as_posix()).startswith(("plan/", "redact/"))
        for line in sorted(set(cuts(path.read_text("utf-8"))))
    ]
    by_hand = [each for each in found if each.partition(":")[0] not in ALLOWED]
    assert by_hand == [], "cut, tail and one_line of devloop.redact clean before they cut"
    assert {each.partition(":")[0] for each in found} == ALLOWED.keys(), "one that is allowed is gone"


def test_what_is_left_out_of_a_list_is_said_in_one_place():
    left_out = re.compile(r"and \{[^}]*\} more")
    found = [path for path in sorted(DEVLOOP.rglob("*.py")) if left_out.search(path.read_text("utf-8"))]
    assert found == [DEVLOOP / "lists.py"], "some, rows and more of devloop.lists say it"
