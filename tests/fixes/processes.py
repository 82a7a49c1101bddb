"""How devloop starts its own processes."""

from fixes.model import Cut, Fix

FIXES = (
    Fix(
        name="no-package-of-the-repository",
        threat="§2.3: what the repository brings runs before it is trusted",
        says="the daemon's interpreter does not look for modules in the folder it begins in",
        cuts=(Cut("launch.py", 'SERVE = (sys.executable, "-P", "-m"', 'SERVE = (sys.executable, "-m"'),),
        tests=(
            "tests/daemon/test_daemon_shadow.py::test_the_daemon_is_ours_in_a_repository_with_a_package_of_the_same_name",
        ),
    ),
    Fix(
        name="exit-codes-arrive",
        threat="§13.8: devloop inherits an ignored SIGCHLD, and no exit code of a gate, a command or git ever arrives",
        says="program, daemon and engine collect their children themselves",
        cuts=(Cut("children.py", "        signal.signal(signal.SIGCHLD, signal.SIG_DFL)\n", "        pass\n"),),
        tests=(
            "tests/daemon/test_daemon_children.py::test_an_ignored_signal_of_children_is_not_inherited",
            "tests/sandbox/test_sandbox_floods.py::test_no_exit_code_is_lost",
        ),
    ),
    Fix(
        name="exit-codes-stay-until-they-are-waited-for",
        threat="§13.8: who kills a process that has just ended takes its exit code away",
        says="a child is killed by its number, without asking whether it has ended",
        cuts=(
            Cut(
                "children.py",
                "            if ended is not None:\n                return\n        os.kill(process.pid, number)\n",
                "        process.send_signal(number)\n",
            ),
        ),
        tests=(
            "tests/daemon/test_daemon_children.py::test_killing_what_has_just_ended_leaves_its_exit_code_to_who_waits_for_it",
        ),
    ),
)
