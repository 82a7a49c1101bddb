"""What a command may not change, what it may not take, and what it leaves behind."""

from fixes.model import Cut, Fix
from fixes.sandbox import UNTRIED

RUN = "tests/sandbox/test_sandbox_run.py::"
CAPS = "tests/sandbox/test_sandbox_caps.py::"
MASKS = "tests/sandbox/test_sandbox_masks.py::"
PROCESSES = "tests/sandbox/test_sandbox_processes.py::"
TOOLCHAIN = "tests/sandbox/test_sandbox_toolchain.py::"
DEEP = "tests/workspace/test_workspace_deep.py::"

MASKED = "masks=tuple(services.root / name for name in tools.PROTECTED"

ABSENT = "        if kind is None:\n"
MADE = (
    "            spare = outer.spare if len(parts) == 1 else None  # deeper ones could be led elsewhere by a link\n"
    "            points.make(path, spare)\n"
    "            ground.point(path, spare)\n"
)
PRESENT = "        elif stat.S_ISDIR(kind) and (empty"

FIXES = (
    # Masks
    Fix(
        name="masks-of-commands",
        threat="§4, §2.5, §2.9: a command rewrites the .git pointer, or makes .vscode/tasks.json and the like",
        says="an agent's commands see what is protected read-only, present or absent",
        cuts=(
            Cut(
                "tools/running.py",
                "masks=tuple(dict.fromkeys((*context.masks, *protected, *readonly)))",
                "masks=tuple(readonly)",
            ),
        ),
        tests=(
            f"{RUN}test_no_masked_path_is_changed_present_or_absent[agent]",
            f"{RUN}test_what_is_protected_stands_in_the_worktree_as_it_was_and_what_is_absent_is_not_there",
        ),
    ),
    Fix(
        name="read-only-paths-to-the-last",
        threat="§7: so many files that the patterns of `paths.readonly` are not compared with all of them",
        says="no command runs before everything that they name is known",
        cuts=(Cut("tools/running.py", "        if walk.stopped:", "        if False:"),),
        tests=(
            "tests/tools/test_tools_commands.py::test_where_read_only_places_could_not_be_looked_for_to_the_end_no_command_runs",
        ),
    ),
    Fix(
        name="masks-of-the-set-up",
        threat="§4, §2.3: what the set-up command calls rewrites the .git pointer or makes such files",
        says="the set-up command has the same masks, but for the environments that it makes",
        cuts=(Cut("runs/prepare.py", f"{MASKED} if name not in tools.ENVIRONMENTS),", "masks=(),"),),
        tests=(f"{RUN}test_no_masked_path_is_changed_present_or_absent[setup]",),
    ),
    Fix(
        name="masks-of-hooks",
        threat="§4, §2.5: what a hook calls of the worktree rewrites the .git pointer or makes such files",
        says="hooks that may write have the same masks",
        cuts=(Cut("runs/hooking.py", f"{MASKED}) if write else (),", "masks=(),"),),
        tests=(f"{RUN}test_no_masked_path_is_changed_present_or_absent[hook]",),
    ),
    Fix(
        name="absent-paths-are-masked",
        threat="§4: create a protected directory that is missing",
        says="what is protected and absent is made first, empty, and masked",
        cuts=(
            Cut(
                "sandbox/masks.py",
                f"{ABSENT}{MADE}{PRESENT}",
                f"{ABSENT}            return None\n{PRESENT}",
            ),
        ),
        tests=(
            f"{MASKS}test_what_is_absent_can_not_be_created_and_leaves_nothing",
            f"{RUN}test_no_masked_path_is_changed_present_or_absent[agent]",
        ),
    ),
    Fix(
        name="absent-paths-are-nobody-elses",
        threat="§4: what a command puts where a protected path is absent is read outside while it runs",
        says="where a protected path is absent a command sees a closed folder in memory, which ends with it",
        cuts=(
            Cut(
                "sandbox/profile.py",
                "            words += _nothing(mount.target)\n            continue\n",
                '            words += ["--bind", str(mount.source), str(mount.target)]\n            continue\n',
            ),
            UNTRIED,
        ),
        tests=(f"{MASKS}test_what_a_command_puts_where_nothing_is_nobody_else_sees",),
    ),
    Fix(
        name="mount-points-are-removed",
        threat="§4: bwrap leaves an empty mount point",
        says="what was made for a mask is removed after the command (the canary asks for it: cut as well)",
        cuts=(
            Cut("sandbox/points.py", "                _remove_empty(path, file=file)", "                pass"),
            Cut("sandbox/canary.py", 'if (inside / "masked").exists():', "if False:"),
        ),
        tests=(
            f"{MASKS}test_what_is_absent_can_not_be_created_and_leaves_nothing",
            f"{MASKS}test_an_empty_folder_that_a_crash_left_over_is_removed",
        ),
    ),
    Fix(
        name="what-waits-is-empty",
        threat="§4: what a crash left among the mount points that wait is put into the worktree of another run",
        says="of what an earlier process left there only empty folders are used",
        cuts=(Cut("sandbox/points.py", ' if _is_empty_folder(f"{spare}/{name}")]', "]"),),
        tests=(f"{MASKS}test_what_waits_and_is_no_empty_folder_goes_into_no_worktree",),
    ),
    Fix(
        name="closed-folders-are-opened",
        threat="§4: a command closes the folder it works in, and no later command or hook can run there",
        says="where a command may write, the folder is opened again after it",
        cuts=(Cut("sandbox/masks.py", "                _open(mount.source)", "                pass"),),
        tests=(f"{MASKS}test_a_command_that_closes_the_folder_it_works_in_is_not_the_last_one_there",),
    ),
    Fix(
        name="folders-above-a-mask-are-pinned",
        threat="§2.5: the folder above a protected file is swapped for another",
        says="each folder above a mask is a mount point, which can't be renamed",
        cuts=(Cut("sandbox/masks.py", "        if mount not in kept:", "        if last and mount not in kept:"),),
        tests=(f"{MASKS}test_the_folder_above_a_mask_can_not_be_swapped",),
    ),
    Fix(
        name="masked-links-are-put-back",
        threat="§2.6: a protected link is replaced by a file",
        says="a link at a protected place stands as before after each command",
        cuts=(Cut("sandbox/masks.py", "            ground.link(path, leads_to)\n", ""),),
        tests=(
            f"{MASKS}test_a_masked_link_is_put_back_and_its_target_is_masked",
            f"{MASKS}test_a_masked_link_that_leads_out_is_put_back",
        ),
    ),
    Fix(
        name="masks-are-counted",
        threat="§2.5: one command that ends takes away the mask of another",
        says="the last command that needs a mount point removes it",
        cuts=(Cut("sandbox/points.py", "        if _in_use[path] <= 0:", "        if _in_use[path] < 9:"),),
        tests=(f"{MASKS}test_one_command_that_ends_does_not_unmask_another",),
    ),
    Fix(
        name="what-opens-with-a-folder-is-left-out",
        threat="§2.5: files that other editors and tools execute when the folder is opened or entered",
        says="a commit holds them as its base does, by any spelling that a file system takes for theirs",
        cuts=(
            Cut("runs/acceptance.py", "for name in (*PROTECTED, *KEPT) if", "for name in PROTECTED if"),
            Cut(
                "workspace/attempts.py",
                'part.rstrip(". ") for part in path.casefold().split',
                "part for part in path.split",
            ),
        ),
        tests=(f"{RUN}test_what_other_programs_execute_is_left_out_of_the_commit_and_named",),
    ),
    Fix(
        name="file-tools-keep-to-it",
        threat="§2.5: the same files, by the tools that write",
        says="file tools write nothing that is protected or kept as it is",
        cuts=(Cut("tools/batch.py", "kept_out = (*context.protected, *context.kept)", "kept_out = ()"),),
        tests=(f"{RUN}test_file_tools_write_nothing_of_it",),
    ),
    Fix(
        name="what-runs-outside-later-is-shown",
        threat="§2.3, §2.5: work that workflows, package managers or other agents execute outside the sandbox",
        says="the checkpoint names such files and who executes them",
        cuts=(Cut("runs/acceptance.py", "    await _notice_outside(services, run, made.id)\n", ""),),
        tests=(f"{RUN}test_what_runs_outside_later_is_shown_before_anybody_decides",),
    ),
    # Environment
    Fix(
        name="no-environment-for-process-one",
        threat="§4, §13.9: /proc/1/environ shows the daemon's environment",
        says="bwrap starts with an empty environment (without that the canary refuses the sandbox: cut as well)",
        cuts=(
            Cut(
                "sandbox/bubblewrap.py",
                "                env={},",
                '                env=dict(__import__("os").environ),',
            ),
            Cut("sandbox/canary.py", "if variables is not None and (leaked :=", "if False and (leaked :="),
        ),
        tests=(
            f"{RUN}test_the_daemons_environment_is_seen_nowhere",
            "tests/sandbox/test_sandbox_escapes.py::test_no_process_inside_shows_the_environment_of_devloop",
        ),
    ),
    # Limits
    Fix(
        name="number-of-processes",
        threat="§13.11: fork bomb",
        says="the watch counts processes and threads, which holds for the superuser, and the kernel does for others",
        cuts=(
            Cut("sandbox/watch.py", "if limits.processes is not None and len(seen) > limits.processes:", "if False:"),
            Cut("sandbox/watch.py", "if limits.processes is not None and count > limits.processes:", "if False:"),
            Cut("sandbox/limits.py", "    if processes and (count :=", "    if False and (count :="),
        ),
        tests=(
            f"{PROCESSES}test_a_fork_bomb_is_bounded",
            f"{PROCESSES}test_threads_count_as_processes",
        ),
    ),
    Fix(
        name="number-of-processes-by-the-kernel",
        threat="§13.11: fork bomb of an ordinary user, between two looks of the watch",
        says="RLIMIT_NPROC in the user namespace of the command alone",
        cuts=(Cut("sandbox/limits.py", "    if processes and (count :=", "    if False and (count :="),),
        tests=(f"{CAPS}test_for_an_ordinary_user_the_kernel_limits_processes",),
    ),
    Fix(
        name="memory-of-a-process",
        threat="§13.11: memory bomb of one process",
        says="RLIMIT_DATA",
        cuts=(Cut("sandbox/limits.py", '"RLIMIT_DATA": limits.memory_bytes,', '"RLIMIT_DATA": None,'),),
        tests=(f"{CAPS}test_one_process_can_not_even_ask_for_more_than_a_command_may_have",),
    ),
    Fix(
        name="memory-of-a-command",
        threat="§13.11: memory bomb of many processes",
        says="the watch adds up what the command's processes use together",
        cuts=(Cut("sandbox/watch.py", "    if cap is not None and memory > cap and", "    if False and"),),
        tests=(f"{PROCESSES}test_processes_together_can_not_take_more_memory_than_allowed",),
    ),
    Fix(
        name="memory-of-the-machine",
        threat="§13.11: memory bomb in files in memory, which no process's account shows",
        says="the watch keeps a reserve of the machine's memory",
        cuts=(Cut("sandbox/watch.py", "over = over or _machine(available, limits.memory_reserve_bytes)", "pass"),),
        tests=(f"{CAPS}test_memory_that_is_in_no_processs_account_counts",),
    ),
    Fix(
        name="first-to-go",
        threat="§13.11: the kernel, out of memory, ends the daemon instead of the command",
        says="commands raise their own score for it",
        cuts=(Cut("sandbox/limits.py", "    lines.append(_FIRST_TO_GO)\n", ""),),
        tests=(f"{CAPS}test_commands_are_the_first_to_go_when_the_machine_has_no_memory_left",),
    ),
    Fix(
        name="size-of-a-file",
        threat="§13.11: disk filler, one file",
        says="RLIMIT_FSIZE",
        cuts=(Cut("sandbox/limits.py", '"RLIMIT_FSIZE": limits.file_bytes,', '"RLIMIT_FSIZE": None,'),),
        tests=(f"{PROCESSES}test_a_file_can_not_grow_beyond_its_limit",),
    ),
    Fix(
        name="room-on-the-disk",
        threat="§13.11: disk filler, many files",
        says="the watch keeps a reserve of the disk",
        cuts=(Cut("sandbox/watch.py", "if now.size < reserve and now.size <", "if False and now.size <"),),
        tests=(f"{PROCESSES}test_filling_the_disk_ends_the_command",),
    ),
    Fix(
        name="number-of-files",
        threat="§13.11: disk filler, files without content until the disk can name no more",
        says="the watch keeps a reserve of files",
        cuts=(Cut("sandbox/watch.py", "if now.files < few and", "if False and"),),
        tests=(f"{CAPS}test_whoever_makes_files_without_number_is_stopped",),
    ),
    Fix(
        name="processor-time",
        threat="§6.2: a command that uses up the processor",
        says="RLIMIT_CPU",
        cuts=(Cut("sandbox/limits.py", '"RLIMIT_CPU": limits.cpu_s,', '"RLIMIT_CPU": None,'),),
        tests=(f"{PROCESSES}test_processor_time_is_limited",),
    ),
    Fix(
        name="wall-time",
        threat="§13.8: a command that never ends",
        says="it is killed at its limit",
        cuts=(Cut("sandbox/process.py", "timeout=max(wall, 0),", "timeout=max(wall, 0) + 6,"),),
        tests=(f"{PROCESSES}test_a_timeout_leaves_no_process",),
    ),
    Fix(
        name="flood-of-output",
        threat="§13.11: output without end",
        says="a command that prints more than anybody reads is ended",
        cuts=(Cut("sandbox/process.py", "                flood.set()", "                pass"),),
        tests=(f"{CAPS}test_whoever_prints_without_end_is_stopped",),
    ),
    Fix(
        name="output-is-kept-in-part",
        threat="§13.11: output that fills devloop's memory",
        says="only head and tail of it are kept",
        cuts=(Cut("sandbox/output.py", "            del self._tail[: -self._tail_size]", "            pass"),),
        tests=("tests/sandbox/test_sandbox_output.py::test_little_output_is_kept_whole_and_much_is_cut",),
    ),
    # What is left behind
    Fix(
        name="paths-that-nobody-can-open",
        threat="§13.11: folders deeper than a path may be break the run that made them",
        says="a snapshot leaves out what is deeper than anybody could check out",
        cuts=(Cut("workspace/trees.py", "    if len(os.fsencode(path)) > MAX_PATH:", "    if False:"),),
        tests=(f"{DEEP}test_it_is_no_part_of_the_work_and_leaves_with_the_worktree",),
    ),
    Fix(
        name="deep-folders-are-removed",
        threat="§13.11: folders deeper than a path may be can't be removed",
        says="each folder is moved up before it is emptied",
        cuts=(
            Cut(
                "workspace/safe_remove.py",
                "                _remove(path)",
                '                __import__("shutil").rmtree(path)',
            ),
        ),
        tests=(f"{DEEP}test_it_is_removed_and_no_link_is_followed",),
    ),
    Fix(
        name="half-made-sandboxes-are-swept",
        threat="§13.8: devloop dies a moment after it started a sandbox",
        says="the next one ends what waits for it for ever",
        cuts=(Cut("sandbox/orphans.py", "        signal.pidfd_send_signal(handle, signal.SIGKILL)\n", ""),),
        tests=(f"{PROCESSES}test_a_sandbox_that_its_starter_never_finished_is_swept_and_a_running_one_is_not",),
    ),
    # What commands see
    Fix(
        name="no-home-by-a-toolchain",
        threat="§2.3: an environment that the repository brought shows the home folder to commands",
        says="no mount for a toolchain holds a home folder",
        cuts=(Cut("sandbox/toolchain.py", "_is_prefix(folder) and not _holds_home(folder)", "_is_prefix(folder)"),),
        tests=(f"{TOOLCHAIN}test_a_home_folder_is_never_mounted_whole",),
    ),
    Fix(
        name="environments-name-interpreters",
        threat="§2.3: pyvenv.cfg names a secret as its interpreter",
        says="what it names is shown only when it is an interpreter in its installation",
        cuts=(Cut("sandbox/toolchain.py", "return named and _is_program(real) and", "return True or"),),
        tests=(f"{TOOLCHAIN}test_an_environment_names_interpreters_and_nothing_else",),
    ),
    Fix(
        name="toolchains-are-programs",
        threat="§2.6: a link or a first line names a secret as an interpreter",
        says="what can't be executed is not shown",
        cuts=(
            Cut("sandbox/toolchain.py", "return os.access(path, os.X_OK) and path.is_file()", "return path.is_file()"),
        ),
        tests=(f"{TOOLCHAIN}test_links_and_first_lines_lead_to_nothing_that_cannot_be_executed",),
    ),
)
