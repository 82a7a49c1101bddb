"""The escapes of security §4 in a real run: daemon, engine, scripted player, the repository's set-up, hook and gate.

One run does everything, from each place where something of the repository or the agent executes: the set-up command,
the agent's commands and file tools, a hook, a gate. The tests look at what came of it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from devloop import tools
from support.engines import command, finish, trust_everything, turn, write
from support.projects import at_home, commit_all, git, tiny_project
from support.served import Served, play, served

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n"
LATER = (".nvim.lua", ".zed/settings.json", ".VSCODE/tasks.json", ".github/workflows/x.yml", "sub/.vscode/tasks.json")
"""Of these the first three are kept as they are, the others shown."""
MARKER = "DEVLOOP_TEST_MARKER"
SPECIFIED = (
    *(".git", ".devloop/config.toml", ".devloop/hooks", ".devloop/skills", ".devloop/agents", ".vscode", ".idea"),
    *(".envrc", ".mcp.json", ".claude", ".cursor"),
)
"""Security §6.2."""
PRESENT = {
    ".vscode/tasks.json": "original\n",
    ".envrc": "original\n",
    ".claude/settings.json": "original\n",
    ".devloop/skills/known/SKILL.md": "---\nname: known\ndescription: Known.\n---\noriginal\n",
    ".zed/settings.json": "original\n",
}
ENVIRON = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"

# Says for each path which way of changing it went through. `mv` and `ln` try to swap it for something of their own.
ATTACK = """
where=$1; shift
look() { ls -lAR --time-style=full-iso "$1" 2>&1; }
for path in "$@"; do
  for way in "echo $where > $path" "mkdir -p $path/new" "echo $where > $path/tasks.json" "rm -rf $path" \\
             "mv -T $path /tmp/old" "mv -T $path moved-$where" "ln -sfn /tmp $path" "cp /dev/null $path"; do
    before=$(look $path)
    (eval "$way") >/dev/null 2>&1 && [ "$(look $path)" != "$before" ] && echo "CHANGED: $way"
  done
done
mv -T .devloop moved-$where-devloop 2>/dev/null && echo "CHANGED: .devloop was swapped"
echo "attack over"
"""
EVIL = """
mkdir -p evil/objects evil/refs && echo 'ref: refs/heads/main' > evil/HEAD
printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = "touch %s; false"\\n' "$1" > evil/config
echo "gitdir: evil" > .git && echo "CHANGED: .git"
git -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m evil && echo "CHANGED: committed"
echo "git over"
"""
NETWORK = """
import errno, socket, subprocess
from pathlib import Path
def can(what, action):
    try:
        action()
    except (OSError, subprocess.CalledProcessError):
        return
    if what:
        print("DONE:", what)
def quietly(*words):
    subprocess.run(words, check=True, capture_output=True)
