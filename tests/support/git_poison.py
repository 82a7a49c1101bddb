"""A repository whose configuration, attributes and hooks leave a mark for each program that git was made to run."""

from __future__ import annotations

import re
from pathlib import Path

HOOKS = (
    "applypatch-msg commit-msg fsmonitor-watchman p4-changelist post-applypatch post-checkout post-commit "
    "post-index-change post-merge post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit "
    "pre-merge-commit pre-push pre-rebase pre-receive prepare-commit-msg push-to-checkout reference-transaction "
    "sendemail-validate update"
)


def poison(repo, marks: Path) -> None:
    """Every command-bearing key known, each leaving a mark of its own when it runs."""
    evil = marks.parent / "evil"

    def program(name: str, then: str = "cat") -> str:
        name = re.sub(r"[^\w.-]", "_", name)
        place = marks.parent / f"evil-{name}"
        place.write_text(f"#!/bin/sh\ntouch '{marks}/{name}'\n{then}\n")
        place.chmod(0o755)
        return str(place)

    git_dir = Path(repo.git("rev-parse", "--absolute-git-dir"))
    (git_dir / "hooks").mkdir(exist_ok=True)
    evil.mkdir()
    for hook in HOOKS.split():
        for folder in (git_dir / "hooks", evil):
            place = folder / hook
            place.write_text(f"#!/bin/sh\ntouch '{marks}/hook-{hook}'\n")
            place.chmod(0o755)
    for key, value in SETTINGS.items():
        found = program(key, "printf 'x\\0/\\0'" if key == "core.fsmonitor" else "cat")
        repo.git("config", key, value.replace("EVIL", found))
    included = marks.parent / "included"
    included.write_text("".join(f'[filter "{name}"]\n\tclean = {program("included")}\n' for name in ("in", "f")))
    repo.git("config", "include.path", str(included))
    repo.git("config", f"includeIf.gitdir:{git_dir}/.path", str(included))
    for name in ("f", "a=b", 'we ird"', "UPPER", "lfs.x"):
        for key in ("clean", "smudge", "process"):
            repo.git("config", f"filter.{name}.{key}", program(f"filter-{key}-{abs(hash(name))}"))
        repo.git("config", f"filter.{name}.required", "true")
        repo.git("config", f"diff.{name}.textconv", program("textconv"))
        repo.git("config", f"diff.{name}.command", program("diff-command"))
        repo.git("config", f"merge.{name}.driver", program("merge-driver"))
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info/attributes").write_text("* filter=f diff=f merge=f\n")


SETTINGS = {
    "core.fsmonitor": "EVIL",
    "core.sshCommand": "EVIL",
    "core.gitProxy": "EVIL",
    "core.askPass": "EVIL",
    "core.editor": "EVIL",
    "core.pager": "EVIL",
    "core.alternateRefsCommand": "EVIL",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.useReplaceRefs": "true",
    "credential.helper": "!EVIL",
    "credential.https://localhost.helper": "!EVIL",
    "gpg.program": "EVIL",
    "gpg.format": "ssh",
    "gpg.ssh.program": "EVIL",
    "gpg.openpgp.program": "EVIL",
    "gpg.x509.program": "EVIL",
    "gpg.ssh.defaultKeyCommand": "EVIL",
    "commit.gpgSign": "true",
    "tag.gpgSign": "true",
    "push.gpgSign": "true",
    "log.showSignature": "true",
    "diff.external": "EVIL",
    "diff.submodule": "diff",
    "diff.tool": "evil",
    "difftool.evil.cmd": "EVIL",
    "difftool.evil.path": "EVIL",
    "merge.tool": "evil",
    "mergetool.evil.cmd": "EVIL",
    "mergetool.evil.path": "EVIL",
    "guitool.evil.cmd": "EVIL",
    "browser.evil.cmd": "EVIL",
    "browser.evil.path": "EVIL",
    "web.browser": "evil",
    "help.browser": "evil",
    "instaweb.browser": "EVIL",
    "instaweb.httpd": "EVIL",
    "man.viewer": "evil",
    "man.evil.cmd": "EVIL",
    "man.evil.path": "EVIL",
    "sequence.editor": "EVIL",
    "interactive.diffFilter": "EVIL",
    "pager.log": "EVIL",
    "pager.diff-tree": "EVIL",
    "pager.status": "EVIL",
    "pager.tag": "EVIL",
    "alias.status": "!EVIL",
    "alias.update-index": "!EVIL",
    "alias.read-tree": "!EVIL",
    "alias.log": "!EVIL",
    "alias.evil": "!EVIL",
    "alias.evil.command": "!EVIL",
    "url.ext::EVIL.insteadOf": "/",
    "url.ext::EVIL.pushInsteadOf": "/",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "uploadpack.packObjectsHook": "EVIL",
    "hook.evil.command": "EVIL",
    "hook.evil.event": "reference-transaction",
    "submodule.recurse": "true",
    "submodule.lib.update": "!EVIL",
    "submodule.lib.url": "ext::EVIL",
    "remote.origin.url": "ext::EVIL",
    "remote.origin.pushurl": "ext::EVIL",
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
    "remote.origin.uploadpack": "EVIL",
    "remote.origin.receivepack": "EVIL",
    "remote.origin.proxy": "EVIL",
    "remote.other.vcs": "evil",
    "receive.procReceiveRefs": "refs/",
    "trailer.run.key": "Devloop-Run",
    "trailer.run.command": "EVIL",
    "trailer.run.cmd": "EVIL",
    "init.templateDir": "/nowhere",
    "sendemail.tocmd": "EVIL",
    "sendemail.ccCmd": "EVIL",
    "sendemail.headerCmd": "EVIL",
    "sendemail.smtpServer": "EVIL",
    "imap.tunnel": "EVIL",
    "gc.auto": "1",
    "maintenance.auto": "true",
    "maintenance.strategy": "incremental",
    "gc.recentObjectsHook": "EVIL",
    "tar.evil.command": "EVIL",
    "lsrefs.unborn": "advertise",
    "fetch.recurseSubmodules": "true",
    "push.recurseSubmodules": "check",
    "bundle.evil.uri": "ext::EVIL",
    "fetch.bundleURI": "ext::EVIL",
    "rebase.instructionFormat": "%s",
    "web.evil": "EVIL",
}
"""Every key by which a program or a transport is named, beside those of filters and drivers; EVIL leaves a mark of its
own. `test_every_command_bearing_key_that_git_names_is_here` compares it with what git itself lists."""

