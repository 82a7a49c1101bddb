"""Keys, redaction, what is hidden in texts (security §7, §9)."""

from fixes.model import Cut, Fix

KEYS = "tests/redact/test_redact_keys.py::"
SECRETS = "tests/redact/test_redact_secrets.py::"
EDITS = "tests/redact/test_redact_edits.py::"
EXITS = "tests/redact/test_redact_exits.py::"
SHIP = "tests/errands/test_errands_ship.py::"
CHARACTERS = "tests/redact/test_redact_characters.py::"
EVERY = "tests/redact/test_redact_every_exit.py::"
SHIPPING = "tests/shipping/test_shipping.py::"
PART = "tests/redact/test_redact_shown_in_part.py::"
CUTTING = "tests/tools/test_tools_cutting.py::"

FIXES = (
    Fix(
        name="key-file-of-ones-own",
        threat="§9.1: a key in a file that others can read",
        says="a key file that others can read is refused",
        cuts=(Cut("keys.py", "found.st_mode & 0o077:", "found.st_mode & 0:"),),
        tests=(f"{KEYS}test_a_file_that_others_can_read_is_refused_and_what_to_do_is_said",),
    ),
    Fix(
        name="key-file-is-no-link",
        threat="§7: a link in the place of a private file",
        says="the key file is opened without following a link",
        cuts=(Cut("keys.py", 'getattr(os, "O_NOFOLLOW", 0)', "0"),),
        tests=(f"{KEYS}test_a_link_in_the_files_place_is_refused_for_reading_and_for_writing",),
    ),
    Fix(
        name="key-for-one-service",
        threat="§2.3: a base URL from elsewhere takes the key",
        says="a stored key is given to the service that it was stored for alone",
        cuts=(Cut("keys.py", "    return (base_url or DEFAULT_URL)", "    return DEFAULT_URL or (base_url or '')"),),
        tests=(f"{KEYS}test_a_key_is_given_to_the_service_that_it_was_stored_for_and_to_no_other",),
    ),
    Fix(
        name="keyring-round-trip",
        threat="§9.1: a keyring that loses or shows what it gets",
        says="a keyring is taken only after it gave a probe back",
        cuts=(
            Cut("keys.py", "if backend is not None and _works(backend) and ", "if backend is not None and "),
            Cut("keys.py", "    return bool(backend.get_password(SERVICE, url) == key)", "    return True"),
        ),
        tests=(
            f"{KEYS}test_a_keyring_that_does_not_keep_secrets_is_not_taken[loses]",
            f"{KEYS}test_a_keyring_that_does_not_keep_secrets_is_not_taken[another]",
        ),
    ),
    Fix(
        name="closed-process",
        threat="§9.1: /proc/PID/environ and the memory of the process that holds the key",
        says="daemon and engine make themselves unreadable to others of the same user",
        cuts=(Cut("keys.py", ".prctl(set_dumpable, 0, 0, 0, 0) == 0)", ".prctl(set_dumpable, 1, 0, 0, 0) == 0)"),),
        tests=(f"{KEYS}test_a_process_that_closed_itself_shows_its_environment_to_no_other_of_the_same_user",),
    ),
    Fix(
        name="daemon-knows-the-stored-key",
        threat="§9.3 layer 1: the model's key in a changelog, a worklog or what a reviewer reads",
        says="what is told outside of a run is cleaned of the stored keys and of what clients brought, too",
        cuts=(
            Cut("keys.py", "        for url in _read():\n", "        for url in ():\n"),
            Cut("daemon/environment.py", "                keys.tell(name, value)\n", ""),
        ),
        tests=(f"{KEYS}test_one_way_to_make_a_redactor_knows_environment_stored_keys_and_what_a_client_brought",),
    ),
    Fix(
        name="no-secret-at-the-start",
        threat="§9.1, §6.3: secrets in the environment that a process begins with",
        says="secret variables go to daemon and engine by standard input",
        cuts=(Cut("launch.py", "if is_secret(name, value)}", "if False}"),),
        tests=(
            f"{KEYS}test_a_process_begins_without_secrets_and_is_told_them",
            f"{KEYS}test_a_daemon_that_is_started_shows_no_secret_of_its_starter",
            f"{EXITS}test_no_secret_of_the_daemons_environment_stands_in_the_engines",
        ),
    ),
    Fix(
        name="known-values",
        threat="§9.3 layer 1, §13.5: a secret of this machine in what goes out",
        says="known values are hidden in all their encodings",
        cuts=(Cut("redact/redactor.py", "        if not self._known:\n", "        if True:\n"),),
        tests=(
            f"{SECRETS}test_any_known_value_in_any_encoding_and_any_chunking_is_hidden_and_pieces_are_as_the_whole",
        ),
    ),
    Fix(
        name="every-alignment-of-base64",
        threat="§9.3 layer 1: a secret somewhere in a longer text that is encoded",
        says="base64 is known at each of its three alignments",
        cuts=(Cut("redact/forms.py", "for before in range(3):", "for before in range(1):"),),
        tests=(
            f"{SECRETS}test_any_known_value_in_any_encoding_and_any_chunking_is_hidden_and_pieces_are_as_the_whole",
        ),
    ),
    Fix(
        name="shapes-of-secrets",
        threat="§9.3 layer 2: a secret that nobody told devloop",
        says="what begins as a known kind of secret is hidden",
        cuts=(
            Cut(
                "redact/patterns.py",
                "    for pattern in of:\n        if any(",
                "    for pattern in of:\n        if False and any(",
            ),
        ),
        tests=(f"{SECRETS}test_what_has_the_shape_of_a_secret_is_hidden_wherever_it_is_cut",),
    ),
    Fix(
        name="carry-over",
        threat="§9.3 layer 2: a secret cut between two pieces of an output",
        says="what is not yet a whole line is carried over",
        cuts=(Cut("redact/streams.py", 'end = piece.rfind("\\n") + 1', "end = len(piece)"),),
        tests=(
            f"{SECRETS}test_any_known_value_in_any_encoding_and_any_chunking_is_hidden_and_pieces_are_as_the_whole",
            f"{SECRETS}test_what_has_the_shape_of_a_secret_is_hidden_wherever_it_is_cut",
        ),
    ),
    Fix(
        name="cut-once-it-is-clean",
        threat="§9.3: half a secret where a text is shortened",
        says="whatever shortens a text cleans it first of all that this process knows",
        cuts=(Cut("redact/cutting.py", "for redactor in Redactor.living() or (Redactor(),):", "for redactor in ():"),),
        tests=(
            *(
                f"{PART}test_whatever_shortens_a_text_cleans_it_first_of_all_that_this_process_knows[{each}]"
                for each in ("cut", "tail", "one_line", "file_name")
            ),
            f"{PART}test_the_files_that_are_covered_least_are_named_without_half_a_secret",
            f"{PART}test_a_block_of_the_conversation_is_cut_once_it_is_clean",
        ),
    ),
    Fix(
        name="search-cuts-no-secret",
        threat="§9.3: half a secret where a search shows a part of a long line",
        says="what is shown of a line ends beside a secret",
        cuts=(Cut("tools/searching.py", "part(text, start, end, context.redact)", "text[start:end]"),),
        tests=(f"{CUTTING}test_a_search_shows_no_half_of_a_secret_at_the_ends_of_a_long_line[8]",),
    ),
    Fix(
        name="hints-cut-no-secret",
        threat="§9.3: half a secret in the words on an edit that did not fit",
        says="of a long line nothing is shown before it is clean",
        cuts=(Cut("tools/text.py", 'line if len(line) <= SHOWN else f"({len(line)} characters)"', "line[:SHOWN]"),),
        tests=(f"{CUTTING}test_a_hint_at_a_similar_line_shows_no_part_of_a_long_one",),
    ),
    Fix(
        name="checks-cut-no-secret",
        threat="§9.3: half a secret in what is shown of a line of a test",
        says="a line that a check is about is cut once it is clean",
        cuts=(
            Cut("gates/guard.py", "    flat = _flat(text)\n", "    flat = _flat(text)[:200]\n"),
            Cut("runs/guarding.py", 'one_line(told["text"])', 'told["text"]'),
        ),
        tests=(f"{PART}test_neither_a_line_of_a_test_nor_a_name_of_a_file_is_told_with_half_a_secret",),
    ),
    Fix(
        name="statements-cut-no-secret",
        threat="§9.3: half a secret in what is shown of a statement of a test",
        says="a statement is cut once it is clean",
        cuts=(Cut("gates/guard_kept.py", 'split("\\n")[0]\n', 'split("\\n")[0][:60]\n'),),
        tests=(f"{PART}test_neither_a_line_of_a_test_nor_a_name_of_a_file_is_told_with_half_a_secret",),
    ),
    Fix(
        name="long-lines-end-between-words",
        threat="§9.3: half a secret at the end of what is kept of a very long line",
        says="what is kept of a line that is too long ends between words",
        cuts=(Cut("gates/guard.py", "{flat[:LONGEST].rpartition(' ')[0]}", "{flat[:LONGEST]}"),),
        tests=(f"{PART}test_a_line_that_is_too_long_to_be_kept_ends_between_words",),
    ),
    Fix(
        name="output-cuts-no-secret",
        threat="§9.3: half a secret where the middle of an output is left out",
        says="a line without an end near the cut loses its last word",
        cuts=(
            Cut(
                "sandbox/output.py", "        end = max((match.start()", "        end = len(head) or max((match.start()"
            ),
            Cut(
                "sandbox/output.py", "        start = found.start() if found else LINE_REACH - 1", "        start = -1"
            ),
        ),
        tests=(f"{CUTTING}test_of_one_long_word_no_end_is_kept_that_may_be_half_a_secret",),
    ),
    Fix(
        name="open-private-key",
        threat="§9.3 layer 2: a private key over lines that come one by one",
        says="a block that was begun is hidden to its end",
        cuts=(Cut("redact/pem.py", "closing is None and self._goes_on(line)", "closing is None and False"),),
        tests=(f"{SECRETS}test_a_private_key_is_hidden_however_it_is_written_and_cut",),
    ),
    Fix(
        name="bounded-carry",
        threat="§13.11: an output without a line's end",
        says="no more than 64 KiB wait for a line's end",
        cuts=(Cut("redact/streams.py", "while self._size > self._limit:", "while False:"),),
        tests=(f"{SECRETS}test_a_line_longer_than_the_carry_is_told_in_time_and_hides_what_is_cut_there",),
    ),
    Fix(
        name="secret-behind-escapes",
        threat="§9.4: a secret with control characters in it, which a terminal drops",
        says="a secret that shows once control characters are gone is hidden",
        cuts=(
            Cut(
                "redact/redactor.py",
                "return _LINE.sub(self._bare, text) if conceals(text) else text",
                "return text",
            ),
        ),
        tests=(f"{SECRETS}test_a_secret_that_only_shows_once_a_terminal_drops_what_is_between_is_hidden",),
    ),
    Fix(
        name="hidden-characters",
        threat="§9.4, §13.7: what is never drawn",
        says="every default-ignorable and format character goes",
        cuts=(
            Cut(
                "redact/characters.py",
                '    text = _HIDDEN.sub(_dropped, _ESCAPES.sub("", text.replace("\\r\\n", "\\n")))',
                '    text = _ESCAPES.sub("", text.replace("\\r\\n", "\\n"))',
            ),
        ),
        tests=(f"{CHARACTERS}test_everything_that_unicode_calls_a_control_or_format_goes_but_what_is_drawn",),
    ),
    Fix(
        name="unclosed-sequences",
        threat="§9.4: an escape sequence that hides the rest of a diff",
        says="a sequence ends with its line",
        cuts=(Cut("redact/characters.py", "[^\\n\\x07\\x1b\\x9c]*", "[^\\x07\\x1b\\x9c]*"),),
        tests=(f"{CHARACTERS}test_a_sequence_that_is_never_closed_hides_no_line_behind_it",),
    ),
    Fix(
        name="visible-to-the-model",
        threat="§9.4: instructions that only a model reads",
        says="hidden characters are shown to the model as what they are",
        cuts=(
            Cut("runs/transcript.py", "text(visible(self._redactor.text(text)))", "text(self._redactor.text(text))"),
        ),
        tests=(f"{EXITS}test_what_a_task_says_reaches_the_model_without_secrets_and_with_nothing_hidden",),
    ),
    Fix(
        name="code-as-a-compiler-reads-it",
        threat="§9.4: code inside an escape sequence or behind a carriage return",
        says="of a file's text nothing goes away before the model reads it",
        cuts=(Cut("tools/batch.py", "code=call.name in _SHOW_FILES", "code=False"),),
        tests=(f"{EDITS}test_what_a_terminal_would_swallow_of_a_file_is_shown",),
    ),
    Fix(
        name="no-placeholder-in-a-file",
        threat="§9.3: an edit that destroys the secret that it does not see",
        says="a placeholder is not written where a secret was",
        cuts=(Cut("tools/text.py", "        if found[0] not in before:", "        if False:"),),
        tests=(
            f"{EDITS}test_a_placeholder_is_never_written_in_a_secrets_place[write_file]",
            f"{EDITS}test_a_placeholder_is_never_written_in_a_secrets_place[edit_new]",
            f"{EDITS}test_a_placeholder_is_never_written_in_a_secrets_place[run_command]",
        ),
    ),
    Fix(
        name="marks-are-characters",
        threat="§9.4: an edit that turns a hidden character into letters",
        says="a copied mark is taken for the character that it stands for",
        cuts=(Cut("tools/text.py", "(meant := unescaped(old)) != old:", "(meant := old) != old:"),),
        tests=(f"{EDITS}test_an_edit_that_copies_a_hidden_character_as_it_was_shown_finds_and_keeps_it",),
    ),
    Fix(
        name="redacted-exits",
        threat="§13.5: events that tell a secret",
        says="events pass the redactor",
        cuts=(Cut("engine/ports.py", "clean = self._redactor.data(data)", "clean = dict(data)"),),
        tests=(f"{EXITS}test_an_event_is_stored_and_told_without_secrets_whoever_tells_it",),
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
        tests=(f"{EVERY}test_no_crash_tells_a_secret[terminal]",),
    ),
    Fix(
        name="crash-told-in-words",
        threat="§13.5: a crash that can't be logged is told with a secret",
        says="what is told in its place is clean, too",
        cuts=(Cut("cli/crash.py", "one_line(redactor.text(repr(problem)))", "one_line(repr(problem))"),),
        tests=(f"{EVERY}test_a_crash_that_can_not_be_logged_tells_the_terminal_no_secret",),
    ),
    Fix(
        name="crash-without-the-stored-key",
        threat="§9.1, §13.5: a crash report tells the key that is stored",
        says="the stored key is known where a crash is told",
        cuts=(Cut("cli/crash.py", "keys.redactor()", "Redactor.of_environment()"),),
        tests=(f"{EVERY}test_a_crash_of_a_command_tells_no_stored_key",),
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
        tests=(f"{EVERY}test_no_crash_tells_a_secret[daemon]",),
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
        tests=(f"{EVERY}test_no_crash_tells_a_secret[engine]",),
    ),
    Fix(
        name="failures-without-secrets",
        threat="§13.5: the words of a model's failure are kept with a secret, or cut within one",
        says="they are cleaned before anything is made of them",
        cuts=(
            Cut(
                "runs/turn.py",
                'services.redactor.text(f"{failure.message} {failure.hint}".strip())',
                'f"{failure.message} {failure.hint}".strip()',
            ),
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