can("connect", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
can("resolve", lambda: socket.getaddrinfo("example.org", 80))
can("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0NAME"))
can("user namespace", lambda: quietly("unshare", "-Ur", "true"))
can("mount", lambda: quietly("mount", "-t", "tmpfs", "none", "/tmp"))
can("write to /etc by a link", lambda: Path("into-etc").write_text("x"))
can("", lambda: Path("outside").write_text("x"))
can("write to /usr", lambda: Path("/usr/devloop-test").write_text("x"))
print("probe over")
"""


@dataclass
class Attacked:
    """What is left after the run, which waits at its checkpoint. `said`: what each place printed."""

    held: Served
    run: str
    state: str
    worktree: Path
    outside: Path
    connected: bool
    reached: bool
    said: dict[str, str] = field(default_factory=dict)

    def log(self, name: str) -> str:
        (found,) = self.held.state.runs.glob(f"{self.run}/output/**/{name}")
        return found.read_text(errors="replace")


def project(place: Path) -> Path:
    """A repository of which everything that runs attacks."""
    root = tiny_project(place / "p", PLAN)
    for name, text in PRESENT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "into-etc").symlink_to("/etc/hostname")
    (root / "outside").symlink_to(place / "outside")
    (root / "attack.sh").write_text(ATTACK)
    (root / "evil.sh").write_text(EVIL)
    every = f"{ENVIRON}; sh attack.sh WHERE {' '.join(SPECIFIED)}; sh evil.sh {place}/ran; true\n"
    for where in ("setup", "gate", "hook"):
        (root / f"{where}.sh").write_text(every.replace("WHERE", where))
    (root / "hook.sh").write_text("{ " + every.replace("WHERE", "hook").strip() + "; } > hook.txt\n")
    (root / "check.sh").write_text((root / "gate.sh").read_text() + "rm -rf moved-* evil\n")
    config = root / ".devloop" / "config.toml"
    config.write_text(config.read_text() + '\n[setup]\ncommand = ["/bin/sh", "setup.sh"]\n')
    hooks = (
        '{"hooks": {"PostToolUse": [{"matcher": "Write", "hooks": [{"type": "command", "command": "sh hook.sh"}]}]}}'
    )
    (root / ".devloop" / "hooks.json").write_text(hooks)
    (root / ".gitignore").write_text("evil\n")
    commit_all(root, "hostile")
    trust_everything(root)
    return root


def turns(place: Path, port: int, name: str) -> list[dict[str, object]]:
    probe = NETWORK.replace("PORT", str(port)).replace("NAME", name)
    files = [write(path) for path in (*SPECIFIED[:1], ".vscode/tasks.json", ".idea/x", ".devloop/hooks/x", ".mcp.json")]
    files += [write(path) for path in (".VSCODE/tasks.json", ".zed/tasks.json", ".nvim.lua", "mise.toml")]
    return [
        turn(
            command(ENVIRON), command(f"sh attack.sh agent {' '.join(SPECIFIED)}"), command(f"sh evil.sh {place}/ran")
        ),
        turn(command(f"python3 - <<'EOF'\n{probe}\nEOF")),
        turn(command("(setsid sh -c 'sleep 90; : survivor-of-devloop-test' &) ; echo left")),
        turn(*files),
        turn(command(f"for f in {' '.join(LATER)}; do mkdir -p $(dirname $f); echo x > $f; done")),
        turn(write("work.txt")),
        turn(finish()),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacked]:
    import socket

    place = tmp_path_factory.mktemp("r")
    (place / "outside").write_text("untouched")
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        at_home(place, patch)
        patch.setenv(MARKER, "visible")
        name = f"devloop-test-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        server.settimeout(0)
        abstract.settimeout(0)
        root = project(place)
        scenario = play(place / "s.json", {"1.1": turns(place, server.getsockname()[1], name)})
        patch.setenv("DEVLOOP_SCENARIO", scenario)
        async with served(root) as held:
            run = await held.start("1.1")
            row = await held.settled(run)
            found = Attacked(
                held,
                run,
                row["state"],
                held.state.worktrees / run,
                place / "outside",
                accepts(server),
                accepts(abstract),
            )
            results = held.results(run)
            found.said = {
                "setup": found.log("setup.log"),
                "agent": "\n".join(results[:3]),
                "hook": (found.worktree / "hook.txt").read_text(),
                "gate": found.log("check.log"),
                "probe": results[3],
                "files": "\n".join(results[5:14]),
            }
            yield found


def accepts(server) -> bool:
    try:
        server.accept()
    except BlockingIOError:
        return False
    return True


async def test_the_run_came_to_its_end(attacked):
    """Else the tests below would say nothing."""
    assert attacked.state == "waiting", attacked.said
    for where in ("setup", "agent", "gate", "hook"):
        assert "attack over" in attacked.said[where] and "git over" in attacked.said[where], where
    assert "probe over" in attacked.said["probe"]


@pytest.mark.parametrize("where", ["setup", "agent", "gate", "hook"])
async def test_the_daemons_environment_is_seen_nowhere(attacked, where):
    assert "PATH=" in attacked.said[where]
    assert MARKER not in attacked.said[where]


@pytest.mark.parametrize("where", ["setup", "agent", "hook"])
async def test_no_masked_path_is_changed_present_or_absent(attacked, where):
    said = attacked.said[where]
    assert "CHANGED" not in said, [line for line in said.splitlines() if line.startswith("CHANGED")]


async def test_what_is_protected_stands_in_the_worktree_as_it_was_and_what_is_absent_is_not_there(attacked):
    for name in set(PRESENT) - {".zed/settings.json"}:
        assert (attacked.worktree / name).read_text() == PRESENT[name]
    absent = [name for name in tools.PROTECTED if not (attacked.held.root / name).exists()]
    assert len(absent) > 5
    assert [name for name in absent if os.path.lexists(attacked.worktree / name)] == []


async def test_folders_for_mount_points_wait_in_the_state_directory(attacked):
    waiting = list(attacked.held.state.spare.iterdir())
    assert waiting and not any(list(folder.iterdir()) for folder in waiting)


async def test_the_persons_own_git_status_in_the_worktree_runs_nothing(attacked):
    """What a prompt or an editor does there, with the person's own configuration."""
    subprocess.run(["git", "status"], cwd=attacked.worktree, capture_output=True, check=False)
    assert not (attacked.outside.parent / "ran").exists()
    assert (attacked.worktree / ".git").read_text().startswith(f"gitdir: {attacked.held.state.path}")


async def test_the_repository_has_no_commit_that_was_made_inside(attacked):
    assert git(attacked.held.root, "log", "--all", "--format=%s", "--grep=evil") == ""


async def test_nothing_of_network_and_kernel_is_in_reach(attacked):
    assert "DONE" not in attacked.said["probe"], attacked.said["probe"]
    assert not attacked.connected and not attacked.reached
    assert attacked.outside.read_text() == "untouched"


async def test_nothing_that_a_command_started_outlives_it(attacked):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += (
                [path.parent.name] if b"survivor-of-devloop-test" in path.read_bytes().split(b"90; : ")[-1][:30] else []
            )
        except OSError:
            continue
    assert found == []


async def test_file_tools_write_nothing_of_it(attacked):
    said = attacked.said["files"].splitlines()
    assert len([line for line in said if "protected" in line or "belongs to git" in line]) == len(said) == 9, said


async def test_what_other_programs_execute_is_left_out_of_the_commit_and_named(attacked):
    """These have no mask: a command may write them in the worktree, and there they stay."""
    assert (attacked.worktree / ".nvim.lua").exists()
    show = await attacked.held.peer.request("devloop/show", {"run": attacked.run})
    listed = git(attacked.held.root, "ls-tree", "-r", "--name-only", show["run"]["commit"]).splitlines()
    assert "work.txt" in listed and ".zed/settings.json" in listed
    assert not {".nvim.lua", ".VSCODE/tasks.json"} & set(listed)
    assert git(attacked.held.root, "show", f"{show['run']['commit']}:.zed/settings.json") == "original"
    assert any(".nvim.lua" in notice for notice in show["notices"])


async def test_what_runs_outside_later_is_shown_before_anybody_decides(attacked):
    show = await attacked.held.peer.request("devloop/show", {"run": attacked.run})
    (said,) = [notice for notice in show["checkpoint"]["notices"] if "outside the sandbox later" in notice]
    assert ".github/workflows/x.yml (continuous integration)" in said
    assert "sub/.vscode/tasks.json (whoever opens that folder)" in said
    assert "work.txt" not in said
