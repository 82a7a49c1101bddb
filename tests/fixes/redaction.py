"""Redaction, texts in part, what is hidden in texts (security §6.3, §9.3)."""

from fixes.model import Cut, Fix

SECRETS = "tests/redact/test_redact_secrets.py::"
EDITS = "tests/redact/test_redact_edits.py::"
EXITS = "tests/redact/test_redact_exits.py::"
CHARACTERS = "tests/redact/test_redact_characters.py::"
PART = "tests/redact/test_redact_shown_in_part.py::"
CUTTING = "tests/tools/test_tools_cutting.py::"

FIXES = (
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
        name="keys-are-read-whole",
        threat="§9.3: lines of a private key where a part of a file is read, or a search finds one",
        says="what is read or found of a private key comes with its first line",
        cuts=(
            Cut(
                "tools/reading.py",
                "        elif number == offset and not begun and key.open:\n",
                "        elif False:\n",
            ),
            Cut("tools/searcher.py", "if within and not told:", "if False:"),
        ),
        tests=(f"{CUTTING}test_neither_a_search_nor_a_part_of_a_file_shows_a_line_of_a_private_key",),
    ),
    Fix(
        name="long-lines-are-read-to-a-words-end",
        threat="§9.3: half a secret where a very long line is not read any further",
        says="what is read of it ends between words",
        cuts=(Cut("tools/reading.py", "    if within:\n", "    if False:\n"),),
        tests=(f"{CUTTING}test_a_line_that_is_too_long_to_be_read_does_not_end_within_a_secret",),
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
)
