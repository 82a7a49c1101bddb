"""A person's whole day in a hostile repository: looking, trusting, a task, other work."""

from __future__ import annotations

import asyncio
import json

from devloop import trust
from hostile.attacks import ATTACKS, git_names
from hostile.editing import edit, watch
from hostile.ground import Ground
from hostile.life import Life, variables

HONEST = ("gate:check",)
LOOKS = (
    *("status --json", "plan show", "plan show --json", "plan check", "plan next", "runs"),
    *("doctor", "doctor --json", "skills", "hooks", "hooks check", "trust", "trust --json", "statusline", "worklog"),
    *("issues", "bugs", "config check", "stats", "budget", "log"),
)


def nothing_is_trusted(life: Life) -> None:
    """Looked at in an editor and at the terminal; nothing begins."""
    asyncio.run(edit(life))
    life.process("status")
    for line in LOOKS:
        life(*line.split())
    for words in (["run", "1.1"], ["continue"], ["quick", "Tidy up"], ["init"]):
        life(*words)


def prune(life: Life) -> None:
    """The person takes out of the team's file what would run and is not wanted, and trusts the one gate."""
    ground = life.ground
    path = ground.root / ".devloop/config.toml"
    parts = path.read_text().split("\n\n")
    path.write_text("\n\n".join(part for part in parts if not part.startswith(("[gates.evil]", "[setup]"))))
    quietly(ground, "commit", "-qm", "prune", "--", ".devloop/config.toml")
    with variables(life.environment()):
        store = life.state.make().trust_file
        found = {each.item.key: each.item.sha256 for each in trust.state(ground.root, store)}
        trust.accept(ground.root, store, [(key, found[key]) for key in HONEST])


def quietly(ground: Ground, *arguments: str) -> str:
    """git by a person who has learnt: nothing that the repository configures runs."""
    names = {
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "commit.gpgSign": "false",
        "log.showSignature": "false",
        "diff.external": "",
        **{f"filter.{name}.{key}": "" for name in ("evil", "lfs", "inc") for key in ("clean", "smudge", "process")},
        **{f"filter.{name}.required": "false" for name in ("evil", "lfs", "inc")},
    }
    switched = [word for key, value in names.items() for word in ("-c", f"{key}={value}")]
    return ground.git(*switched, *arguments)


def a_task(life: Life) -> None:
    """The obedient agent does all that it was asked for: a question, a crash, a revision, a landing."""
    ground = life.ground
    begun = quietly(ground, "rev-parse", "HEAD")
    run = life("run", "1.1", "--json").get("run", {}).get("id", "run-1.1-1")
    for words in (["show", run], ["status"], ["status", "--json"], ["continue"]):
        life(*words)
    life("decide", run, "answer", "--message", "1", "--follow")
    for words in (["show", run], ["show", run, "--json"], ["diff", run, "--json"], ["transcript", run]):
        life(*words)
    life.terminal("diff", run)
    life("transcript", run, "--json")
    life.look_at_work(run)
    if life.long:
        life.kill_daemon()
    life("decide", run, "revise", "--message", "again \x1b[2J", "--follow")
    life.look_at_work(run)
    asyncio.run(watch(life, run))
    life("decide", run, "commit", "--follow")  # the agent has written what stands there uncommitted, as a hard link
    (ground.root / "hard.txt").unlink()
    life("decide", "commit", "--follow")
    life("log")
    life("runs")
    life.landed["commits"] = quietly(ground, "rev-list", f"{begun}..HEAD").split()
    life.landed["message"] = quietly(ground, "log", "--format=%an%n%ae%n%B", f"{begun}..HEAD")
    life.landed["files"] = quietly(
        ground, "-c", "core.quotePath=true", "diff-tree", "-r", "--name-only", begun, "HEAD", "--"
    ).splitlines()
    life.screens.append(("commit message", life.landed["message"]))
    tree = quietly(ground, "ls-tree", "-rz", "--name-only", "HEAD").split("\0")
    before = quietly(ground, "ls-tree", "-rz", "--name-only", begun).split("\0")
    for attack in ATTACKS:
        if set(attack.left) & (set(tree) - set(before)):
            ground.mark(attack.name)
            life.found.append(f"{attack.name} has landed")


def swapped(life: Life) -> None:
    """After it was trusted the gate says something else: it does not run."""
    ground = life.ground
    path = ground.root / ".devloop/config.toml"
    before = path.read_text()
    path.write_text(before.replace('"check.sh"', '"-c", ' + json.dumps(ground.shell("swapped-gate"))))
    life("run", "1.2")
    path.write_text(before)


def other_work(life: Life) -> None:
    """A loop, a fresh start, errands, and everything by which devloop itself writes into the checkout."""
    ground = life.ground
    life("continue", "-n", "1", "--decide", "commit")
    if life.long:
        life("run", "1.5")
    life("fresh")
    if life.long:
        life("review", "--commits", "1")
    for number, reference in enumerate(git_names.REFERENCES):
        words = reference.format(ground.marks)
        life("review", *(("--branch",) if number % 2 else ()), f"{'--against' if number % 2 else '--commits'}={words}")
    life("quick", "Tidy up", "--decide", "commit")
    for words in (
        ["ship", "--dry-run", "--version", "9.9.9"],
        ["new", "A bug", "--type", "bug"],
        ["worklog", "sync"],
        ["archive"],
        ["init"],
        ["plan", "show"],
    ):
        life(*words)


def whole(life: Life) -> None:
    """All of it, whatever happens in between: what it came to is judged by the tests."""
    for part in (nothing_is_trusted, prune, a_task, swapped, other_work):
        try:
            part(life)
        except Exception as problem:
            life.broken.append(f"{part.__name__}: {problem!r}")
    life.end()
    life.look()
