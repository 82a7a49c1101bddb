"""Keys: where they are kept, who gets them, and that no process shows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import ClassVar

import pytest

import devloop
from devloop import keys, launch
from devloop.daemon.environment import ClientEnvironment
from devloop.errors import Refused, UsageError
from devloop.paths import StateDir
from devloop.redact import Redactor
from support.projects import at_home, make_repository

KEY = "sk-" + "ant-" + "Zq8" * 12

_PACKAGE = Path(devloop.__file__).parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path, monkeypatch)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return tmp_path


def use_backend(monkeypatch: pytest.MonkeyPatch, place: Path, body: str, priority: float = 5) -> None:
    """A keyring of this test alone, with what it does."""
    import keyring
    from keyring.backend import KeyringBackend

    class Base(KeyringBackend):
        name = "a keyring"
        kept: ClassVar[dict[tuple[str, str], str]] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    scope: dict[str, object] = {"Base": Base}
    exec(textwrap.dedent(body), scope)
    made = scope["Made"]
    made.priority = priority
    monkeypatch.setattr(keyring, "get_keyring", lambda: made())


WORKING = "class Made(Base):\n    kept = {}\n"


def test_without_a_keyring_the_key_is_in_a_file_that_only_its_owner_reads(home: Path) -> None:
    assert keys.store(KEY).kind == "file"
    assert keys.file().stat().st_mode & 0o777 == 0o600
    found = keys.find()
    assert found is not None and found.key == KEY and KEY not in repr(found)
    assert keys.remove() == "file" and keys.find() is None and not keys.file().exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_and_what_to_do_is_said(home: Path, mode: int) -> None:
    keys.store(KEY)
    keys.file().chmod(mode)
    with pytest.raises(Refused) as refused:
        keys.find()
    assert "chmod 600" in refused.value.hint and KEY not in refused.value.sentences


def test_a_link_in_the_files_place_is_refused_for_reading_and_for_writing(home: Path) -> None:
    elsewhere = home / "elsewhere"
    elsewhere.write_text("{}")
    elsewhere.chmod(0o600)
    keys.file().parent.mkdir(parents=True, exist_ok=True)
    keys.file().symlink_to(elsewhere)
    for act in (keys.find, lambda: keys.store(KEY)):
        with pytest.raises(Refused):
            act()
    assert elsewhere.read_text() == "{}"


def test_a_key_is_given_to_the_service_that_it_was_stored_for_and_to_no_other(home: Path) -> None:
    keys.store(KEY, "https://one.example/")
    assert keys.find("https://one.example") is not None
    assert keys.find() is None and keys.find("https://two.example") is None


def test_a_keyring_that_works_holds_the_key_and_the_file_does_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_backend(monkeypatch, home, WORKING)
    assert keys.store(KEY).kind == "keyring"
    assert KEY not in keys.file().read_text()
    found = keys.find()
    assert found is not None and (found.kind, found.key) == ("keyring", KEY)
    assert keys.remove() == "keyring" and keys.find() is None


@pytest.mark.parametrize(
    ("what", "body", "priority"),
    [
        ("loses it", "class Made(Base):\n    def set_password(self, *_): pass\n", 5),
        ("breaks", "class Made(Base):\n    def set_password(self, *_): raise RuntimeError('locked')\n", 5),
        ("gives another", "class Made(Base):\n    def get_password(self, *_): return 'something else'\n", 5),
        ("is not recommended", WORKING, 0.5),
        ("is plain text", "class PlaintextKeyring(Base):\n    kept = {}\nMade = PlaintextKeyring\n", 5),
    ],
    ids=["loses", "breaks", "another", "priority", "plain-text"],
)
def test_a_keyring_that_does_not_keep_secrets_is_not_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch, what: str, body: str, priority: float
) -> None:
    use_backend(monkeypatch, home, body, priority)
    assert keys.store(KEY).kind == "file", what
    found = keys.find()
    assert found is not None and found.key == KEY


def test_a_keyring_that_hangs_holds_nobody_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE_S", 0.05)
    use_backend(
        monkeypatch,
        home,
        "import threading\nclass Made(Base):\n    def set_password(self, *_): threading.Event().wait(9)",
    )
    assert keys.store(KEY).kind == "file"


def test_a_keyring_that_is_silent_later_is_named_instead_of_going_on_without_a_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_backend(monkeypatch, home, WORKING)
    keys.store(KEY)
    use_backend(monkeypatch, home, "class Made(Base):\n    kept = {}\n    def get_password(self, *_): return None")
    with pytest.raises(Refused, match="keyring"):
        keys.find()


@pytest.mark.parametrize(
    "wrong", ["", "  \n", "tiny7", "two words in a key", "k" * 5000, "umlaut-kéy-123", "a\x1b[0mbcdefg"]
)
def test_what_can_be_no_key_is_not_stored_and_not_repeated(home: Path, wrong: str) -> None:
    with pytest.raises(UsageError) as refused:
        keys.store(wrong)
    assert not wrong.strip() or wrong.strip() not in refused.value.sentences
    assert not keys.file().exists()


# the commands


def devloop(root: Path, *arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "devloop", *arguments],
        cwd=root,
        input=typed,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


def test_login_reads_from_a_pipe_says_where_the_key_is_and_never_shows_it(home: Path) -> None:
    root = make_repository(home / "project")
    made = devloop(root, "login", "--json", typed=f"{KEY}\n")
    assert json.loads(made.stdout)["stored"] == "file"
    status = devloop(root, "login", "--status", "--json")
    said = json.loads(status.stdout)
    assert (said["source"], said["place"]) == ("file", str(keys.file()))
    over = json.loads(devloop(root, "login", "--status", "--json", ANTHROPIC_API_KEY="sk-other-key-1").stdout)
    assert over["source"] == "environment"
    keys.file().chmod(0o644)
    told = devloop(root, "login", "--status").stdout
    assert "chmod 600" in told
    keys.file().chmod(0o600)
    gone = devloop(root, "logout", "--json")
    assert json.loads(gone.stdout)["removed"] == "file"
    assert all(KEY not in each.stdout + each.stderr for each in (made, status, gone)) and KEY not in told
    refused = devloop(root, "login", KEY)
    assert refused.returncode == 2


# processes


def test_a_process_begins_without_secrets_and_is_told_them(home: Path) -> None:
    environment = {
        "MY_TOKEN": "t0ken-t0ken",
        "A_URL": "postgres://u:pa55word@h/d",
        "PLAIN": "x",
        "AUTHOR": "Pat Person",
    }
    open_ones, secret = launch.parted(environment)
    assert set(open_ones) == {"PLAIN", "AUTHOR"} and set(secret) == {"MY_TOKEN", "A_URL"}
    program = "import os\nfrom devloop import launch\nlaunch.take()\nprint(os.environ['MY_TOKEN'], os.read(0, 1))"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **open_ones},
    )
    launch.tell(process, secret)
    assert process.stdout is not None
    with process.stdout as out:
        assert out.read().split() == [b"t0ken-t0ken", b"b''"]
    assert process.wait() == 0


def test_more_secrets_than_a_pipe_holds_leave_out_the_longest(home: Path) -> None:
    packed = launch.packed({"SMALL_KEY": "s" * 20, "HUGE_KEY": "h" * 100_000})
    assert json.loads(packed) == {"SMALL_KEY": "s" * 20}


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_process_that_closed_itself_shows_its_environment_to_no_other_of_the_same_user(tmp_path: Path) -> None:
    """Two processes of one user: a third party's view, which root's is not."""
    secret = "the-" + "marker-in-the-environment"
    holder = textwrap.dedent(
        """
        import os, sys
        if os.geteuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        PR_SET_DUMPABLE = 4
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after an execve; setuid closed it, too
        if sys.argv[1] == "closed":
            assert keys.close_to_others()
        print("ready", flush=True)
        sys.stdin.read()
        """
    )
    reader = textwrap.dedent(
        """
        import os, sys
        if os.geteuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        try:
            print(open(f"/proc/{sys.argv[1]}/environ").read())
        except PermissionError:
            print("refused")
        """
    )
    preload = "import ctypes\nfrom devloop import keys\n" + holder  # while its files can be read
    seen = {}
    for state in ("open", "closed"):
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", preload, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "A_MARKER": secret},
        )
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        seen[state] = subprocess.run(
            [sys.executable, "-I", "-S", "-c", reader, str(process.pid)], capture_output=True, text=True
        ).stdout
        process.stdin.close()
        process.stdout.close()
        process.wait()
    assert secret in seen["open"] and seen["closed"] == "refused\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_daemon_that_is_started_shows_no_secret_of_its_starter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "of-the-shell-" + "that-began-it"
    monkeypatch.setenv("SOME_DEPLOY_TOKEN", secret)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    root = make_repository(home / "project")
    state = StateDir.of(root).make()
    launch.Launcher(root, state).keep_one_coming()
    process = launch._started[-1]
    try:
        end = time.monotonic() + 60
        while not state.daemon_file.exists():
            assert process.poll() is None and time.monotonic() < end, launch.last_line(state.logs / "daemon.log")
            time.sleep(0.02)
        for what in ("environ", "cmdline"):
            shown = Path(f"/proc/{process.pid}/{what}").read_bytes()
            assert secret.encode() not in shown and KEY.encode() not in shown
    finally:
        process.terminate()
        process.wait(30)


def test_one_way_to_make_a_redactor_knows_environment_stored_keys_and_what_a_client_brought(home, monkeypatch) -> None:
    stored, other, brought = (f"plain{n}-" + "k3y" * 6 for n in range(3))
    keys.store(stored)
    keys.store(other, "https://models.example.org")
    monkeypatch.setenv("SOME_TOKEN", "from-the-" + "environment")
    ClientEnvironment(Redactor()).update({"ANTHROPIC_API_KEY": brought})
    clean = keys.redactor().text
    for secret in (stored, other, brought, "from-the-" + "environment"):
        assert secret not in clean(f"a {secret} b"), secret


def test_nothing_that_tells_texts_makes_a_redactor_that_knows_less() -> None:
    """Two processes make theirs when they begin and add what they learn; whatever else does asks `keys`."""
    made = {
        path.relative_to(_PACKAGE).as_posix()
        for path in _PACKAGE.rglob("*.py")
        if "Redactor.of_environment(" in path.read_text()
    }
    assert made == {"keys.py", "daemon/process.py", "engine/process.py"}
