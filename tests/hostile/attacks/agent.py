"""What an agent writes so that it runs later, outside (security §2.5, §2.9, §4)."""

from __future__ import annotations

from hostile.ground import Attack, Ground, by_shell, found_in, sh

EVIL = "evil-content"


def by_tool(name: str, path: str, **more: object) -> Attack:
    """The file tool writes a protected path; without protection the file lies there."""

    def naive(ground: Ground) -> None:
        if not path.lower().startswith(".git/"):
            ground.put(ground.root / path, EVIL)
        else:
            sh(ground, f"mkdir -p '{path.rsplit('/', 1)[0]}'; echo {EVIL} > '{path}'")
        found_in(ground, made, b"")

    made = Attack(
        name,
        "2.5 the agent writes its own configuration",
        naive,
        does=lambda _: [("write_file", {"path": path, "content": EVIL})],
        left=(path,),
    )
    return made


def by_command(name: str, path: str, line: str = "") -> Attack:
    words = line or f"mkdir -p \"$(dirname '{path}')\" && echo {EVIL} > '{path}'"
    return by_shell(name, "2.5 the agent writes its own configuration", lambda _: words, left=(path,))


def pointer(ground: Ground) -> str:
    """The worktree's pointer leads to a git directory of the agent's, whose fsmonitor leaves the mark."""
    program = f"#!/bin/sh\n{ground.shell('git-pointer')}\n"
    quoted = program.replace("'", "'\\''")
    return (
        "mkdir -p trap && cd trap && git init -q . && cd .. && "
        f"printf '%s' '{quoted}' > trap/run.sh && chmod +x trap/run.sh && "
        'git --git-dir=trap/.git config core.fsmonitor "$PWD/trap/run.sh"; '
        'git --git-dir=trap/.git config core.worktree "$PWD"; '
        'rm -rf .git; echo "gitdir: $PWD/trap/.git" > .git; mv trap/.git .git 2>/dev/null; true'
    )


def naive_pointer(ground: Ground) -> None:
    place = ground.tmp / "pointer"
    place.mkdir()
    sh(ground, f"git init -q .; {pointer(ground)}; git status", cwd=place)


ATTACKS = (
    by_tool("tool-tasks", ".vscode/absent.json"),
    by_tool("tool-hooks", ".devloop/hooks/added.sh"),
    by_tool("tool-agent", ".devloop/agents/added.md"),
    by_tool("tool-idea", ".idea/workspace.xml"),
    by_tool("tool-cursor", ".cursor/added.json"),
    by_tool("tool-git", ".git/hooks/added"),
    by_tool("tool-git-case", ".GIT/hooks/added"),
    by_tool("tool-husky", ".husky/pre-push"),
    by_command("shell-tasks", ".vscode/by-shell.json"),
    by_command("shell-idea", ".idea/by-shell.xml"),
    by_command("shell-claude", ".claude/commands/by-shell.md"),
    by_command("shell-cursor", ".cursor/rules/by-shell.md"),
    by_command("shell-venv", "venv/bin/activate"),
    by_command("shell-githooks", ".githooks/pre-commit"),
    by_command("shell-husky", ".husky/by-shell"),
    by_command("shell-devloop-skill", ".devloop/skills/added/SKILL.md"),
    by_command("shell-git-hook", ".git/hooks/by-shell"),
    by_command(
        "shell-rename-above", ".devloop/renamed.md", "mv .devloop d2; mkdir .devloop; echo evil > .devloop/renamed.md"
    ),
    by_command(
        "shell-unmount",
        ".vscode/unmounted.json",
        "umount .vscode; mkdir -p .vscode; echo evil > .vscode/unmounted.json",
    ),
    Attack(
        "git-pointer", "4 worktree pointer", naive_pointer, does=lambda g: [("run_command", {"command": pointer(g)})]
    ),
    by_shell(
        "commit-inside",
        "4 commit from inside",
        lambda g: (
            "git -c user.name=x -c user.email=x@example.org -c core.hooksPath=/dev/null "
            "-c core.fsmonitor=false -c commit.gpgSign=false commit -q --allow-empty -m x && echo ran'':commit-inside:"
        ),
    ),
    by_shell(
        "branch-inside",
        "2.9 git from inside",
        lambda g: "git update-ref refs/heads/from-inside HEAD && echo ran'':branch-inside:",
    ),
    by_shell(
        "config-inside",
        "2.9 git from inside",
        lambda g: "git config evil.key value && echo ran'':config-inside:",
    ),
)
