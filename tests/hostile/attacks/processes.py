# ruff: noqa: E501 - payloads stay on one line
"""The person's processes and what they hold (security §2.11, §4)."""

from __future__ import annotations

from hostile.ground import PYTHON, Attack, Ground, by_shell, found_in, sh

SECRETS = "2.11 secrets from environment"


def secret(*names: str):
    return lambda ground: [ground.secrets[name].encode() for name in names]


def ptrace(ground: Ground) -> str:
    pid = ground.victim()
    code = (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); "
        f"print('ran' + ':ptrace:') if c.ptrace(16, {pid}, 0, 0) == 0 else print(ctypes.get_errno())"
    )
    return f"'{PYTHON}' -I -S -c \"{code}\""


def kill(ground: Ground) -> str:
    mark = ground.marks / "kill"
    code = f"import signal, time; signal.signal(signal.SIGUSR1, lambda *_: open({str(mark)!r}, 'w')); print(flush=True); time.sleep(600)"
    return f"kill -USR1 {ground.victim(code)}"


def survivor(ground: Ground) -> None:
    sh(ground, "(setsid sh -c 'sleep 0.2; touch survived' >/dev/null 2>&1 &); sleep 0.6")
    found_in(ground, next(each for each in ATTACKS if each.name == "survivor"), b"")


ATTACKS = (
    by_shell(
        "environ-of-1",
        "4 /proc/1/environ",
        lambda g: "cat /proc/1/environ | tr '\\0' '\\n'; env",
        sees=secret("HOSTILE_TOKEN"),
    ),
    by_shell(
        "environ-of-all",
        SECRETS,
        lambda g: "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -a HOSTILE",
        sees=secret("HOSTILE_TOKEN"),
    ),
    by_shell("home-keys", SECRETS, lambda g: f"cat {g.home}/.ssh/id_rsa ~/.ssh/id_rsa", sees=secret(".ssh/id_rsa")),
    by_shell(
        "home-netrc",
        SECRETS,
        lambda g: f"cat {g.home}/.netrc; cat /tmp/*/h/.netrc /home/*/.netrc /roo?/.netrc",
        sees=secret(".netrc"),
    ),
    by_shell(
        "home-by-proc-root",
        SECRETS,
        lambda g: f"cat /proc/*/root{g.home}/.aws/credentials /proc/*/cwd/../.aws/credentials",
        sees=secret(".aws/credentials"),
    ),
    by_shell(
        "home-by-descriptor",
        SECRETS,
        lambda g: (
            f"for f in /proc/self/fd/*; do cat $f/../.config/gh/hosts.yml $f{g.home}/.config/gh/hosts.yml; done 2>/dev/null; cat {g.home}/.config/gh/hosts.yml"
        ),
        sees=secret(".config/gh/hosts.yml"),
    ),
    by_shell("ptrace", "2.11 the daemon's memory", ptrace),
    by_shell("kill", "2.11 the person's processes", kill),
    by_shell(
        "state-directory",
        SECRETS,
        lambda g: (
            f"ls -A {g.tmp}/m && echo ran'':state-directory:; ls {g.tmp}/s {g.tmp}/c && echo ran'':state-directory:"
        ),
    ),
    by_shell("namespace", "4 nested user namespaces", lambda g: "unshare -Urm true && echo ran'':namespace:"),
    Attack(
        "survivor",
        "4 setsid survivors",
        survivor,
        does=lambda _: [
            ("run_command", {"command": "(setsid sh -c 'sleep 1; touch survived' >/dev/null 2>&1 &); echo begun"})
        ],
        left=("survived",),
    ),
)
