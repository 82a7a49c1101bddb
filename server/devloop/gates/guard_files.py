"""Which files of a tree check it: tests, their configuration, what they compare with. Pure; paths have `/`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final

_CONFIG_FILES: Final = re.compile(
    r"(?:^|/)(?:pytest\.ini|\.pytest\.ini|pytest\.toml|\.pytest\.toml|tox\.ini|tox\.toml|noxfile\.py|hatch\.toml"
    r"|\.?ruff\.toml|\.?mypy\.ini|pyrightconfig\.json|\.bandit|bandit\.ya?ml|\.coveragerc(?:\.toml)?|\.?pylintrc|\.flake8"
    r"|\.isort\.cfg|sitecustomize\.py|usercustomize\.py|[^/]+\.pth|tsconfig[^/]*\.json|\.?eslint[^/]*|biome\.jsonc?"
    r"|\.?oxlintrc\.json|\.prettierrc[^/]*|\.stylelintrc[^/]*"
    r"|(?:jest|vitest|vite|karma|playwright|cypress|webdriver|wdio)\.conf(?:ig)?\.[^/]+|\.mocharc[^/]*|\.nycrc[^/]*"
    r"|\.c8rc[^/]*|\.golangci\.[^/]+|\.?clippy\.toml|\.?rustfmt\.toml|\.semgrep[^/]*|\.pre-commit-config\.yaml"
    r"|\.?codecov\.ya?ml|sonar-project\.properties|\.ignore|(?:GNU)?[Mm]akefile|[^/]+\.mk|justfile|Taskfile\.ya?ml"
    r"|\.npmrc|\.yarnrc(?:\.yml)?|\.pnpmfile\.c?js|bunfig\.toml|\.babelrc[^/]*|babel\.config\.[^/]+|\.swcrc|nx\.json|turbo\.json"
    r"|deno\.jsonc?|ava\.config\.[^/]+|jasmine\.json|\.rspec|phpunit\.xml(?:\.dist)?|nextest\.toml|\.cargo/config(?:\.toml)?"
    r"|[^/]+\.(?:dist|egg)-info/[^/]+|__mocks__/.*)$"
    r"|^\.devloop/config\.toml$|^\.devloop/hooks/"
)
_RUNNER: Final = r"(?:global|jest|vitest|vite|tests?|mocha|files?|env)"
_SETUP: Final = re.compile(
    rf"(?:^|/)(?:{_RUNNER}[-_.]?)*+(?:(?<=[-_.\w])(?:setup|teardown)|(?:setup|teardown)[-_.]?{_RUNNER})[-_.]?{_RUNNER}?\.[cm]?[jt]sx?$",
    re.IGNORECASE,
)
"""What runs before the tests of JavaScript."""
_CI: Final = re.compile(
    r"^\.github/(?:workflows|actions)/|^\.gitlab-ci\.ya?ml$|^\.gitlab/|^\.circleci/|^\.buildkite/|^\.travis\.ya?ml$"
    r"|^azure-pipelines[^/]*\.ya?ml$|^Jenkinsfile|^bitbucket-pipelines\.ya?ml$|^\.woodpecker|^\.drone\.ya?ml$"
)
_SECTIONED: Final = re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.cfg|Cargo\.toml)$")
_TEST_FILE: Final = re.compile(
    r"(?:^|/)(?:test_[^/]*\.py|[^/]*_test\.(?:py|go|rs)|tests\.(?:py|rs)|[^/]*\.(?:test|spec)\.[cm]?[jt]sx?)$"
    r"|(?:^|/)__tests__/"
)
_HELPS: Final = r"tests?[-_]?(?:utils?|util|helpers?|support|lib|tools?|tooling|kit|common|cases?|harness|base)|testing"
_TEST_FOLDER: Final = re.compile(rf"(?:^|/)(?:tests?|spec|e2e|{_HELPS})/.*\.(?:py|[cm]?[jt]sx?|go|rs)$")
_IN_TESTS: Final = re.compile(r"(?:^|/)(?:tests?|spec|e2e)/")
_TEST_HELPER: Final = re.compile(rf"(?:^|/)(?:{_HELPS})\.(?:py|[cm]?[jt]sx?|go|rs)$", re.IGNORECASE)
_BESIDE_TESTS: Final = re.compile(r"(?:^|/)(?:tests?|__tests__|__snapshots__|testdata|spec|e2e)/")
_SNAPSHOT: Final = re.compile(
    r"(?:^|/)(?:__snapshots__|snapshots|goldens?|golden[_-][^/]+|__image_snapshots__)/"
    r"|\.(?:snap|ambr|golden|approved\.[^./]+|expected)$|(?:^|/)testdata/.*\.golden"
)
_DOCUMENT: Final = re.compile(r"\.(?:md|rst)$", re.IGNORECASE)
_LOCK: Final = re.compile(
    r"(?:^|/)(?:(?:[^/]*requirements[^/]*|constraints[^/]*)\.(?:txt|in)|requirements/[^/]+\.(?:txt|in)"
    r"|(?:uv|poetry|pdm|Cargo)\.lock|Pipfile(?:\.lock)?|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml"
    r"|pyproject\.toml|setup\.(?:cfg|py)|Cargo\.toml|go\.(?:mod|sum))$"
)
_GO_SYSTEM: Final = re.compile(
    r"_(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|386|amd64|arm"
    r"|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)(?:_test)?\.go$"
)
_COMPILED: Final = re.compile(r"\.(?:py[co]|so|pyd|dll|dylib|egg|whl|node|wasm)$")
_PYTHON_ROOT: Final = re.compile(r"^(?:(?:src|lib|tests?)/)?(?P<name>\w+)(?:\.py|/.*\.py)$")
_TOOLS: Final = frozenset(
    (
        *("pytest", "_pytest", "py", "pluggy", "iniconfig", "xdist", "pytest_cov", "coverage", "hypothesis", "mypy"),
        *("ruff", "sitecustomize", "usercustomize"),
    )
)
FOLDERS: Final = frozenset({"test", "tests", "src", "lib", "python", "source", "server", "backend"})


def is_test(path: str) -> bool:
    """A module of tests or one that helps them."""
    return bool(_TEST_FILE.search(path) or _TEST_FOLDER.search(path) or _TEST_HELPER.search(path))


def is_only_test(path: str) -> bool:
    """A module of tests, and no helper that may be part of what is delivered (`shop/testing.py`)."""
    return is_test(path) and bool(_TEST_FILE.search(path) or _IN_TESTS.search(path))


def is_test_named(path: str) -> bool:
    """A test by its own name, not only by its folder."""
    return bool(_TEST_FILE.search(path))


def is_conftest(path: str) -> bool:
    return path.rsplit("/", 1)[-1] == "conftest.py"


def is_configuration(path: str) -> bool:
    """A file whose whole content configures checks."""
    return bool(_CONFIG_FILES.search(path) or _SETUP.search(path) or _CI.search(path))


def is_sectioned(path: str) -> bool:
    """A file that configures checks in some of its sections."""
    return bool(_SECTIONED.search(path))


def is_package_json(path: str) -> bool:
    return path.rsplit("/", 1)[-1] == "package.json"


def is_snapshot(path: str) -> bool:
    return bool(_SNAPSHOT.search(path))


def is_expected(path: str) -> bool:
    """A snapshot, or whatever else lies beside tests and is no code and no document: what they compare with."""
    return is_snapshot(path) or (bool(_BESIDE_TESTS.search(path)) and not is_test(path) and not is_document(path))


def is_of_tests(path: str) -> bool:
    """What tests are made of, and what they compare with."""
    return is_test(path) or is_conftest(path) or is_expected(path)


def with_folders(path: str) -> Iterator[str]:
    """The path, and the folders that it lies in."""
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def is_document(path: str) -> bool:
    return bool(_DOCUMENT.search(path))


def names_dependencies(path: str) -> bool:
    return bool(_LOCK.search(path))


def is_built_elsewhere(old: str, new: str) -> bool:
    """Whether a new name makes Go build the file for some system alone."""
    was, now = (_GO_SYSTEM.search(path) for path in (old, new))
    return now is not None and (was is None or was[1] != now[1])


def is_compiled(path: str) -> bool:
    """Code that nobody can read in a diff."""
    return bool(_COMPILED.search(path))


def is_of_python(name: str) -> bool:
    """Whether a module of this name is one of Python's own, or of a tool."""
    return name not in FOLDERS and (name in _TOOLS or name in sys.stdlib_module_names)


def shadows(path: str) -> str:
    """The module of a tool or of Python itself that a new file at `path` stands before on the import path; "" for
    none."""
    match = _PYTHON_ROOT.match(path)
    name = match["name"] if match else ""
    return name if is_of_python(name) else ""


def from_base(path: str) -> bool:
    """Whether `gates.from = "base"` takes the file as the base tree has it: all that decides what a test says."""
    return (
        is_test(path)
        or bool(_BESIDE_TESTS.search(path))
        or is_conftest(path)
        or is_configuration(path)
        or is_sectioned(path)
        or is_package_json(path)
        or is_snapshot(path)
        or is_compiled(path)
        or bool(shadows(path))
    )
