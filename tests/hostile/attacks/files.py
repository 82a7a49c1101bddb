"""Symbolic links, hard links, FIFOs, names that lead out (security §2.6, §2.7, §7)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from hostile.ground import Attack, Ground, by_shell, found_in, sh

ROW = "2.6 symlink, prefix, case, traversal"


def link(ground: Ground, path: str, leads_to: str | os.PathLike[str]) -> None:
    place = ground.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        place.symlink_to(leads_to)


def reads(name: str, path: str, secret: str, leads_to: Callable[[Ground], object], tool: str = "read_file") -> Attack:
    """The daemon's own file tool is led to a file of the person's by a link of the repository."""

    def naive(ground: Ground) -> None:
        target = ground.root / path
        found_in(ground, made, target.read_bytes() if target.is_file() else sh(ground, f"cat {path}/*").stdout)

    inputs = {"read_file": {"path": path}, "search": {"pattern": "secret", "path": path}, "list_files": {}}
    made = Attack(
        name,
        ROW,
        naive,
        plant=lambda ground: link(ground, path.split("/", maxsplit=1)[0], str(leads_to(ground))),
        does=lambda _: [(tool, inputs[tool])],
        sees=lambda ground: [ground.secrets[secret].encode()],
    )
    return made


def writes(name: str, path: Callable[[Ground], str], plant: Callable[[Ground], None] = lambda _: None) -> Attack:
    """The file tool is led out, to the mark itself."""

    def naive(ground: Ground) -> None:
        place = os.path.normpath(ground.root / path(ground)) if ".." in path(ground) else ground.root / path(ground)
        with open(place, "w") as file:
            file.write("x")

    return Attack(name, ROW, naive, plant, does=lambda g: [("write_file", {"path": path(g), "content": "x"})])


def written_by_devloop(name: str, path: str, naive: str) -> Attack:
    """devloop itself writes a file into the checkout, where the repository has put a link to the mark."""
    return Attack(
        name,
        "2.6 devloop's own writes follow a link",
        lambda ground: sh(ground, naive),
        lambda ground: link(ground, path, ground.marks / name),
    )


def into_folder(name: str, path: str, naive: str) -> Attack:
    """The same with a folder: what is written below it lands in a folder of the person's."""

    def plant(ground: Ground) -> None:
        (ground.tmp / "out" / name).mkdir(parents=True, exist_ok=True)
        link(ground, path, ground.tmp / "out" / name)

    return Attack(name, "2.6 devloop's own writes follow a link", lambda ground: sh(ground, naive), plant)


def into_folders(ground: Ground) -> None:
    """Leave the mark of each such folder that is not empty."""
    for folder in (ground.tmp / "out").iterdir():
        if any(folder.iterdir()):
            ground.mark(folder.name)


def hard_link(ground: Ground) -> None:
    (ground.home / "linked.txt").write_text("mine\n")
    ground.at_home = ground.seen_at_home()
    os.link(ground.home / "linked.txt", ground.root / "hard.txt")


def naive_hard_link(ground: Ground) -> None:
    sh(ground, "echo x >> hard.txt")
    if (ground.home / "linked.txt").read_text() != "mine\n":
        ground.mark("hard-link")


ATTACKS = (
    reads("link-to-file", "key.txt", ".ssh/id_rsa", lambda g: g.home / ".ssh/id_rsa"),
    reads("link-relative", "cloud.txt", ".aws/credentials", lambda g: "../.aws/credentials"),
    reads("link-to-folder", "home/.netrc", ".netrc", lambda g: g.home),
    reads("link-searched", "keys", ".ssh/id_rsa", lambda g: g.home / ".ssh", "search"),
    writes("link-written", lambda g: "out.txt", lambda g: link(g, "out.txt", g.marks / "link-written")),
    writes("link-folder-written", lambda g: "m/link-folder-written", lambda g: link(g, "m", g.marks)),
    writes("write-above", lambda g: "../../m/write-above"),
    writes("write-absolute", lambda g: str(g.marks / "write-absolute")),
    writes("write-prefix", lambda g: f"{g.root}/../../m/write-prefix"),
    by_shell("shell-above", ROW, lambda g: "mkdir -p ../../m; echo x > ../../m/shell-above", inert=False),
    by_shell("shell-absolute", ROW, lambda g: f"echo x > {g.marks}/shell-absolute", inert=False),
    by_shell("shell-link", ROW, lambda g: f"ln -sf {g.marks} l; echo x > l/shell-link; rm -f l", inert=False),
    by_shell("shell-home", ROW, lambda g: f"cp {g.home}/.bashrc . ; touch {g.marks}/shell-home", inert=False),
    Attack(
        "hard-link",
        ROW,
        naive_hard_link,
        arm=hard_link,
        does=lambda _: [("write_file", {"path": "hard.txt", "content": "x"})],
    ),
    written_by_devloop("gitignore-link", ".gitignore", "echo x >> .gitignore"),
    written_by_devloop("handoff-link", ".devloop/next-action.json", "echo x > .devloop/next-action.json"),
    written_by_devloop("worklog-link", ".devloop/worklog.json", "echo x > .devloop/worklog.json"),
    written_by_devloop("context-link", ".devloop/context.json", "echo x > .devloop/context.json"),
    into_folder("issues-link", ".devloop/issues", "echo x > .devloop/issues/BUG-1.md"),
    into_folder("archive-link", ".devloop/archive", "echo x > .devloop/archive/a.md"),
    into_folder("reports-link", ".devloop/reports", "echo x > .devloop/reports/a.md"),
    Attack(
        "predictable-temporary",
        "2.7 predictable temporary names",
        lambda g: sh(g, "echo x > .devloop/plan.md.tmp"),
        plant=lambda g: [
            link(g, each, g.marks / "predictable-temporary")
            for each in (".devloop/plan.md.tmp", ".devloop/.plan.md.tmp", ".devloop/plan.md~", ".devloop/.plan.md.swp")
        ],
    ),
)


def odd_things(ground: Ground) -> None:
    """What only stands in the way: FIFOs, loops, dangling links. Whoever opens them waits for ever."""
    os.mkfifo(ground.root / "pipe")
    os.mkfifo(ground.root / ".devloop" / "local.json")
    link(ground, "loop", "loop")
    link(ground, "dangling", "/nowhere/at/all")
    link(ground, "etc", "/etc")
