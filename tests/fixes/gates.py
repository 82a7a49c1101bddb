"""Honest gates: what keeps a lie from becoming a pass (security §10, §2 row 17; gates §5)."""

from __future__ import annotations

from fixes.model import Cut, Fix

FORGED = "§2 row 17, gates §5: forged test reports"
LIAR = "tests/gates/test_gates_liar.py::test_no_lie_is_accepted"
UNSEEN = "tests/gates/test_gates_liar.py::test_no_lie_passes_unseen"
FORGING = "tests/gates/test_gates_forging.py"

WAYS = "tests/gates/test_gates_ways.py::test_"
SURROUNDED = (
    "tests/engine/test_engine_guarding.py"
    "::test_what_surrounds_work_decides_what_it_means_and_what_is_too_much_to_read_is_said"
)

FIXES: tuple[Fix, ...] = (
    Fix(
        name="gates-on-a-clean-checkout",
        threat="§10 b: files that are in no commit make a gate green",
        says="a gate runs on the commit, checked out elsewhere, and not in the agent's worktree",
        cuts=(
            Cut(
                "runs/checks.py",
                "    async with services.workspace.checkout(commit) as tree:\n        return await gates.run_gate(",
                "    async with __import__('contextlib').nullcontext(services.workspace.path(run)) as tree:\n"
                "        return await gates.run_gate(",
            ),
        ),
        tests=(f"{LIAR}[11a keeps what makes it green out of the commit]",),
    ),
    Fix(
        name="gates-without-brought-caches",
        threat="§10 b: code and results in a committed cache stand for what was never run",
        says="caches of Python and of the tools are removed from the checkout",
        cuts=(
            Cut(
                "gates/run.py",
                "caches = await asyncio.to_thread(evidence_of.clear_caches, place.checkout)",
                "caches: tuple[str, ...] = ()",
            ),
        ),
        tests=(f"{LIAR}[11b leaves good code in a cache]",),
    ),
    Fix(
        name="gates-own-tools",
        threat=f"{FORGED}: a module of the tree becomes the tool",
        says="tools start without the tree on the import path",
        cuts=(
            Cut(
                "gates/environment.py",
                "import sys; sys.path[:] = [p for p in sys.path if p]; name = sys.argv.pop(1); ",
                "import sys; name = sys.argv.pop(1); ",
            ),
        ),
        tests=(f"{FORGING}::test_3_a_module_in_the_tree_does_not_become_the_tool[pytest.py]",),
    ),
    Fix(
        name="gates-command-from-the-base",
        threat="§10 a, gates §5.3: the work says which command checks it",
        says="a command is what the base, or trusted text, says; nothing reads it from the work's tree",
        cuts=(
            Cut(
                "gates/place.py",
                "    given = gate.command\n    argv = (*tool.argv, *given[1:]) if tool is not None else given\n",
                "    from tomllib import loads\n\n    said = place.checkout / '.devloop' / 'config.toml'\n"
                "    theirs = loads(said.read_text())['gates'] if said.exists() else {}\n"
                "    given = tuple(theirs.get(gate.name, {}).get('command', gate.command))\n"
                "    argv = (*tool.argv, *given[1:]) if tool is not None and given == gate.command else given\n",
            ),
        ),
        tests=(f"{FORGING}::test_3_the_work_cannot_change_its_own_command",),
    ),
    Fix(
        name="gates-random-report-directory",
        threat=f"{FORGED}: a report that was there before",
        says="reports are written to a new directory of a name nobody knows",
        cuts=(
            Cut("gates/evidence.py", 'Path(tempfile.mkdtemp(prefix="gate-", dir=root)).resolve()', 'root / "gate"'),
            Cut("gates/evidence.py", "made.out.mkdir(mode=0o700)", "made.out.mkdir(0o700, True, True)"),
        ),
        tests=(f"{FORGING}::test_4_a_report_that_waits_at_a_guessed_place_is_not_found",),
    ),
    Fix(
        name="gates-no-older-report",
        threat=f"{FORGED}: an older report",
        says="a report that is older than the start of its gate is refused",
        cuts=(Cut("gates/evidence.py", "if found.st_mtime < started - CLOCK_SLACK_S:", "if False:"),),
        tests=(f"{FORGING}::test_4_a_report_that_the_tree_brings_along_is_not_believed",),
    ),
    Fix(
        name="gates-no-linked-report",
        threat=f"{FORGED}: a link in the report's place",
        says="a report is opened without following links",
        cuts=(Cut("gates/sources.py", 'getattr(os, "O_NOFOLLOW", 0)', "0"),),
        tests=(f"{FORGING}::test_4_a_linked_folder_on_the_way_to_the_report_is_refused",),
    ),
    Fix(
        name="gates-second-witness",
        threat=f"{FORGED}: report and exit code that were made up together",
        says="what the tests said while they ran has to agree with report and exit code",
        cuts=(
            Cut(
                "gates/verdict.py",
                "if stream is not None and (differs := disagreement(stream, report.tests or {}, code)):",
                'if differs := "":',
            ),
        ),
        tests=(
            f"{FORGING}::test_5_a_conftest_that_lies_is_contradicted_by_another_witness"
            "[report rewritten and exit code forced]",
            f"{LIAR}[4b writes its report over the real one at the very end]",
        ),
    ),
    Fix(
        name="gates-a-pipe-and-no-file",
        threat=f"{FORGED}: the second witness is made to say something else at the end",
        says="what a session says goes into a pipe that devloop empties: it can't be taken back",
        cuts=(
            Cut(
                "gates/witness.py",
                "    os.mkfifo(path, 0o600)\n",
                "    path.touch(0o600)\n    yield heard\n    heard.descriptor = os.open(path, os.O_RDONLY)\n"
                "    heard.drain()\n    return\n",
            ),
        ),
        tests=(f"{FORGING}::test_5_what_was_said_once_can_not_be_taken_back",),
    ),
    Fix(
        name="gates-probe",
        threat=f"{FORGED}: failures are turned into passes before anybody hears of them",
        says="in every session one test has to fail, and is seen to",
        cuts=(
            Cut("gates/stream.py", 'if any(outcome not in ("", "failed") for outcome in stream.probes):', "if False:"),
        ),
        tests=(
            f"{LIAR}[5a a hook turns failures into passes]",
            f"{UNSEEN}[13c makes pytest call nothing]",
        ),
    ),
    Fix(
        name="gates-unnamed",
        threat=f"{FORGED}: code that is right only where devloop runs it",
        says="no variable tells the tests who runs them",
        cuts=(
            Cut(
                "gates/place.py",
                'env["PYTHONPATH"] = str(folder.plugin)',
                'env["PYTHONPATH"] = env["DEVLOOP_GATE_STREAM"] = str(folder.plugin)',
            ),
        ),
        tests=(f"{UNSEEN}[14a is right where a variable says who runs it]",),
    ),
    Fix(
        name="gates-fewer-tests-are-shown",
        threat="§10: tests that are gone, or skipped now",
        says="what ran on the base and does not any more is listed, and counted in a warning",
        cuts=(
            Cut("gates/baseline.py", "removed = [node for node in ran_before if node not in now]", "removed = []"),
            Cut("gates/baseline.py", "fewer = len(before) - len(now)", "fewer = 0"),
        ),
        tests=(
            "tests/gates/test_gates_baseline.py::test_tests_that_are_gone_or_skipped_now_are_listed_with_a_warning",
        ),
    ),
    Fix(
        name="tests-as-they-were",
        threat="§10, gates §5.6: a test that was there is emptied in a way that no list of words foresees",
        says="whatever stood in tests and is another now is told, unless the change can take nothing away",
        cuts=(Cut("gates/guards.py", old="one += guard_tests.rewritten(file, one, read, before)", new="one += ()"),),
        tests=(
            "tests/gates/test_gates_kept.py::test_a_test_that_became_another_is_told_and_holds",
            "tests/gates/test_gates_kept.py::test_in_other_languages_lines_that_went_or_end_a_test_are_told",
        ),
    ),
    Fix(
        name="tests-put-nothing-in-place",
        threat="§10, gates §5.6: a new test puts right code in the place of the work, for the tests that were there",
        says="what a module of tests assigns to what it imports is told, and holds",
        cuts=(
            Cut(
                "gates/guard_placed.py",
                old="            if not was[_key(each)]",
                new="            if False",
            ),
        ),
        tests=("tests/gates/test_gates_kept.py::test_what_a_new_test_puts_in_place_of_the_work_for_all_tests_is_told",),
    ),
    Fix(
        name="tests-of-other-languages",
        threat="§10, gates §5.6: a statement before one that was there ends a test of Go, JavaScript or Rust",
        says="a new statement before one that was there, or at the top of a file of tests, is told",
        cuts=(
            Cut(
                "gates/guard_lines.py",
                old="lines = [*([first] if first else []), *_came(hunk, moved, defined)][:1]",
                new="lines = [*([first] if first else [])]",
            ),
        ),
        tests=("tests/gates/test_gates_ways.py::test_a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="tests-in-rust-modules",
        threat="§10, gates §5.6: tests of Rust stand in the module that they test",
        says="what changes in the tests of a Rust module is told as in a file of tests",
        cuts=(Cut("gates/guards.py", old="            one += guard_tests.within(file)\n", new=""),),
        tests=("tests/gates/test_gates_ways.py::test_a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="helpers-of-tests",
        threat="§10, gates §5.6: a helper beside the work is made to agree with everything",
        says="a module that helps tests counts as one of them wherever it lies",
        cuts=(
            Cut(
                "gates/guard_files.py",
                old="_TEST_FILE.search(path) or _TEST_FOLDER.search(path) or _TEST_HELPER.search(path)",
                new="_TEST_FILE.search(path)",
            ),
        ),
        tests=("tests/gates/test_gates_ways.py::test_a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="types-that-say-nothing",
        threat="§10, gates §5.6: a check of types is told nothing",
        says="what hides a value or a module from a check of types without a word for it is told",
        cuts=(
            Cut(
                "gates/guards.py",
                old='[guard("suppression", file.new, line.number, line.text) for line in guard_types.hidden(file)]',
                new="[]",
            ),
        ),
        tests=("tests/gates/test_gates_ways.py::test_a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="plug-ins-of-tests",
        threat="§10, gates §5.6: the work brings a plug-in or a variable for what runs the tests",
        says="entry points of pytest, and variables that tell a runner more than its command does, are told",
        cuts=(Cut("gates/guard_settings.py", old="found += variables(file)", new="found += ()"),),
        tests=("tests/gates/test_gates_ways.py::test_a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="modules-that-stand-before-others",
        threat="§10, gates §5.6: a new module is imported in the place of one that the work leaves alone",
        says="a new module is told that has the name of one that is installed, or stands elsewhere in the tree",
        cuts=(
            Cut(
                "gates/guard_shadows.py",
                old="if always or folder not in self._roots or _module(path) in self._tests_alone:",
                new="if True:",
            ),
        ),
        tests=(f"{WAYS}a_way_that_lies_in_what_surrounds_a_change_holds",),
    ),
    Fix(
        name="files-that-a-configuration-names",
        threat="§10, gates §5.6: the configuration stays as it is, and what it names becomes another",
        says="work on a file that the base's configuration loads, or takes for a test, is told as a change of it",
        cuts=(Cut("gates/guards.py", old="    if why := _named(file, around):\n", new="    if why := '':\n"),),
        tests=(f"{WAYS}a_way_that_lies_in_what_surrounds_a_change_holds",),
    ),
    Fix(
        name="sessions-that-end-early",
        threat="§10, gates §5.6: a module of tests ends the session that it runs in, and nothing failed",
        says="what ends a process, or leaves where no runner of tests catches it, is told under whatever name",
        cuts=(Cut("gates/guard_tests.py", old=", *guard_enders.ending(was, text)]", new="]"),),
        tests=(f"{WAYS}a_way_of_weakening_checks_holds",),
    ),
    Fix(
        name="too-much-to-read-is-said",
        threat="§10, gates §5.6: the work is so large, or written so, that it is compared by its lines alone",
        says="where files were not compared whole that is told, and holds",
        cuts=(
            Cut("runs/guarding.py", old="    if unread:\n", new="    if False:\n"),
            Cut(
                "gates/guards.py",
                old="    if text and guard_syntax.module_of(text) is None:\n",
                new="    if False:\n",
            ),
        ),
        tests=(f"{WAYS}a_way_of_weakening_checks_holds", SURROUNDED),
    ),
    Fix(
        name="guards-hold-unattended",
        threat="§10: weakened checks",
        says="work that changes what checks it is never accepted without a person",
        cuts=(Cut("engine/deciding.py", 'result["removed"] or result.get("holds")', 'result["removed"]'),),
        tests=(
            f"{LIAR}[9c expects what comes out]",
            f"{LIAR}[14b is right where it is tested]",
        ),
    ),
    Fix(
        name="guards-block",
        threat="§10: weakened checks",
        says='with gates.guard = "block" such work fails',
        cuts=(Cut("runs/guarding.py", 'holds and services.settings.guarding.guard == "block"', "False"),),
        tests=("tests/engine/test_engine_guarding.py::test_blocked_it_goes_back_to_the_agent_and_then_to_the_person",),
    ),
    Fix(
        name="gates-from-base",
        threat="gates §5: the work's own tests say nothing",
        says='with gates.from = "base" work has to pass with the tests of its base, too',
        cuts=(Cut("runs/checks.py", 'if services.settings.guarding.files == "base":', "if False:"),),
        tests=(
            "tests/engine/test_engine_guarding.py::test_with_the_bases_tests_a_weaker_test_of_the_work_helps_nobody",
        ),
    ),
    Fix(
        name="scripts-of-a-check",
        threat="§10: the command is trusted, the script that it runs is the work's",
        says="work that changes a script that a check runs is named and waits for a person",
        cuts=(Cut("runs/guarding.py", "await judging(services, base) if found.files else {}", "{}"),),
        tests=(
            "tests/engine/test_engine_guarding.py::test_with_the_bases_tests_a_weaker_test_of_the_work_helps_nobody",
        ),
    ),
    Fix(
        name="tests-where-they-are-looked-for",
        threat="§10: a test is moved into another one, or a class, where nothing runs it (gates §5.6)",
        says="a test that stands where no test is looked for is told as one that checks nothing",
        cuts=(
            Cut("gates/guard_python.py", old="if isinstance(each, Function) and each.name in gone:", new="if False:"),
        ),
        tests=("tests/gates/test_gates_weaker.py::test_a_test_that_moves_to_where_nobody_looks_for_tests_is_named",),
    ),
    Fix(
        name="no-landing-beside-what-no-gate-saw",
        threat="§13.6: accepted work lands on a branch that went on, and no check has run on the two together",
        says="where the branch went on since the gates ran, what was accepted lands only once they saw both",
        cuts=(
            Cut("engine/landing.py", "    if not planned.needs_gates:\n", "    if True:\n"),
            Cut("runs/acceptance.py", "    if planned.needs_gates:\n", "    if False:\n"),
        ),
        tests=(
            "tests/e2e/test_e2e_repositories.py"
            "::test_accepted_work_lands_on_a_branch_that_went_on_once_the_gates_have_seen_both",
        ),
    ),
)
