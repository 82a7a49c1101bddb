"""Changes of configuration that make a check easier: thresholds, switches, sections, test tools. By lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal

from devloop.gates import guard_files
from devloop.gates.patch import FileDiff, Hunk, Line

SettingKind = Literal["configuration", "threshold", "dependency"]
Found = tuple[SettingKind, Line, str]

_SECTION: Final = re.compile(r"^\s*+\[{1,2}\s*+([^\]\s]++(?:\s++[^\]\s]++)*+)\s*+\]{1,2}")
_HARMLESS: Final = re.compile(
    r"^(?:project(?:\..*)?|build-system|dependency-groups|metadata|options(?:\..*)?|"
    r"tool\.(?:poetry|hatch|pdm|setuptools\w*|flit|uv)(?:\..*)?|"
    r"package(?:\..*)?|(?:dev-|build-|workspace\.)?dependencies(?:\..*)?|target\..*|features|lib|bin|workspace|patch\..*)$"
)
_DECIDES: Final = re.compile(r"pytest11|^\s*(?:harness|test|doctest|bench|autotests)\s*=\s*(?:true|false)\b")
"""A line of a section that configures no check, and does all the same."""
_HATCH_TEST: Final = re.compile(r"^tool\.hatch\.envs\..*(?:test|script)")
_VALUE: Final = re.compile(
    r"(?<![\w.-])[.-]*+(\w[\w.-]*+)[\"']?(?:\s++(?:[:=]\s*+)?|[:=]\s*+)[\"'\[]*+(-?\d++(?:\.\d++)?|[A-Za-z]++)\b(?!-\w)"
)
_LOWER_IS_WEAKER: Final = re.compile(
    r"fail[_-]under|cov[\w-]*under|min[\w-]*(?:cov|score|quality|percent|public)|^(?:branches|functions|lines|statements)$"
    r"|threshold|confidence|^level$",
    re.IGNORECASE,
)
_HIGHER_IS_WEAKER: Final = re.compile(
    r"line[_-]length|max[_-]?(?:line|complexity|args|branches|statements|returns|doc|warnings|len|depth|lines|params)\w*"
    r"|cognitive|timeout|retries|reruns",
    re.IGNORECASE,
)
_TRUE_IS_STRICT: Final = re.compile(
    r"^(?:strict\w*|no[A-Z]\w+|disallow_\w+|warn_\w+|check_\w+|no_implicit\w*|xfail_strict|exactOptional\w*|report\w+|"
    r"--strict|useUnknown\w+|alwaysStrict|isolatedModules)$"
)
_TRUE_IS_LOOSE: Final = re.compile(
    r"^(?:ignore\w*|skipLibCheck|allow\w*|suppress\w*|continue-on-error|exit[_-]zero|passWithNoTests|follow_imports_skip|"
    r"allow_failure|implicit_optional)$"
)
_LEVELS: Final = {
    **dict.fromkeys(("off", "ignore", "none", "allow"), 0),
    **dict.fromkeys(("info", "note"), 1),
    **dict.fromkeys(("warn", "warning"), 2),
    **dict.fromkeys(("deny", "error", "forbid"), 3),
}
_SCRIPT: Final = re.compile(
    r'^\s*"(?:\w+:)*(?:(?:pre|post)?(?:test|lint|check|type-?check|types|tsc|verify|validate|ci|coverage|format|build)'
    r'[\w:.-]*)"\s*:\s*"'
)
_PACKAGE_KEYS: Final = re.compile(r'^\s*"(?:jest|eslintConfig|mocha|nyc|c8|ava|vitest|prettier|lint-staged)"\s*:')
_TEST_TOOLS: Final = re.compile(
    r"(?<![\w/.-])@?(?:pytest(?:-[\w-]+)?|coverage|hypothesis|mypy|ruff|pyright|bandit|flake8|pylint|tox|nox|jest|vitest|"
    r"mocha|chai|eslint|typescript|playwright|cypress|testify|proptest|insta|golangci-lint|biome|"
    r"(?:testing-library|jest|vitest|playwright|biomejs|typescript-eslint)/[\w-]+)(?![\w/-])"
)


def sections(file: FileDiff, text: str | None) -> list[Found]:
    """One entry per touched section of a TOML or INI file that configures a check. `text`: the new file's."""
    starts: dict[int, str] = {}
    if text is not None:
        current = ""
        for number, content in enumerate(text.split("\n")):
            current = match[1] if (match := _SECTION.match(content)) else current
            starts[number] = current
    found: dict[str, Found] = {}
    for hunk in file.hunks:
        section: str | None = None
        for line in hunk.lines:
            section = match[1] if (match := _SECTION.match(line.text)) else section
            if line.sign == " " or not line.text.strip():
                continue
            exact = starts.get(line.number) if line.sign == "+" else None
            name = section or exact or starts.get(hunk.new_start) or "?"
            plugs = "pytest11" in name or ("entry" in name and any("pytest11" in each.text for each in hunk.lines))
            configures = not _HARMLESS.match(name) or _HATCH_TEST.match(name) or _DECIDES.search(line.text)
            if not (plugs or configures):
                continue
            shown = f"[{name}] {line.sign}{line.text}" if name != "?" else f"{line.sign}{line.text}"
            found.setdefault(name, ("configuration", line, shown))
    return list(found.values())


def package_json(file: FileDiff) -> list[Found]:
    """Scripts that are checks, and the sections of test tools."""
    hits = (_SCRIPT, _PACKAGE_KEYS)
    changed = [*file.removed, *file.added]
    return [
        ("configuration", line, f"{line.sign}{line.text}") for line in changed if any(p.search(line.text) for p in hits)
    ]


