# ruff: noqa: E501 - cuts are lines of the code
"""A hostile repository from end to end: the main protections, each of which the whole day shows when it is gone."""

from fixes.model import Cut, Fix

MARKS = "tests/hostile/test_hostile_run.py::test_no_attack_leaves_its_mark"
CONTROLS = "tests/hostile/test_hostile_run.py::test_no_screen_editor_or_commit_shows_a_control_character"
SECRETS = "tests/hostile/test_hostile_run.py::test_no_secret_comes_out_anywhere"
CANARY = "tests/hostile/test_hostile_run.py::test_nothing_reached_the_canary_and_the_home_is_as_it_was"
SHOWN = "tests/hostile/test_hostile_shown.py::"

FIXES: tuple[Fix, ...] = (
    Fix(
        name="hostile-no-network-for-commands",
        threat="§2.10, §4: an agent that obeys what a repository asks for sends out what it finds",
        says="an agent's command has a network of its own, with nobody in it",
        cuts=(
            Cut(
                "tools/running.py",
                "            env=context.env,\n",
                "            env=context.env,\n            network=True,\n",
            ),
        ),
        tests=(MARKS, CANARY),
    ),
    Fix(
        name="hostile-nothing-of-the-host",
        threat="§2.2, §2.6, §2.11: a command reads the person's keys and writes where it likes",
        says="an agent's command sees its worktree and the toolchains, nothing else of the person's files",
        cuts=(
            Cut(
                "runs/tooling.py",
                "        *person_mounts(services),\n",
                '        *person_mounts(services),\n        sandbox.Mount(Path("/tmp"), Path("/tmp"), write=True),\n',
            ),
        ),
        tests=(MARKS,),
    ),
    Fix(
        name="hostile-masks",
        threat="§2.5, §4: a command writes what later runs outside, present or absent",
        says="what decides or runs outside is read-only for commands, and what is absent can't be made",
        cuts=(
            Cut(
                "runs/tooling.py",
                "        masks=tuple(services.root / name for name in tools.PROTECTED) if write else (),\n",
                "        masks=(),\n",
            ),
            Cut("runs/tooling.py", "        protected=tools.PROTECTED if write else (),\n", "        protected=(),\n"),
        ),
        tests=(MARKS,),
    ),
    Fix(
        name="hostile-trust",
        threat="§2.3, §2.4, §2.12: what a repository declares runs, or reaches a model, before a person saw it",
        says="what nobody has looked at is not trusted",
        cuts=(
            Cut(
                "trust.py",
                '    if known is None:\n        return ItemState(item, "new")\n',
                '    if known is None:\n        return ItemState(item, "trusted")\n',
            ),
        ),
        tests=(MARKS,),
    ),
    Fix(
        name="hostile-program-on-path",
        threat="§6.2, §2.9: the person's PATH names a folder of the repository, which holds a `git`",
        says="git is never taken from below the checkout",
        cuts=(
            Cut(
                "workspace/git_program.py",
                "    _foreign.update((folder, Path(os.path.realpath(folder))))\n",
                "    pass\n",
            ),
        ),
        tests=(MARKS,),
    ),
    Fix(
        name="hostile-redactor",
        threat="§9.3: a secret that devloop knows comes out with what an agent says",
        says="known values are hidden at every exit",
        cuts=(
            Cut(
                "redact/redactor.py", "        if not self._known:\n            return text\n", "        return text\n"
            ),
        ),
        tests=(MARKS, SECRETS),
    ),
    Fix(
        name="hostile-printable",
        threat="§2.15, §9.4: the plan, a file's name or an agent's words speak to the terminal",
        says="escape sequences, controls, bidi and invisible characters are dropped",
        cuts=(
            Cut(
                "redact/characters.py",
                '    text = _HIDDEN.sub(_dropped, _ESCAPES.sub("", text.replace("\\r\\n", "\\n")))\n',
                '    text = text.replace("\\r\\n", "\\n")\n',
            ),
        ),
        tests=(MARKS, CONTROLS),
    ),
    Fix(
        name="hostile-json-on-a-terminal",
        threat="§9.4: JSON leaves 8 bit controls, bidi and invisible characters as they are",
        says="in JSON too they are escaped",
        cuts=(
            Cut(
                "cli/output.py",
                "    text = _HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(data, indent=2, ensure_ascii=False))\n",
                "    text = json.dumps(data, indent=2, ensure_ascii=False)\n",
            ),
        ),
        tests=(f"{SHOWN}test_json_on_a_terminal_is_the_same_json_without_a_character_that_it_obeys_or_hides",),
    ),
    Fix(
        name="hostile-diff-shows-what-is-hidden",
        threat="§9.4, trojan source: a reviewer sees a diff without the characters that change its meaning",
        says="a diff shows hidden characters as `\\u{…}`, on a terminal and in an editor",
        cuts=(
            Cut("cli/diff_view.py", "printable(visible(patch, code=True)).splitlines", "printable(patch).splitlines"),
            Cut("lsp/live/shown.py", 'visible(text, code=True) if kind == "diff" else text', "text"),
        ),
        tests=(
            f"{SHOWN}test_a_diff_on_a_terminal_shows_what_a_compiler_reads",
            f"{SHOWN}test_a_diff_in_an_editor_shows_it_too_and_a_transcript_stays_readable",
        ),
    ),
    Fix(
        name="hostile-names-of-files",
        threat="§9.4: a name looks like another once what is hidden in it is dropped: `new-\\u{202e}gpj.exe`",
        says="in lists of files hidden characters are shown as `\\u{…}`",
        cuts=(
            Cut(
                "redact/characters.py",
                "path if path.isascii() and path.isprintable() else _IN_NAMES.sub(_shown, path)\n",
                "printable(path)\n",
            ),
        ),
        tests=(f"{SHOWN}test_no_file_of_a_change_looks_like_another_on_a_terminal_or_in_an_editor",),
    ),
    Fix(
        name="hostile-links-hide-nothing",
        threat="§9.4: a link's address carries controls or characters that nobody sees",
        says="such an address is no link",
        cuts=(
            Cut(
                "lsp/features/_targets.py",
                "            seen = not conceals(span.target)  #",
                "            seen = True  #",
            ),
        ),
        tests=(f"{SHOWN}test_an_address_with_something_hidden_in_it_is_no_link",),
    ),
    Fix(
        name="hostile-block-of-a-transcript",
        threat="§9.4: hidden characters between backticks are dropped later and the block ends",
        says="a block's fence is chosen for what will be shown",
        cuts=(Cut("runs/transcript_text.py", 'text, fence = printable(text), "```"', 'fence = "```"'),),
        tests=(f"{SHOWN}test_no_content_ends_its_block_in_a_transcript",),
    ),
    Fix(
        name="hostile-pictures-in-a-transcript",
        threat="§2.10: a picture's address in an agent's words carries away what it read, when a person previews them",
        says="pictures and whatever else a preview fetches are shown as text",
        cuts=(
            Cut(
                "runs/transcript_text.py",
                '    return _LOADS.sub(lambda found: f"\\\\{found[0]}", printable(text))\n',
                "    return text\n",
            ),
        ),
        tests=(f"{SHOWN}test_a_preview_of_a_transcript_fetches_nothing",),
    ),
    Fix(
        name="hostile-signs-for-nobody",
        threat="§2.17: an agent's summary carries sign-offs and reviews of people into the commit",
        says="lines that speak for people are left out of a commit's message",
        cuts=(Cut("runs/acceptance.py", 'return _SIGNED.sub("", text)', "return text"),),
        tests=(MARKS, f"{SHOWN}test_an_agent_signs_for_nobody"),
    ),
)
