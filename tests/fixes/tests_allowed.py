"""Protections of `May change tests`: a task's line gives away no more than a person said yes to."""

from __future__ import annotations

from fixes.model import Cut, Fix

GATES = "tests/gates/test_gates_allowed.py"
ENGINE = "tests/engine/test_engine_allowing.py"
LOOP = "tests/trust/test_trust_may_change.py"
THREAT = "§8, §10: the plan is the repository's word, and says which tests may change"
RULES = "gates/guard_allowed.py"

FIXES: tuple[Fix, ...] = (
    Fix(
        name="tests-by-a-persons-word",
        threat=THREAT,
        says="a task may change tests only where a person said yes to exactly these names for exactly this task",
        cuts=(
            Cut(
                "runs/allowing.py",
                old="if trust.trusted_hashes(services.state.trust_file).get(item.key) != item.sha256:",
                new="if False and item:",
            ),
        ),
        tests=(
            f"{ENGINE}::test_the_line_alone_allows_nothing_and_that_is_said",
            f"{ENGINE}::test_a_yes_that_is_taken_back_counts_no_more",
            f"{LOOP}::test_lines_that_come_into_the_plan_later_count_only_after_another_yes",
        ),
    ),
    Fix(
        name="tests-of-this-very-task",
        threat="§8: a proposal gives a task that a person said yes to other words",
        says="the yes is about the task's id, title and acceptance, too",
        cuts=(
            Cut(
                "trust_items.py",
                old="json.dumps([task, title, list(acceptance), list(names)])",
                new="json.dumps([list(names)])",
            ),
        ),
        tests=("tests/plan/test_plan_may_change.py::test_other_words_for_a_task_are_another_task",),
    ),
    Fix(
        name="block-is-stricter-than-a-task",
        threat="§10: a project's text loosens what a person set",
        says='with gates.guard = "block" no task may change tests',
        cuts=(Cut("runs/allowing.py", old='if services.settings.guarding.guard == "block":', new="if False:"),),
        tests=(f"{ENGINE}::test_with_block_the_task_has_no_say",),
    ),
    Fix(
        name="errands-change-no-tests",
        threat="§11: the text of an issue says which tests may change",
        says="what stands in no plan may change no tests, whatever its text says",
        cuts=(
            Cut(
                "runs/allowing.py",
                old="if not task.may_change_tests or task.errand is not None:",
                new="if not task.may_change_tests:",
            ),
        ),
        tests=(f"{ENGINE}::test_an_errand_may_change_no_tests_whatever_it_says",),
    ),
    Fix(
        name="only-changes-to-tests",
        threat="§10: a task's word covers configuration",
        says="configuration, dependencies and what nobody can read are never a task's to allow",
        cuts=(Cut(RULES, old="return guard.kind in KINDS", new="return True"),),
        tests=tuple(
            f"{GATES}::test_what_is_no_test_is_never_the_tasks_to_allow[{each}]" for each in ("ini", "aware", "coding")
        ),
    ),
    Fix(
        name="conftest-by-its-name",
        threat="§10: a pattern of tests covers what decides about all of them",
        says="a conftest.py is allowed only where it is named by its own name",
        cuts=(
            Cut(
                RULES,
                old='if "::" in name or (guard_files.is_conftest(path) and name.rsplit("/", 1)[-1] != "conftest.py"):',
                new='if "::" in name:',
            ),
        ),
        tests=(f"{GATES}::test_a_conftest_has_to_be_named_by_its_own_name",),
    ),
    Fix(
        name="a-named-test-and-no-other",
        threat="§10: one test of a file is named, another is weakened",
        says="a single test that is named covers what lies in it, by the syntax tree of both texts",
        cuts=(Cut(RULES, old="return [] if left.total() else found", new="return list(mine)"),),
        tests=(f"{GATES}::test_beside_a_named_test_everything_holds",),
    ),
    Fix(
        name="nothing-hides-in-a-named-test",
        threat="§10: another test is moved into the one that is named",
        says="what would be found without the named test, and is not with it, holds everything of the file",
        cuts=(Cut(RULES, old="return [] if left.total() else found", new="return found"),),
        tests=(f"{GATES}::test_a_test_that_hides_in_the_named_one_holds",),
    ),
    Fix(
        name="no-test-changes-its-module",
        threat="§10: a test that is named, or new, changes the others of its file while they run",
        says="what a test changes of the names that its module had is told, and never a task's to allow",
        cuts=(
            Cut("gates/guard_placed.py", old="self._own_names = frozenset(names)", new="self._own_names = frozenset()"),
        ),
        tests=(f"{GATES}::test_what_a_test_changes_of_its_module_is_no_tasks_to_allow",),
    ),
    Fix(
        name="no-links-in-the-place-of-tests",
        threat="§10: a link stands in the place of a test that is named: what it says lies elsewhere",
        says="a link or another repository in the place of tests is told as what nobody can read",
        cuts=(Cut("gates/patch.py", old="file.link = True", new="pass"),),
        tests=(f"{GATES}::test_what_stands_in_the_place_of_tests_and_lies_elsewhere_holds[file]",),
    ),
    Fix(
        name="all-names-are-shown-again",
        threat="§8: names that another task of this id had are left out of what is shown of a change",
        says="where a task's words changed, all that a yes covers is shown, and not the difference alone",
        cuts=(
            Cut(
                "cli/trusting.py",
                old='if item["kind"] == "tests" and item["status"] == "changed":',
                new="if False:",
            ),
        ),
        tests=(
            "tests/cli/test_cli_tests_allowed.py::test_other_words_for_a_task_show_all_that_a_yes_would_cover_again",
        ),
    ),
    Fix(
        name="single-tests-stand-alone",
        threat="§10: what is named as a single test is a fixture, a helper or a base of others",
        says="a single test that anything else in its file uses is not told apart from it",
        cuts=(Cut(RULES, old=" or not _stand_alone(was, now, (old, new), tests)", new=""),),
        tests=(
            f"{GATES}::test_what_other_tests_of_the_file_use_is_no_single_test",
            f"{GATES}::test_a_decorator_that_may_do_more_than_mark_its_test_holds[@helper]",
        ),
    ),
    Fix(
        name="skips-that-reach-further",
        threat="§10: a named file of tests leaves out others",
        says="a skip that ends or leaves out other tests is never a task's to allow",
        cuts=(Cut(RULES, old='if guard.kind == "skip" and (', new="if False and ("),),
        tests=(f"{GATES}::test_a_conftest_has_to_be_named_by_its_own_name",),
    ),
    Fix(
        name="moved-files-by-both-names",
        threat="§10: a file that is not named is moved to a name that is",
        says="a file that moved is allowed where it is named by both names",
        cuts=(
            Cut(
                RULES,
                old="for one in {path, old}):\n            allowed",
                new="for one in {path}):\n            allowed",
            ),
        ),
        tests=(f"{GATES}::test_a_file_that_moved_has_to_be_named_by_both_names",),
    ),
    Fix(
        name="tests-that-went-for-another-reason",
        threat="§10: tests are left out by what is no test",
        says="that a test runs no more is allowed only where its own file was changed",
        cuts=(Cut(RULES, old="old = files.get(path)\n", new="old = files.get(path, path)\n"),),
        tests=(f"{GATES}::test_tests_that_run_no_more[unchanged]",),
    ),
    Fix(
        name="lines-are-not-the-file",
        threat="§10: less is written than is read",
        says="a range of lines in May change tests is never read as the whole file",
        cuts=(
            Cut(
                "plan/items.py",
                old='return ref.path if ref.lines is None else f"{ref.path}:{ref.lines[0]}-{ref.lines[1]}"',
                new="return ref.path",
            ),
        ),
        tests=("tests/plan/test_plan_may_change.py::test_a_range_of_lines_is_never_read_as_the_whole_file",),
    ),
)
