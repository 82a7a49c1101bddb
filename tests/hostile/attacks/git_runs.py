# ruff: noqa: E501 - payloads stay on one line
"""What git would run: configuration, attributes, hooks, submodules (security §2.9, §4, §5)."""

from __future__ import annotations

import os

from hostile.ground import Attack, Ground
from hostile.ground import sh as anywhere

ROW = "2.9 git hooks, config"


def sh(ground: Ground, line: str) -> None:
    """With the system's own git."""
    anywhere(ground, line, env={"PATH": os.environ["PATH"]})


def program(ground: Ground, name: str, then: str = "cat") -> str:
    return str(ground.program(str(ground.tmp / "evil" / name), name, then))


def by_key(
    name: str, key: str, naive: str, then: str = "cat", value: str = "{}", more: dict[str, str] | None = None
) -> Attack:
    """A key of the repository's configuration whose value is a command."""

    def arm(ground: Ground) -> None:
        ground.git("config", key, value.format(program(ground, name, then)))
        for other, words in (more or {}).items():
            ground.git("config", other, words)

    return Attack(name, ROW, lambda ground: sh(ground, naive), arm=arm)


def hook(which: str, naive: str) -> Attack:
    name = f"hook-{which}"
    inside = f"git -c core.hooksPath=.git/hooks -c commit.gpgSign=false {naive}"
    return Attack(name, ROW, lambda g: sh(g, inside), arm=lambda g: g.program(f".git/hooks/{which}", name) and None)


def submodule(ground: Ground) -> None:
    """A gitlink whose URL, path and update are commands."""
    run = program(ground, "submodule-url", "")
    ground.put(
        ".gitmodules",
        f'[submodule "sub"]\n\tpath = sub\n\turl = ext::{run}\n\tupdate = checkout\n'
        '[submodule "../../up"]\n\tpath = ../../up\n\turl = -u./evil\n',
    )
    (ground.root / "sub").mkdir()


def arm_submodule(ground: Ground) -> None:
    head = ground.git("rev-parse", "HEAD")
    ground.git("-c", "core.hooksPath=/dev/null", "update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    ground.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "a submodule")
    ground.git("config", "submodule.sub.url", f"ext::{ground.tmp}/evil/submodule-url")
    ground.git("config", "submodule.sub.update", f"!{program(ground, 'submodule-update')}")


ATTACKS = (
    Attack(
        "submodule-url",
        ROW,
        lambda g: sh(g, "git -c protocol.ext.allow=always -c core.hooksPath=/dev/null submodule update --init sub"),
        plant=submodule,
        arm=arm_submodule,
    ),
    hook("pre-commit", "commit -q --allow-empty -m x"),
    hook("post-commit", "commit -q --allow-empty -m x"),
    hook("commit-msg", "commit -q --allow-empty -m x"),
    hook("post-checkout", "checkout -q -B other"),
    hook("reference-transaction", "update-ref refs/heads/naive HEAD"),
    hook("post-index-change", "update-index --refresh --really-refresh"),
    hook("post-merge", "merge -q $(git commit-tree -p HEAD -m x HEAD^{tree})"),
    by_key("fsmonitor", "core.fsmonitor", "git status", "printf 'x\\0/\\0'"),
    by_key("ssh-command", "core.sshCommand", "git fetch ssh://localhost/x", ""),
    by_key(
        "credential-helper", "credential.helper", "printf 'protocol=https\\nhost=localhost\\n\\n' | git credential fill"
    ),
    by_key(
        "gpg-program",
        "gpg.program",
        "git commit -q --allow-empty -m x",
        more={"commit.gpgSign": "true", "log.showSignature": "true"},
    ),
    by_key("editor", "core.editor", "git -c commit.gpgSign=false commit --allow-empty --amend"),
    by_key("filter-clean", "filter.evil.clean", "git hash-object --path x.txt --stdin < check.sh"),
    by_key("filter-smudge", "filter.evil.smudge", "git cat-file --filters HEAD:check.sh"),
    by_key("filter-lfs", "filter.lfs.clean", "git hash-object --path x.lfs --stdin < check.sh"),
    by_key("textconv", "diff.evil.textconv", "git -c diff.external= cat-file --textconv HEAD:check.sh"),
    by_key("diff-command", "diff.evil.command", "echo x >> check.sh; git diff check.sh; git diff HEAD"),
    by_key(
        "diff-external",
        "diff.external",
        "echo x >> notes.lfs; git diff --ext-diff HEAD~1 -- notes.lfs; git -c diff.evil.command= diff HEAD~1",
    ),
    by_key(
        "merge-driver",
        "merge.evil.driver",
        (
            "git -c core.hooksPath=/dev/null -c commit.gpgSign=false -c filter.evil.clean=cat checkout -q -B one; echo 1 > notes.txt; "
            "g='git -c core.hooksPath=/dev/null -c commit.gpgSign=false'; $g commit -qam 1; $g checkout -q -B two HEAD~1; "
            "echo 2 > notes.txt; $g commit -qam 2; $g merge one"
        ),
    ),
    by_key("alias", "alias.lg", "git lg", value="!{}"),
    by_key(
        "remote-ext", "remote.origin.url", "git -c protocol.ext.allow=always fetch origin", then="", value="ext::{}"
    ),
    Attack(
        "hooks-path",
        ROW,
        lambda g: sh(g, "git -c commit.gpgSign=false commit -q --allow-empty -m x"),
        arm=lambda g: [
            *(g.program(f"{g.tmp}/evil/hooks/{each}", "hooks-path") for each in ("pre-commit", "post-index-change")),
            g.git("config", "core.hooksPath", f"{g.tmp}/evil/hooks"),
        ],
    ),
    Attack(
        "included-config",
        ROW,
        lambda g: sh(g, "git hash-object --path x.inc --stdin < check.sh"),
        plant=lambda g: g.put("tools/git.inc", f'[filter "inc"]\n\tclean = {program(g, "included-config")}\n') and None,
        arm=lambda g: g.git("config", "--add", "include.path", "../tools/git.inc"),
    ),
)
