"""Protections of trust: nothing that a repository declares runs before a person has seen exactly that text."""

from __future__ import annotations

from fixes.model import Cut, Fix

TRUST = "tests/trust/test_trust.py"
EXACT = "tests/trust/test_trust_exact.py"
SETTINGS = "tests/trust/test_trust_settings.py"
CLI = "tests/cli/test_cli_program.py"

FIXES: tuple[Fix, ...] = (
    Fix(
        name="trust-by-content",
        threat="§2.4, §13.6: approve once, swap later",
        says="what is trusted is the sha256 of the content",
        cuts=(
            Cut(
                "trust.py",
                old='"trusted" if known["sha256"] == item.sha256 else "changed"',
                new='"trusted"',
            ),
        ),
        tests=(
            f"{TRUST}::test_one_changed_byte_asks_again_and_only_for_that_item[.devloop/hooks/after/commit.sh-.devloop/hooks.json]",
            f"{TRUST}::test_one_changed_byte_asks_again_and_only_for_that_item[.claude/agents/reviewer.md-.claude/agents/reviewer.md]",
            f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",
        ),
    ),
    Fix(
        name="accepting-what-was-shown",
        threat="§2.16, §13.6: a byte changes between the page and the click",
        says="the click carries the hashes of what was shown",
        cuts=(Cut("trust.py", old="        if item.sha256 != digest:", new="        if False:"),),
        tests=(
            f"{TRUST}::test_an_old_hash_is_refused_and_nothing_of_the_list_is_taken",
            f"{EXACT}::test_a_byte_that_changes_after_it_was_shown_is_not_trusted_by_the_click[.devloop/agents/painter.md]",
        ),
    ),
    Fix(
        name="nothing-typed-before-a-question",
        threat="§2.3: a key pressed twice, or the rest of a pasted message, decides on work that nobody has looked at",
        says="what was typed before a question stood on the terminal is no answer to it",
        cuts=(
            Cut(
                "cli/ask_person.py", "        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)\n", "        pass\n"
            ),
        ),
        tests=("tests/cli/test_cli_runs.py::test_what_was_typed_before_a_question_stood_there_is_no_answer_to_it",),
    ),
    Fix(
        name="trust-taken-back-ends-a-gate",
        threat="§2.3: a person takes back the trust in a check while a run is checked by it",
        says="each time a gate runs, its command is trusted still",
        cuts=(
            Cut(
                "runs/checks.py",
                old="if not reason and verifying.taken_back(services, spec, gate):",
                new="if reason is None:",
            ),
        ),
        tests=("tests/engine/test_engine_refusals.py::test_a_gate_whose_trust_is_taken_back_runs_no_more",),
    ),
    Fix(
        name="a-run-needs-trust",
        threat="§2.3: the repository's commands run before trust",
        says="a run with an untrusted gate or set-up does not begin",
        cuts=(
            Cut(
                "trust.py",
                old='missing = [s for s in asked if s.status != "trusted"]',
                new="missing: list[ItemState] = []",
            ),
        ),
        tests=(
            f"{TRUST}::test_nothing_is_trusted_at_first_and_require_names_what_is_missing",
            f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",
        ),
    ),
    Fix(
        name="the-set-up-that-was-trusted",
        threat="§8, §2.16: set-up is checked in one reading of config.toml and taken from another",
        says="the set-up command is made from the very table whose text was trusted",
        cuts=(
            Cut(
                "runs/prepare.py", old="    if services.settings.own_setup:\n", new="    if services.settings.setup:\n"
            ),
        ),
        tests=(f"{EXACT}::test_the_set_up_that_runs_is_the_trusted_one_whatever_settings_say",),
    ),
    Fix(
        name="untrusted-skills-are-inert",
        threat="§2.12: a skill of the repository tells agents what to do",
        says="a skill is offered and loaded only as it was trusted",
        cuts=(
            Cut(
                "skills/discovery.py",
                old="if trusted is not None and trusted.get(item.key) != item.sha256:",
                new="if False:",
            ),
        ),
        tests=(f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",),
    ),
    Fix(
        name="untrusted-agents-are-inert",
        threat="§2.3, §2.12: an agent's file replaces the one that works",
        says="an agent of the repository works only as it was trusted",
        cuts=(
            Cut(
                "agents/discovery.py",
                old='if agent is not None and state.status == "trusted":',
                new="if agent is not None:",
            ),
        ),
        tests=(f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",),
    ),
    Fix(
        name="untrusted-hooks-are-inert",
        threat="§2.3: hooks run before trust",
        says="hooks of the repository run only as they were trusted",
        cuts=(Cut("hooks/library.py", old="if trusted.get(item.key) == item.sha256:", new="if True:"),),
        tests=(f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",),
    ),
    Fix(
        name="private-files-by-a-trusted-list",
        threat="§2.3: the repository chooses which private files agents see",
        says="`.worktreeinclude` counts only as it was trusted",
        cuts=(Cut("runs/prepare.py", old='if found is None or found.status == "trusted":', new="if True:"),),
        tests=(
            "tests/trust/test_trust_runs.py::test_private_files_come_in_only_by_a_list_that_is_trusted_as_it_stands",
        ),
    ),
    Fix(
        name="verify-needs-trust",
        threat="§2.3: a plan's line is a command",
        says="a task's verify command runs only when its text was trusted",
        cuts=(
            Cut(
                "runs/verifying.py",
                old="if trust.trusted_hashes(services.state.trust_file).get(item.key) != item.sha256:",
                new="if False and item:",
            ),
        ),
        tests=(f"{EXACT}::test_one_byte_changed_between_the_question_and_the_run_is_refused",),
    ),
    Fix(
        name="nothing-hides-in-what-is-trusted",
        threat="§9.4: hidden characters, escapes and fillers in a text that a person accepts",
        says="control, format, ignorable and unassigned characters are spelled out",
        cuts=(Cut("trust_bytes.py", old="return _UNUSUAL.sub(_spelled, text)", new="return text"),),
        tests=(
            f"{TRUST}::test_the_text_is_what_will_run_with_nothing_hidden",
            f"{CLI}::test_no_line_of_what_is_shown_can_pass_for_one_of_devloops",
        ),
    ),
    Fix(
        name="foreign-lines-are-indented",
        threat="§2.15: a text imitates devloop's own lines in the terminal",
        says="every line of an item is shown behind an indent, folded ones too",
        cuts=(Cut("cli/trusting.py", old='INDENT = "    "', new='INDENT = ""'),),
        tests=(f"{CLI}::test_no_line_of_what_is_shown_can_pass_for_one_of_devloops",),
    ),
    Fix(
        name="no-trust-through-links",
        threat="§7, §8: an item is a link, its target changes elsewhere",
        says="a link anywhere in an item and nobody may trust it",
        cuts=(
            Cut(
                "trust_bytes.py",
                old="            if stat.S_ISLNK(mode):\n                yield path, LINK",
                new='            if stat.S_ISLNK(mode):\n                yield path, ""',
            ),
            Cut(
                "trust_bytes.py",
                old="beneath.read(root, relative, MAX_ITEM, links=False)",
                new="(root / relative).read_bytes()",
            ),
        ),
        tests=(
            f"{TRUST}::test_a_symbolic_link_is_refused_with_a_reason[.devloop/agents/evil.md-outside-.devloop/agents/evil.md]",
            f"{TRUST}::test_a_symbolic_link_is_refused_with_a_reason[.devloop/hooks/evil-outside-.devloop/hooks.json]",
        ),
    ),
    Fix(
        name="settings-of-the-person-alone",
        threat="§2.3, §8: base URL, keys, database, scenario, sandbox switches from the repository",
        says="what a file of the repository says of these is ignored with a warning",
        cuts=(
            Cut(
                "settings/layers.py",
                old='        case "own":\n            return _OWN\n',
                new='        case "own":\n            return ""\n',
            ),
        ),
        tests=tuple(
            f"{SETTINGS}::test_no_file_of_the_repository_widens[{key}]"
            for key in (
                *("model.base_url", "model.api_key", "model.scenario", "database_url", "sandbox.require"),
                *("sandbox.backend", "sandbox.read_only", "sandbox.environment", "workflow.auto_approve", "prices.*"),
            )
        ),
    ),
    Fix(
        name="budgets-only-narrower",
        threat="§8: a repository raises what a run may cost",
        says="files of the repository lower a cap and never raise it",
        cuts=(
            Cut(
                "settings/layers.py",
                old="    if limit is None or float(seconds(said.value)) <= float(seconds(limit)):",
                new="    if True or limit:",
            ),
        ),
        tests=tuple(
            f"{SETTINGS}::test_no_file_of_the_repository_widens[budget.{key}]"
            for key in ("run_usd", "plan_usd", "day_usd", "run_tokens", "turns", "wall")
        ),
    ),
    Fix(
        name="own-commands-first",
        threat="§8: the repository replaces a gate of the person's",
        says="a command of the person's configuration is never replaced",
        cuts=(
            Cut(
                "settings/layers.py",
                old='"your own counts" if counts is not None and counts.kind == "user" else ""',
                new='""',
            ),
        ),
        tests=(f"{SETTINGS}::test_no_file_of_the_repository_widens[gates.*]",),
    ),
    Fix(
        name="an-editor-without-trust-only-reads",
        threat="§8: an untrusted workspace in an editor",
        says="what runs, decides or changes is refused to an editor in restricted mode",
        cuts=(Cut("lsp/commands/__init__.py", old="    if not connection.options.trusted:", new="    if False:"),),
        tests=(
            "tests/lsp/test_lsp_requests.py::test_nothing_is_done_for_an_editor_that_does_not_trust_the_folder[trust/accept]",
        ),
    ),
)
