"""Every way out that was reproduced on a naive profile (security §4): shut."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.sandbox import profile
from devloop.sandbox.command import Command

MARKER = "DEVLOOP_TEST_MARKER"
READ_ALL = """
import glob
for path in glob.glob('/proc/[0-9]*/environ'):
    print(open(path, 'rb').read())
"""


async def test_no_process_inside_shows_the_environment_of_devloop(place, monkeypatch):
    monkeypatch.setenv(MARKER, "visible")
    result = await place.python(READ_ALL)
    assert result.ok
    assert "PATH=" in result.output
    assert MARKER not in result.output


def test_the_marker_is_found_when_bwrap_gets_an_environment(backend):
    """The control: clearing inside is not enough, so the test above can fail."""
    command = Command(argv=("/bin/sh",), cwd=Path("/"), env={"PATH": "/usr/bin:/bin"})
    argv = [str(backend.program), *profile.arguments(command, []), "--", "/bin/sh", "-c", "cat /proc/1/environ"]
    leaked = subprocess.run(argv, env={MARKER: "visible"}, capture_output=True, check=True)
    assert MARKER.encode() in leaked.stdout


async def test_only_the_given_variables_exist(place):
    result = await place.run("env", env={"PATH": "/usr/bin", "HOME": "/home/somebody", "ONE": "1"})
    names = {line.split("=")[0] for line in result.output.splitlines()}
    assert names <= {"PATH", "HOME", "ONE", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "ONE" in names


async def test_the_git_pointer_of_a_worktree_can_not_be_changed(place):
    pointer = place.worktree / ".git"
    pointer.write_text("gitdir: /somewhere\n")
    result = await place.run(
        "cat .git; echo evil > .git; rm -f .git; mv .git x; ln -f .git y; cp /dev/null .git; true",
        masks=(place.view / ".git",),
    )
    assert "gitdir: /somewhere" in result.output
    assert pointer.read_text() == "gitdir: /somewhere\n"
    assert place.residue() == [".git"]


async def test_the_git_pointer_can_be_changed_without_the_mask(place):
    (place.worktree / ".git").write_text("gitdir: /somewhere\n")
    await place.run("echo evil > .git")
    assert (place.worktree / ".git").read_text() == "evil\n"


async def test_a_commit_from_inside_fails(place):
    repository = place.worktree
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=repository, env=environment, check=True)
    before = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, check=True).stdout
    result = await place.run(
        "git -c user.name=x -c user.email=x@example.org commit --allow-empty -m second",
        masks=(place.view / ".git",),
    )
    assert result.exit_code != 0
    after = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, check=True).stdout
    assert before == after


@pytest.mark.parametrize("folder", ["/usr", "/etc", "/opt", "/", "/dev", "/sys", "/var"])
async def test_nothing_of_the_system_can_be_written(place, folder):
    probe = Path(folder, "devloop-probe")
    try:
        result = await place.run(f"echo x > {probe}")
        assert result.exit_code != 0
        assert not probe.exists()
    finally:
        if probe.exists():
            probe.unlink()


async def test_a_link_in_the_worktree_leads_nowhere(place, tmp_path):
    target = tmp_path / "outside"
    target.write_text("untouched")
    (place.worktree / "link").symlink_to(target)
    (place.worktree / "etc").symlink_to("/etc/hostname")
    result = await place.run("echo x > link; cat link; echo x > etc")
    assert "untouched" not in result.output
    assert target.read_text() == "untouched"
    assert result.exit_code != 0


async def test_the_home_folder_of_the_person_is_empty_inside(place, tmp_path):
    (tmp_path / "secret").write_text("key")
    result = await place.run(
        f"ls -A {tmp_path}; touch $HOME/x && echo made", env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    )
    assert "secret" not in result.output
    assert "made" in result.output
    assert not (tmp_path / "x").exists()


async def test_secret_files_of_the_system_are_hidden(place):
    secret = [p for p in ("/etc/shadow", "/etc/gshadow") if os.access(p, os.R_OK) and Path(p).stat().st_size]
    if not secret:
        pytest.skip("this user can read no secret file")
    result = await place.run(f"for f in {' '.join(secret)}; do cat $f; done; cat /etc/passwd")
    assert result.output.count("Permission denied") == len(secret)
    assert "root:" in result.output


async def test_no_connection_leaves(place):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert (await place.python(source)).exit_code != 0
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
        assert (await place.python(source, network=True)).ok  # the control: the same probe, with network


async def test_no_name_is_resolved(place):
    result = await place.python("import socket; socket.getaddrinfo('example.org', 80)")
    assert result.exit_code != 0
    assert "gaierror" in result.output


async def test_abstract_sockets_of_the_host_are_out_of_reach(place):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{place.mark}")
        server.listen()
        source = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{place.mark}')"
        assert (await place.python(source, unix_sockets=True)).exit_code != 0
        assert (await place.python(source, unix_sockets=True, network=True)).ok


@pytest.mark.parametrize(
    "words", ["unshare -U true", "unshare -r -m true", "mount -t tmpfs none /tmp", "mount --bind /tmp /usr"]
)
async def test_no_further_namespace_and_no_mount(place, words):
    assert (await place.run(words)).exit_code != 0


async def test_processes_of_the_host_do_not_exist_inside(place):
    result = await place.run(f"kill -0 {os.getpid()}; ls /proc | grep -c '^[0-9]'")
    assert "No such process" in result.output
    assert int(result.output.split()[-1]) < 10


async def test_there_are_no_capabilities(place):
    result = await place.run("grep -E 'Cap(Eff|Prm|Bnd|Amb)' /proc/self/status")
    assert [line.split()[1] for line in result.output.splitlines()] == ["0" * 16] * 4


async def test_no_descriptor_of_devloop_is_inherited(place):
    read_fd, write_fd = os.pipe()
    os.set_inheritable(write_fd, True)
    try:
        result = await place.run("ls /proc/self/fd")
    finally:
        os.close(read_fd)
        os.close(write_fd)
    assert set(result.output.split()) <= {"0", "1", "2", "3"}  # 3 is the folder that ls reads


async def test_hidden_files_can_not_be_read(place):
    (place.worktree / "key.pem").write_text("secret text")
    (place.worktree / "keys").mkdir()
    (place.worktree / "keys" / "a").write_text("secret text")
    result = await place.run(
        "cat key.pem keys/*; ls -A keys", hidden=(place.view / "key.pem", place.view / "keys", place.view / "none")
    )
    assert "secret text" not in result.output
    assert place.residue() == ["key.pem", "keys", "keys/a"]


async def test_a_second_command_sees_nothing_of_the_first_ones_scratch(place):
    await place.run("echo x > /tmp/x; echo x > $HOME/x; echo x > /dev/shm/x")
    seen = (await place.run("ls -A /tmp $HOME /dev/shm")).output.splitlines()
    assert "/tmp:" in seen and "x" not in seen


async def test_scratch_space_is_limited(place):
    from devloop.sandbox import MIB, Limits

    result = await place.run(
        "for d in /tmp $HOME /run /dev/shm /var/tmp; do head -c 8388608 /dev/zero > $d/x && echo filled; done",
        limits=Limits(wall_s=20, scratch_bytes=2 * MIB),
    )
    assert "filled" not in result.output
    assert result.output.count("No space left") == 5


async def test_python_inside_is_the_one_of_the_host(place):
    result = await place.python("import sys, json; print(sys.prefix)")
    assert result.output.strip() in (sys.prefix, sys.base_prefix)


async def test_commands_run_side_by_side(place):
    results = await asyncio.gather(*(place.run(f"echo {n}; exit {n}") for n in range(4)))
    assert [result.exit_code for result in results] == [0, 1, 2, 3]
