"""Secrets at every exit, in crashes, in what is committed and sent out (security §9.3, §13.5)."""

from fixes.model import Cut, Fix

EXITS = "tests/redact/test_redact_exits.py::"
SHIP = "tests/errands/test_errands_ship.py::"
EVERY = "tests/redact/test_redact_every_exit.py::"
SHIPPING = "tests/shipping/test_shipping.py::"
CRASHES = "tests/redact/test_redact_crashes.py::"

FIXES = (
    Fix(
        name="redacted-exits",
        threat="§13.5: events that tell a secret",
        says="events pass the redactor",
        cuts=(Cut("engine/ports.py", "clean = self._redactor.data(data)", "clean = dict(data)"),),
        tests=(f"{EXITS}test_an_event_is_stored_and_told_without_secrets_whoever_tells_it",),
    ),
    Fix(
        name="hooks-are-told-no-secret",
        threat="§9.3: a hook reads a secret of a call in its environment",
        says="a call is told without secrets there as on standard input",
        cuts=(
            Cut(
                "hooks/running.py",
                "tool_input=_redacted(occasion.tool_input, place.redact))",
                "tool_input=occasion.tool_input)",
            ),
        ),
        tests=("tests/hooks/test_hooks_running.py::test_a_hook_is_told_no_secret_of_a_call",),
    ),
    Fix(
        name="every-exit",
        threat="§13.5: any secret, cut anywhere, in any encoding, at any exit of a day's processes",
        says="all that leaves a process passes the redactor",
        cuts=(
            Cut(
                "redact/redactor.py",
                "        pem = self.pem()\n        return pem.lines(",
                "        return text\n        (",
            ),
            Cut("redact/redactor.py", "        if not self._known:\n", "        if True:\n"),
        ),
        tests=(
            f"{EVERY}test_no_secret_comes_out[terminal]",
            f"{EVERY}test_no_secret_comes_out[socket of the daemon]",
            f"{EVERY}test_no_secret_comes_out[editor]",
            f"{EVERY}test_no_secret_comes_out[records]",
            f"{EVERY}test_no_secret_comes_out[model]",
            f"{EVERY}test_no_secret_comes_out[commits]",
            f"{EVERY}test_no_secret_comes_out[notes in the plan]",
            f"{EVERY}test_an_editors_notifications_and_questions_tell_none",
        ),
    ),
    Fix(
        name="crash-of-a-command",
        threat="§13.5: a crash report of the terminal tells a secret",
        says="the report is written without the secrets of the environment",
        cuts=(Cut("cli/crash.py", "stream.write(redactor.text(entry))", "stream.write(entry)"),),
        tests=(f"{CRASHES}test_no_crash_tells_a_secret[terminal]",),
    ),
    Fix(
        name="crash-told-in-words",
        threat="§13.5: a crash that can't be logged is told with a secret",
        says="what is told in its place is clean, too",
        cuts=(Cut("cli/crash.py", "one_line(redactor.text(repr(problem)))", "one_line(repr(problem))"),),
        tests=(f"{CRASHES}test_a_crash_that_can_not_be_logged_tells_the_terminal_no_secret",),
    ),
    Fix(
        name="crash-without-the-stored-key",
        threat="§9.1, §13.5: a crash report tells the key that is stored",
        says="the stored key is known where a crash is told",
        cuts=(Cut("cli/crash.py", "keys.redactor()", "Redactor.of_environment()"),),
        tests=(f"{CRASHES}test_a_crash_of_a_command_tells_no_stored_key",),
    ),
    Fix(
        name="crash-of-the-daemon",
        threat="§13.5: a crash of the daemon, or a thread's, tells a secret",
        says="the daemon's own output passes the redactor on its way to the log",
        cuts=(
            Cut(
                "daemon/process.py",
                "        sys.stderr = sys.stdout = RedactedOutput(sys.stderr, redactor)",
                "        RedactedOutput(sys.stderr, redactor)",
            ),
        ),
        tests=(f"{CRASHES}test_no_crash_tells_a_secret[daemon]",),
    ),
    Fix(
        name="crash-of-the-engine",
        threat="§13.5: a crash of the engine tells a secret",
        says="the engine's own output passes the redactor on its way to the log",
        cuts=(
            Cut(
                "engine/process.py",
                "    sys.stderr = sys.stdout = RedactedOutput(sys.stderr, redactor)",
                "    RedactedOutput(sys.stderr, redactor)",
            ),
        ),
        tests=(f"{CRASHES}test_no_crash_tells_a_secret[engine]",),
    ),
    Fix(
        name="failures-without-secrets",
        threat="§13.5: the words of a model's failure are kept with a secret, or cut within one",
        says="they are cleaned before anything is made of them (what cuts a text cleans it, too: cut as well)",
        cuts=(
            Cut(
                "runs/turn.py",
                'services.redactor.text(f"{failure.message} {failure.hint}".strip())',
                'f"{failure.message} {failure.hint}".strip()',
            ),
            Cut("redact/cutting.py", "for redactor in Redactor.living() or (Redactor(),):", "for redactor in ():"),
        ),
        tests=(f"{EVERY}test_no_secret_comes_out[records]",),
    ),
    Fix(
        name="answers-without-secrets",
        threat="§9.1: a secret in a transcript",
        says="what a model answered is kept without known secrets",
        cuts=(
            Cut(
                "runs/turn.py",
                "without_known_secrets(asked.to_json(), services.redactor)",
                "asked.to_json()",
            ),
        ),
        tests=(f"{EXITS}test_no_exit_of_a_run_tells_a_secret_and_nothing_hidden_reaches_the_model",),
    ),
    Fix(
        name="no-secret-in-a-commit",
        threat="§9.3 layer 3: a secret in the work of a run",
        says="a finding holds the commit back until a person accepts exactly it",
        cuts=(Cut("runs/leaks.py", '"fail" if leaks else "unknown"', '"pass" if leaks else "unknown"'),),
        tests=(f"{EXITS}test_a_secret_in_the_work_holds_its_commit_back_until_a_person_says_that_it_is_none",),
    ),
    Fix(
        name="no-secret-in-a-binary-file",
        threat="§9.3 layer 3: a secret in a file that no diff shows (a NUL in it, UTF-16)",
        says="what can be read in binary files is looked at, too",
        cuts=(Cut("runs/leaks.py", "    lines += binaries\n", ""),),
        tests=(f"{EXITS}test_a_secret_in_the_work_holds_its_commit_back_until_a_person_says_that_it_is_none",),
    ),
    Fix(
        name="what-was-not-looked-at-is-no-pass",
        threat="§9.3 layer 3: a secret in what is not read of very large files",
        says="a change that could not be looked at to its end is not landed",
        cuts=(Cut("runs/leaks.py", 'else "unknown" if unlooked else "pass"', 'else "pass"'),),
        tests=(f"{EXITS}test_files_that_are_too_large_to_be_looked_at_are_not_landed",),
    ),
    Fix(
        name="no-secret-in-a-name",
        threat="§9.3 layer 3: a secret in the name of a file or a folder",
        says="names that are new are looked at as lines are",
        cuts=(
            Cut(
                "runs/leaks.py",
                "named = artefacts.names(each.path for each in found.files",
                "named = artefacts.names(each.path for each in ()",
            ),
        ),
        tests=(f"{EXITS}test_a_secret_in_a_name_holds_the_work_back_and_no_list_tells_it",),
    ),
    Fix(
        name="names-without-secrets",
        threat="§13.5: a list of changed files tells a secret",
        says="names of files are told without secrets, and found again by what was told",
        cuts=(Cut("runs/paths_told.py", "return row | {name: self(row[name])", "return row | {name: row[name]"),),
        tests=(f"{EXITS}test_a_secret_in_a_name_holds_the_work_back_and_no_list_tells_it",),
    ),
    Fix(
        name="names-of-findings-in-lists",
        threat="§13.5: a list of changed files tells what a scanner found in a name",
        says="what a finding hides of a name, the lists of that run hide as well",
        cuts=(Cut("runs/leaks.py", "    paths_told.keep(services, run, hidden)\n", ""),),
        tests=(
            "tests/redact/test_redact_names_of_findings.py::test_what_a_finding_hides_of_a_name_no_list_of_the_run_tells",
        ),
    ),
    Fix(
        name="notices-without-secrets",
        threat="§13.5: a notice tells a secret",
        says="notices are kept without secrets",
        cuts=(Cut("runs/services.py", "[self.redactor.text(text) for text in texts]", "list(texts)"),),
        tests=(f"{EXITS}test_what_is_noticed_of_a_run_is_kept_without_secrets",),
    ),
    Fix(
        name="no-secret-over-two-lines",
        threat="§9.3 layer 3: a secret that a text breaks over two lines",
        says="words that go out are looked at as if a line went on in the next, too",
        cuts=(Cut("runs/leaks.py", "    hits += artefacts.seams(", "    artefacts.seams("),),
        tests=(f"{SHIP}test_a_secret_in_the_words_of_a_pull_request_holds_the_release_back",),
    ),
    Fix(
        name="no-secret-in-a-pull-request",
        threat="§9.3 layer 3: a secret in the words that go out with a release",
        says="a pull request's words hold a release back as its files do",
        cuts=(Cut("runs/leaks.py", "    lines += sent\n", ""),),
        tests=(f"{SHIP}test_a_secret_in_the_words_of_a_pull_request_holds_the_release_back",),
    ),
    Fix(
        name="release-without-known-values",
        threat="§9.3 layer 1: a release brings a secret of this machine that has no shape",
        says="what a release brings is looked through for known values, too",
        cuts=(
            Cut(
                "daemon/errands/ship.py",
                "    redactor = await asyncio.to_thread(keys.redactor)\n",
                "    redactor = Redactor()\n",
            ),
        ),
        tests=(f"{EVERY}test_words_of_commits_with_a_known_value_hold_a_release_back",),
    ),
    Fix(
        name="findings-without-secrets",
        threat="§13.5: what is found in a line (a note, a breakpoint) tells the secret in it",
        says="lines are told without secrets, whatever they were found for",
        cuts=(
            Cut("shipping/checks.py", '"debug", path, line, one_line(clean.', '"debug", path, line, one_line(text.'),
        ),
        tests=(f"{SHIPPING}test_nothing_that_is_found_tells_the_secret_of_its_line[known-breakpoint()  # {{}}]",),
    ),
    Fix(
        name="no-secret-in-a-release",
        threat="§9.3 layer 3: a secret in what was committed since the last version, or in a commit's words",
        says="betterleaks looks at all that a release brings, where it is installed",
        cuts=(
            Cut("daemon/errands/ship.py", "return (*own, *checks.scanned(hits, lines, own, redactor))", "return own"),
        ),
        tests=(f"{SHIP}test_a_secret_that_betterleaks_alone_knows_stops_a_release_as_any_other",),
    ),
    Fix(
        name="scanner-is-bounded",
        threat="§13.11: a scanner that hangs on what an agent wrote",
        says="betterleaks has a bounded time",
        cuts=(Cut("runs/scanning.py", "limits=sandbox.Limits(wall_s=wall_s,", "limits=sandbox.Limits(wall_s=WALL_S,"),),
        tests=("tests/redact/test_redact_scanning.py::test_one_that_breaks_is_told_as_not_looked_in_time[hangs]",),
    ),
    Fix(
        name="no-secret-in-the-worklog",
        threat="§9.3 layer 3: a commit's words are copied to the work log",
        says="what either look finds in them is left behind",
        cuts=(Cut("cli/worklog_command.py", "lacking.get(each.hash, each)", "each"),),
        tests=("tests/state/test_state_worklog_command.py::test_a_secret_in_a_commits_words_is_not_copied",),
    ),
)