KNOWN_HARMLESS = re.compile(
    r"advice\.|color\.|fsck\.|receive\.fsck\.|fetch\.fsck\.|gitcvs\.|gitweb\.|commitGraph\.|clone\.|clean\.|column\.|commit\."
    r"|uploadpack(?:filter)?\.(?!packObjectsHook)|http\.|https?proxy|status\.|rebase\.|notes\.|transfer\.|completion\."
    r"|core\.(?:fsmonitorHookVersion|quotePath|hooksPath)|credential\.(?!helper)|fsmonitor\.|includeIf\.|include\."
    r"|(?:diff|merge)\.<driver>\.(?!textconv|command|driver)|(?:diff|merge)\.guitool|guitool\..*\.(?!cmd)"
    r"|(?:difftool|mergetool)\.(?!<tool>\.(?:cmd|path))|(?:filter|diff|merge)\.<driver>\.|help\.htmlPath"
    r"|instaweb\.modulePath|sendemail\.(?!tocmd|ccCmd|headerCmd|smtpServer$)|url\.<base>\.|lsrefs\.|ssh\.variant"
    r"|hook\.(?:<.*>\.)?(?:jobs|parallel|enabled)|pack\.|promisor\.|extensions\.|rerere\.|imap\.(?!tunnel)|index\."
    r"|remote\.<name>\.(?:proxyAuthMethod|serverOption|followRemoteHEAD)|worktree\.|sequencer?\.x|versionsort\."
    r"|bundle\.|core\.(?:worktree|excludesFile|attributesFile)|mailmap\.|blame\.|log\.|am\.|gc\.repackFilter|hasconfig:|sideband\.|trailer\.<key-alias>\.(?:where|if)|apply\.|branch\.",
    re.IGNORECASE,
)
"""Keys that name no program, or are set beside `SETTINGS`."""
BEARING = re.compile(
    r"command|program|editor|pager|hook|driver|external|textconv|helper|askpass|cmd|exec|uploadpack|receivepack|"
    r"fsmonitor|proxy|filter|browser|path$|tool|process|clean|smudge|alias|vcs|url|viewer|httpd|tunnel|smtpserver$",
    re.IGNORECASE,
)


def poison_more(repo, marks: Path) -> None:
    """What is no setting: replacements, grafts, an index that asks a monitor, a submodule with a life of its own."""
    git_dir = repo.path / ".git"
    library = marks.parent / "library"
    repo.git("init", "-q", str(library))
    repo.write({"l": "one\n"}, library)
    repo.git("add", "-A", cwd=library)
    repo.git("commit", "-q", "-m", "l", cwd=library)
    repo.git("submodule", "add", "-q", str(library), "lib")
    repo.commit({".devloop/other": "x"}, "a submodule")
    program = marks.parent / "evil-inner"
    program.write_text(f"#!/bin/sh\ntouch '{marks}/submodule'\ncat\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "filter.f.clean", "filter.f.smudge", "diff.f.textconv", "diff.external"):
        repo.git("config", key, str(program), cwd=repo.path / "lib")
    (git_dir / "modules/lib/info").mkdir(exist_ok=True)
    (git_dir / "modules/lib/info/attributes").write_text("* filter=f diff=f merge=f\n")
    for event in ("post-checkout", "post-index-change"):
        place = git_dir / "modules/lib/hooks" / event
        place.parent.mkdir(exist_ok=True)
        place.write_text(program.read_text())
        place.chmod(0o755)
    repo.write({"lib/l": "two\n"})  # as long as before: to see that it changed, git reads it, through its filter
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info/grafts").write_text(f"{repo.head}\n")
    blob = repo.git("rev-parse", "HEAD:src/b.py")
    repo.git("replace", blob, repo.git("rev-parse", "HEAD:README.md"))


def marks_of(marks: Path) -> list[str]:
    """What left a mark since the last time."""
    found = sorted(path.name for path in marks.iterdir())
    for name in found:
        (marks / name).unlink()
    return found
