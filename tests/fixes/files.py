"""Protections of files: whatever an agent or a repository names, nothing outside is read, changed or waited for."""

from __future__ import annotations

from fixes.model import Cut, Fix

CONFINE = "tests/tools/test_tools_confine.py"
RACES = "tests/tools/test_tools_races.py"
BENEATH = "tests/tools/test_tools_beneath.py"
LAYOUTS = "tests/tools/test_tools_layouts.py"
RESOLVE = "RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS"
TOOLS_RACE = f"{RACES}::test_no_tool_goes_out_while_folders_and_files_are_swapped_for_links_and_pipes"
PIPE = f"{BENEATH}::test_no_pipe_of_a_repository_is_waited_for"

FIXES: tuple[Fix, ...] = (
    Fix(
        name="openat2-below-the-worktree",
        threat="§7, §2.6, §4: a link in the worktree leads to /etc/passwd; a folder is swapped for a link (§13.3)",
        says="the kernel opens below the worktree's descriptor, through no link",
        cuts=(Cut("openat2.py", old=RESOLVE, new="0"),),
        tests=(
            f"{CONFINE}::test_links_are_refused_with_their_target_named[openat2]",
            f"{TOOLS_RACE}[openat2]",
        ),
        tries=5,
    ),
    Fix(
        name="no-link-by-component",
        threat="§7: the same where the kernel has no openat2",
        says="each component is opened with O_NOFOLLOW",
        cuts=(
            Cut(
                "openat2.py",
                old="(flags if number == len(parts) else FOLDER) | NOFOLLOW",
                new="(flags if number == len(parts) else FOLDER)",
            ),
        ),
        tests=(
            f"{CONFINE}::test_links_are_refused_with_their_target_named[by component]",
            f"{TOOLS_RACE}[by component]",
        ),
        tries=5,
    ),
    Fix(
        name="folders-for-writing-without-links",
        threat="§7, §13.3: a folder becomes a link between its check and a write",
        says="a write walks to its folder by descriptors, without links",
        cuts=(Cut("tools/confine.py", old="os.open(part, FOLDER | NOFOLLOW,", new="os.open(part, FOLDER,"),),
        tests=(f"{TOOLS_RACE}[openat2]", f"{TOOLS_RACE}[by component]"),
        tries=5,
    ),
    Fix(
        name="links-of-the-repository-stay-below-it",
        threat="§7: `.devloop/plan.md` or a state file is a link that leads out",
        says="a link is read and its target walked below the root; `..` and absolute targets beyond it are refused",
        cuts=(
            Cut(
                "beneath_walk.py",
                old="                if len(held) == 1:\n                    raise Outside(relative)\n"
                "                os.close(held.pop())\n",
                new="                held.append(os.open('..', FOLDER, dir_fd=held[-1]))\n",
            ),
        ),
        tests=(
            f"{BENEATH}::test_links_are_followed_below_the_root_and_nowhere_else[openat2]",
            f"{BENEATH}::test_links_are_followed_below_the_root_and_nowhere_else[by component]",
        ),
    ),
    Fix(
        name="what-became-a-link-is-not-followed",
        threat="§2.16, §13.3: between looking at a name and opening it, it becomes a link",
        says="what was no link is opened with O_NOFOLLOW, in devloop's own reads and writes",
        cuts=(
            Cut(
                "beneath.py",
                old="return os.open(name, flags | NOFOLLOW, dir_fd=folder)",
                new="return os.open(name, flags, dir_fd=folder)",
            ),
            Cut(
                "beneath_walk.py",
                old="return os.open(name, FOLDER | NOFOLLOW, dir_fd=folder)",
                new="return os.open(name, FOLDER, dir_fd=folder)",
            ),
        ),
        tests=(f"{BENEATH}::test_what_becomes_a_link_just_after_it_was_looked_at_is_not_followed",),
    ),
    Fix(
        name="no-pipe-is-waited-for",
        threat="§7: a FIFO where a file is expected stops the daemon",
        says="files are opened without waiting and refused when they are none",
        cuts=(Cut("openat2.py", old='getattr(os, "O_NONBLOCK", 0)', new="0"),),
        tests=(f"{PIPE}[0-package.json]", f"{PIPE}[8-.devloop/x.json]"),
    ),
    Fix(
        name="only-regular-files-are-read",
        threat="§7: devices, FIFOs and sockets",
        says="what was opened is examined by its descriptor",
        cuts=(
            Cut(
                "tools/confine.py",
                old="if stat.S_ISREG(mode) or stat.S_ISDIR(mode):\n            return fd",
                new="return fd",
            ),
        ),
        tests=(
            f"{CONFINE}::test_special_files_are_refused_without_waiting[openat2]",
            f"{CONFINE}::test_special_files_are_refused_without_waiting[by component]",
        ),
    ),
    Fix(
        name="bounded-reads",
        threat="§7: a file that fills the memory",
        says="devloop reads no more of a repository's file than its limit",
        cuts=(
            Cut(
                "beneath.py",
                old="data = head(root, relative, limit + 1, links=links)",
                new="data = head(root, relative, limit, links=links)",
            ),
        ),
        tests=(f"{BENEATH}::test_what_is_too_large_is_not_read_and_what_is_there_is_not_overwritten_as_new[openat2]",),
    ),
    Fix(
        name="git-in-every-spelling",
        threat="§7, §2.6: `.GIT`, `.git `, `git~1`, `.git::$INDEX_ALLOCATION`, ignored characters",
        says="every spelling that some file system takes for .git is refused",
        cuts=(
            Cut(
                "tools/confine.py",
                old='piece == ".git" for part in parts for piece in spellings(part)',
                new='part == ".git" for part in parts',
            ),
        ),
        tests=(f"{CONFINE}::test_git_is_refused_in_every_spelling",),
    ),
    Fix(
        name="protected-paths",
        threat="§2.5: an agent rewrites its own configuration, there or absent",
        says="file tools never write what later executes or decides outside",
        cuts=(
            Cut(
                "tools/confine.py",
                old="            if covered(parts, folder):",
                new="            if False and covered(parts, folder):",
            ),
        ),
        tests=(
            f"{CONFINE}::test_protected_paths_are_read_but_never_written[.devloop/config.toml-openat2]",
            f"{CONFINE}::test_protected_paths_are_read_but_never_written[.VSCode/tasks.json-by component]",
        ),
    ),
    Fix(
        name="protected-by-inode",
        threat="§7: a file system that knows a protected folder by another name",
        says="what is written to is compared with what is protected by device and inode",
        cuts=(
            Cut(
                "tools/confine.py",
                old='    if folder is not None:\n        raise Problem(f"{name} is {folder} by',
                new='    if False:\n        raise Problem(f"{name} is {folder} by',
            ),
        ),
        tests=(f"{LAYOUTS}::test_what_is_protected_is_known_by_any_name_that_the_file_system_has_for_it",),
    ),
    Fix(
        name="no-write-to-hard-links",
        threat="§7: a second name of a file outside",
        says="a file with more than one hard link is not written",
        cuts=(Cut("tools/confine.py", old="if found.st_nlink > 1:", new="if False:"),),
        tests=(f"{CONFINE}::test_a_file_with_two_names_is_not_written[openat2]",),
    ),
    Fix(
        name="no-setuid-is-kept",
        threat="§7: a setuid program with new content",
        says="a written file keeps its mode without setuid, setgid and sticky bit",
        cuts=(
            Cut(
                "tools/confine.py",
                old="return stat.S_IMODE(found.st_mode) & 0o777",
                new="return stat.S_IMODE(found.st_mode)",
            ),
        ),
        tests=(f"{CONFINE}::test_the_mode_is_kept_without_setuid[openat2]",),
    ),
    Fix(
        name="reports-through-no-link",
        threat="§2.6: `.devloop/reports/refactoring.md` is a link to a start-up file of the person",
        says="devloop's report is written below the root's descriptor",
        cuts=(
            Cut(
                "daemon/errands/analyze.py",
                old="    write(project.root, name, text.encode())\n",
                new="    (project.root / name).write_bytes(text.encode())\n",
            ),
        ),
        tests=(f"{BENEATH}::test_no_report_is_written_through_a_link",),
    ),
    Fix(
        name="archives-of-the-repository-alone",
        threat="§2.6: `.devloop/archive/x.md` is a link to a file outside",
        says="archive files are read below the root and are no links",
        cuts=(
            Cut("daemon/archived.py", old=" and stat.S_ISREG(mode)]", new="]"),
            Cut(
                "daemon/archived.py",
                old='beneath.read(root, f"{ARCHIVE}/{name}", MAX_BYTES)',
                new="(root / ARCHIVE / name).read_bytes()",
            ),
        ),
        tests=(f"{BENEATH}::test_what_is_done_is_not_told_by_files_outside",),
    ),
    Fix(
        name="inputs-below-the-root",
        threat="§2.6: `context.json` names /dev/zero or a file outside",
        says="what a state file names is read below the root, without links, up to a limit",
        cuts=(
            Cut(
                "state/context.py",
                old="beneath.read(root, each.path, MAX_MANIFEST, links=False)",
                new="(root / each.path).read_bytes()",
            ),
        ),
        tests=(
            f"{BENEATH}::test_a_list_of_inputs_names_nothing_outside[../outside/file]",
            f"{BENEATH}::test_a_list_of_inputs_names_nothing_outside[link]",
        ),
    ),
    Fix(
        name="private-files-through-no-link",
        threat="§7, §2.16: what `.worktreeinclude` lists becomes a link while it is copied",
        says="both ends of a copy are opened below their roots, without links",
        cuts=(
            Cut(
                "workspace/include.py",
                old="fd = beneath.open_file(source, path, links=False)",
                new="fd = os.open(source / path, os.O_RDONLY)",
            ),
        ),
        tests=("tests/tools/test_tools_beneath.py::test_private_files_are_copied_from_no_link_and_through_none",),
    ),
)