def thresholds(file: FileDiff) -> list[Found]:
    """Numbers that went the easy way, switches that went off, levels that went down: by pairs of lines."""
    return [found for hunk in file.hunks for found in _pairs(hunk)]


def _pairs(hunk: Hunk) -> Iterator[Found]:
    before: dict[str, tuple[Line, str]] = {}
    for line in hunk.lines:
        if line.sign == "-":
            for key, value in _VALUE.findall(line.text):
                before[key] = (line, value)
    for line in hunk.lines:
        if line.sign != "+":
            continue
        for key, value in _VALUE.findall(line.text):
            if key in before and _easier(key, before[key][1], value):
                yield "threshold", line, f"{key}: {before[key][1]} → {value}"
                break
    came = " ".join(line.text for line in hunk.lines if line.sign == "+")
    for key, (line, value) in before.items():
        if _LOWER_IS_WEAKER.search(key) and value[:1].isdigit() and key not in came:
            yield "threshold", line, f"{key}: {value} → none"


def _easier(key: str, was: str, now: str) -> bool:
    if was == now:
        return False
    if was.lower() in ("true", "false") and now.lower() in ("true", "false"):
        return bool((_TRUE_IS_STRICT if was.lower() == "true" else _TRUE_IS_LOOSE).match(key))
    if was.lower() in _LEVELS and now.lower() in _LEVELS:
        return _LEVELS[now.lower()] < _LEVELS[was.lower()]
    try:
        step = float(now) - float(was)
    except ValueError:
        return False
    return (step < 0 and bool(_LOWER_IS_WEAKER.search(key))) or (step > 0 and bool(_HIGHER_IS_WEAKER.search(key)))


def test_tools(file: FileDiff) -> list[Found]:
    """The first change of what the tests run with; in a lock file the name may stand above the line that changed."""
    if not (file.old and file.new and guard_files.names_dependencies(file.new)):
        return []
    lock = file.new.endswith((".lock", "package-lock.json", "pnpm-lock.yaml", "go.sum"))
    for hunk in file.hunks:
        named = ""
        for line in hunk.lines:
            if (match := _TEST_TOOLS.search(line.text)) and not _SCRIPT.search(line.text):
                named = match[0]
                if line.sign != " " and (lock or _is_dependency(line.text)):
                    return [("dependency", line, f"{named}: {line.sign}{line.text}")]
            elif lock and named and line.sign != " " and "version" in line.text:
                return [("dependency", line, f"{named}: {line.sign}{line.text}")]
            elif lock and not line.text.strip():
                named = ""
    return []


def _is_dependency(text: str) -> bool:
    """A requirement, not a section header or an option that has the tool's name."""
    return not _SECTION.match(text) and not re.match(r"\s*(?:addopts|pytest|ruff|mypy|coverage)\s*=(?!=)", text)


_VARIABLE: Final = re.compile(r"\b(PYTEST_ADDOPTS|PYTEST_PLUGINS|PYTHONOPTIMIZE|PYTHONSTARTUP)\b['\"\])]*\s*[:=](?!=)")
_VARIABLE_OF_A_FILE: Final = re.compile(
    r"^\s*(?:export\s+)?['\"]?(NODE_OPTIONS|GOFLAGS|RUST(?:DOC)?FLAGS|CARGO_\w+|PYTHONPATH|MYPYPATH|PYTEST_\w+|VITEST\w*|JEST_\w+)"
    r"['\"]?\s*[:=]"
)
_ENVIRONMENT: Final = re.compile(r"(?:^|/)(?:\.env[^/]*|[^/]+\.env|\.?mise[^/]*\.toml|\.tool-versions|devbox\.json)$")


def variables(file: FileDiff) -> list[Found]:
    """What tells a runner of tests more than its command does, wherever it is set."""
    patterns = (_VARIABLE, _VARIABLE_OF_A_FILE) if _ENVIRONMENT.search(file.new) else (_VARIABLE,)
    return [
        ("configuration", line, f"sets {match[1]}: {line.text.strip()}")
        for line in file.added
        if (match := next(filter(None, (pattern.search(line.text) for pattern in patterns)), None))
    ]


Reader = Callable[[str], str | None]


def configuration(file: FileDiff, read: Reader | None) -> list[Found]:
    """Everything of this module that a file of the diff says."""
    path = file.new or file.old
    names = {file.old, file.new} - {""}
    whole = any(map(guard_files.is_configuration, names))
    partly = any(map(guard_files.is_sectioned, names))
    found: list[Found] = []
    if partly:
        found += sections(file, read(path) if read is not None and file.new else None)
    if guard_files.is_package_json(path) and file.old:
        found += package_json(file)
    if file.old and file.new and (whole or found or guard_files.is_package_json(path)):
        easier = {(line.sign, line.number): (kind, line, words) for kind, line, words in thresholds(file)}
        for at, (_, line, words) in enumerate(found):  # the threshold says more than the section that it stands in
            if (line.sign, line.number) in easier or ("+", line.number) in easier:
                key = (line.sign, line.number) if (line.sign, line.number) in easier else ("+", line.number)
                kind, place, told = easier.pop(key)
                section = words[: words.index("]") + 2] if words.startswith("[") else ""
                found[at] = (kind, place, f"{section}{told}")
        found += easier.values()
    if not whole and not guard_files.is_document(path):
        found += variables(file)
    return found + test_tools(file)
