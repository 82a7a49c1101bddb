"""Which changed files execute outside the sandbox later: when somebody opens a folder, commits, builds or pushes. Pure.

Changing them is ordinary work, so it is shown and not refused. Not among them is code that runs only when a person runs
the project itself: that is what the work is about. See "What an agent may not write" in ARCHITECTURE.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Final

from devloop.lists import some
from devloop.redact import file_name
from devloop.tools import ENVIRONMENTS, KEPT, PROTECTED

NAMED: Final = 8
_RULES: Final = (
    (
        "continuous integration",
        r"^\.github/(?:workflows|actions)/|^\.gitlab-ci|^\.gitlab/|^\.circleci/|^\.buildkite/|^\.travis\.ya?ml$"
        r"|^azure-pipelines|^jenkinsfile|^bitbucket-pipelines|^\.woodpecker|^\.drone\.ya?ml$|^\.forgejo/|^\.gitea/",
    ),
    ("git", r"(?:^|/)\.gitattributes$|^\.gitmodules$|^\.lfsconfig$"),
    (
        "each commit",
        r"^\.pre-commit-(?:config|hooks)\.ya?ml$|^\.?lefthook[^/]*$|^\.overcommit\.yml$|(?:^|/)\.lintstagedrc[^/]*$",
    ),
    ("an editor", r"(?:^|/)\.devcontainer(?:/|\.json$)|\.(?:code-workspace|sublime-project)$"),
    (
        "package managers",
        r"(?:^|/)(?:\.npmrc|\.yarnrc[^/]*|\.pnpmfile\.c?js|bunfig\.toml|pip\.conf)$|(?:^|/)\.yarn/(?:releases|plugins)/"
        r"|(?:^|/)\.cargo/config(?:\.toml)?$",
    ),
    (
        "each build",
        r"(?:^|/)gradle/wrapper/|(?:^|/)(?:gradlew|mvnw)(?:\.bat|\.cmd)?$|^\.mvn/|^\.bazelrc$|^tools/bazel$",
    ),
    ("tools", r"(?:^|/)\.env(?:\.(?!example$|sample$|template$|dist$)[^/]+)?$|(?:^|/)\.tool-versions$"),
    (
        "agents that work here",
        r"(?:^|/)(?:agents|claude|gemini)(?:\.local)?\.md$|^\.(?:cursor|windsurf|cline)rules|^\.github/copilot-"
        r"|^\.github/(?:prompts|instructions|chatmodes|agents)/",
    ),
)
_COMPILED: Final = tuple((who, re.compile(pattern)) for who, pattern in _RULES)
_OPENED: Final = frozenset({*PROTECTED, *KEPT} - {*ENVIRONMENTS, ".worktreeinclude"})


def executed(paths: Iterable[str]) -> Mapping[str, str]:
    """Of changed `paths` those that something executes or follows outside later, each with who does."""
    listed = list(paths)
    everything = {path.casefold() for path in listed}
    return {path: who for path in listed if (who := _who(path.casefold(), everything))}


def _who(path: str, everything: Set[str]) -> str:
    """By the whole path; by a name that counts in any folder that is opened; or as part of a bare repository, which git
    takes for one wherever it lies."""
    for who, pattern in _COMPILED:
        if pattern.search(path):
            return who
    if any(part.rstrip(". ") in _OPENED for part in path.split("/")[1:]):
        return "whoever opens that folder"
    folder, _, name = path.rpartition("/")
    if name in ("head", "config") and {f"{folder}/head", f"{folder}/config"} <= everything:
        return "git, as a repository"
    return ""


def told(paths: Iterable[str], clean: Callable[[str], str]) -> str:
    """The notice about them; "" when there are none. `clean` takes the secrets out of a name."""
    found = executed(paths)
    if not found:
        return ""
    named = some(found.items(), NAMED, lambda each: f"{file_name(clean(each[0]), 80)} ({each[1]})")
    return f"The work changes what runs outside the sandbox later, so look at it first: {named}"
