"""Git: what a repository, its configuration and an agent in a worktree could make git do (security.md §4 and §5)."""

from fixes.model import Cut, Fix

GIT = "workspace/git.py"
HARDENING = "tests/workspace/test_workspace_hardening.py::"
HOSTILE = "tests/workspace/test_workspace_hostile.py::"
LANDING = "tests/workspace/test_workspace_landing.py::"


def _setting(key: str, line: str, says: str, test: str = "") -> Fix:
    """An entry of `SAFE` less."""
    at = f"{HARDENING}test_a_setting_keeps_a_program_of_the_repository_from_running[{key}]"
    return Fix(
        name=f"git-{key.lower().replace('.', '-')}",
        threat="§4, §5 rule 3: the repository's configuration names a program or a transport",
        says=says,
        cuts=(Cut(GIT, f"{line}\n", "\n"),),
        tests=(f"{HARDENING}{test}" if test else at,),
    )


def _variable(name: str, line: str, says: str, *tests: str) -> Fix:
    """A variable of git's environment less."""
    return Fix(
        name=f"git-environment-{name}",
        threat="§5 rule 2: git's surroundings name a program, a configuration or other objects",
        says=says,
        cuts=(Cut(GIT, f"            {line}", "            #"),),
        tests=tuple(f"{HARDENING}{test}" for test in tests),
    )


def _named(section: str, key: str, value: str, says: str, test: str = "", *, also: str = "") -> Fix:
    """A key that `Repository.git` overrides by each name that the configuration has. `also`: the key before it in git,
    without which it is asked at all."""
    at = f"{HARDENING}test_a_driver_of_any_name_does_not_run[{section}.{key}]"
    return Fix(
        name=f"git-named-{section}-{key}",
        threat="§4: agent-written .gitattributes select what the configuration names",
        says=says,
        cuts=tuple(
            Cut("workspace/repository.py", f'    ("{section}", "{name}"): "{value}",\n', "")
            for name in filter(None, (key, also))
        ),
        tests=(f"{HARDENING}{test}" if test else at,),
    )


_NOT_WRITTEN = "test_a_folder_that_some_systems_take_for_git_is_not_written"
FIXES = (
    # SAFE, one by one.
    _setting("core.hooksPath", '("core.hooksPath", os.devnull),', "hooks lie nowhere"),
    _setting("core.fsmonitor", '("core.fsmonitor", "false"),', "no monitor is asked what changed"),
    _setting("core.alternateRefsCommand", '("core.alternateRefsCommand", "true"),', "no program lists borrowed refs"),
    _setting(
        "sequence.editor",
        '("sequence.editor", "false"),  # the one editor that GIT_EDITOR does not stand before',
        "no editor for lists of commits",
    ),
    _setting("commit.gpgSign", '("commit.gpgSign", "false"),', "no program signs commits"),
    _setting("tag.gpgSign", '("tag.gpgSign", "false"),', "no program signs tags"),
    _setting("log.showSignature", '("log.showSignature", "false"),', "no program checks signatures"),
    _setting("diff.external", '("diff.external", ""),', "no program compares"),
    _setting("protocol.allow", '("protocol.allow", "never"),', "no transport, by configuration too"),
    _setting("protocol.ext.allow", '("protocol.ext.allow", "never"),', "no command as a transport"),
    _setting("core.sshCommand", '("core.sshCommand", "false"),', "no ssh of the repository's choice"),
    _setting("core.askPass", '("core.askPass", "false"),', "no program asks for passwords"),
    _setting("credential.helper", '("credential.helper", ""),', "no program is asked for passwords"),
    _setting(
        "submodule.recurse",
        '("submodule.recurse", "false"),',
        "the person's submodules are not moved",
        "test_the_persons_submodules_stay_where_they_are",
    ),
    _setting(
        "maintenance.auto",
        '("maintenance.auto", "false"),',
        "nothing is tidied up behind the person's back",
        "test_nothing_is_tidied_up_in_the_persons_repository",
    ),
    _setting(
        "core.protectHFS",
        '("core.protectHFS", "true"),',
        "names that macOS takes for .git are refused everywhere",
        f"{_NOT_WRITTEN}[.g\\u200cit-core.protectHFS]",
    ),
    _setting(
        "core.protectNTFS",
        '("core.protectNTFS", "true"),',
        "names that Windows takes for .git are refused everywhere",
        f"{_NOT_WRITTEN}[git~1-core.protectNTFS]",
    ),
    # The environment, one by one.
    Fix(
        name="git-environment-from-nothing",
        threat="§5 rule 2: inherited GIT_* aim git at other files and programs",
        says="git's environment is built from nothing",
        cuts=(
            Cut(
                GIT,
                "environment = {name: os.environ[name] for name in keep if name in os.environ}",
                "environment = dict(os.environ)",
            ),
        ),
        tests=(f"{HOSTILE}test_the_environment_of_git_is_built_from_nothing",),
    ),
    Fix(
        name="git-environment-home",
        threat="§5 rule 2: git's surroundings name a program, a configuration or other objects",
        says="the person's home is not git's",
        cuts=(Cut(GIT, '"HOME": os.devnull,', '"HOME": os.environ["HOME"],'),),
        tests=(f"{HARDENING}test_the_persons_home_is_not_read",),
    ),
    _variable(
        "global",
        '"GIT_CONFIG_GLOBAL": os.devnull,',
        "no global configuration",
        "test_the_global_configuration_is_not_read",
    ),
    _variable(
        "system",
        '"GIT_CONFIG_NOSYSTEM": "1",',
        "no system's configuration",
        "test_the_systems_configuration_is_not_read",
    ),
    _variable(
        "prompt", '"GIT_TERMINAL_PROMPT": "0",', "nothing is asked at a terminal", "test_nothing_is_asked_at_a_terminal"
    ),
    _variable("editor", '"GIT_EDITOR": "false",', "no editor", "test_no_editor_is_started"),
    _variable(
        "pager",
        '"GIT_PAGER": "cat",',
        "no pager, even where one were asked for",
        "test_no_pager_is_started_at_a_terminal[GIT_PAGER]",
    ),
    _variable(
        "locks",
        '"GIT_OPTIONAL_LOCKS": "0",',
        "reading does not write the person's index",
        "test_reading_writes_no_index",
    ),
    _variable(
        "transports",
        '"GIT_ALLOW_PROTOCOL": "none",',
        "no transport begins, whatever the configuration says (rule 10)",
        "test_no_transport_begins",
        "test_a_missing_object_of_a_partial_clone_is_not_fetched",
    ),
    _variable(
        "proxy",
        '"GIT_PROXY_COMMAND": "false",',
        "no program stands in for a connection",
        "test_a_setting_keeps_a_program_of_the_repository_from_running[GIT_PROXY_COMMAND]",
    ),
    _variable(
        "lazy",
        '"GIT_NO_LAZY_FETCH": "1",',
        "a partial clone fetches nothing by itself (rule 10)",
        "test_a_missing_object_of_a_partial_clone_is_not_fetched",
    ),
    _variable(
        "replacements",
        '"GIT_NO_REPLACE_OBJECTS": "1",',
        "what is checked and what lands are the same objects",
        "test_a_replacement_does_not_stand_in_for_an_object",
    ),
    _variable(
        "grafts",
        '"GIT_GRAFT_FILE": _NO_FILE,',
        "history is what commits say",
        "test_a_graft_does_not_change_history",
    ),
    Fix(
        name="git-no-pager",
        threat="§5 rule 3: core.pager and pager.* name programs",
        says="no pager is started",
        cuts=(Cut(GIT, 'command = [executable(path), "--no-pager"]', "command = [executable(path)]"),),
        tests=(f"{HARDENING}test_no_pager_is_started_at_a_terminal[--no-pager]",),
    ),
    Fix(
        name="git-from-outside",
        threat="§6.2: a program from a PATH entry inside the repository",
        says="git is never taken from a relative entry of PATH or from the checkout",
        cuts=(
            Cut(
                "workspace/git_program.py",
                "entry for entry in entries "
                "if entry and Path(entry).is_absolute() and not _lies_in(foreign, Path(entry))",
                "entry for entry in entries",
            ),
        ),
        tests=(
            f"{HARDENING}test_a_git_in_the_repository_is_not_taken",
            f"{HOSTILE}test_a_git_in_a_relative_path_entry_is_not_taken",
        ),
    ),
    # Drivers by name.
    _named(
        "filter",
        "clean",
        "",
        "no filter when files are read (an empty `process` stands before it: cut too)",
        also="process",
    ),
    _named(
        "filter",
        "smudge",
        "",
        "no filter when files are written (an empty `process` stands before it: cut too)",
        also="process",
    ),
    _named("filter", "process", "", "no filter that stays"),
    _named(
        "filter",
        "required",
        "false",
        "what is done without a filter does not fail for its sake",
        "test_a_filter_that_is_required_does_not_stop_what_is_done_without_it",
    ),
    _named("diff", "textconv", "", "no program makes text of files"),
    _named("diff", "command", "", "no program compares files of a kind"),
    _named("merge", "driver", "false", "no program merges files of a kind"),
    # The own git directory.
    Fix(
        name="own-git-directory",
        threat="§4, §5 rule 5: filter, textconv, merge driver, hooks of the repository on snapshots and commits",
        says="a run's git directory has a configuration of its own",
        cuts=(
            Cut(
                "workspace/own.py",
                "return Git(self.state.git, work_tree, index, own=True)",
                "return Git(self.state.git, work_tree, index, own=True,"
                ' config=(("include.path", str(self.repository.git_dir / "config")),))',
            ),
            Cut(
                "workspace/own.py",
                "return Git(self.admin(run), self.path(run), index, own=True)",
                "return Git(self.admin(run), self.path(run), index, own=True,"
                ' config=(("include.path", str(self.repository.git_dir / "config")),))',
            ),
            Cut("workspace/own.py", '_ATTRIBUTES = b"* !filter !diff !merge ', '_ATTRIBUTES = b"* '),
        ),
        tests=(f"{HOSTILE}test_no_program_of_the_repository_runs_in_a_whole_life",),
    ),
    Fix(
        name="own-attributes",
        threat="§4: agent-written .gitattributes",
        says="attributes of devloop's own directory stand before those of any file",
        cuts=(Cut("workspace/own.py", '_ATTRIBUTES = b"* !filter !diff !merge ', '_ATTRIBUTES = b"* '),),
        tests=(f"{HOSTILE}test_attributes_of_the_agent_select_nothing_in_our_own_directory",),
    ),
    Fix(
        name="explicit-git-directory",
        threat="§4: the worktree's .git pointer leads to an evil git directory",
        says="git is told where its directory is; the pointer is not followed",
        cuts=(
            Cut(
                "workspace/own.py",
                "return Git(self.admin(run), self.path(run), index, own=True)",
                "return Git(None, None, index, own=True, cwd=self.path(run))",
            ),
        ),
        tests=(f"{HOSTILE}test_an_evil_git_pointer_in_the_worktree_is_not_followed",),
    ),
    Fix(
        name="pointer-put-right",
        threat="§4: the worktree's .git pointer, for the person's own git",
        says="the pointer is written again whenever a run goes on",
        cuts=(Cut("workspace/worktrees.py", "or pointer.read_bytes() != wanted:", "and False:"),),
        tests=(f"{HOSTILE}test_a_pointer_of_the_agent_is_put_right",),
    ),
    # `--no-ext-diff --no-textconv` on comparisons is a second line: git's plumbing, which alone is used, runs neither
    # unless it is asked to.
    Fix(
        name="programs-that-came-during-a-run",
        threat="§6: a filter, driver or hook that the repository's configuration names since the engine read it",
        says="the configuration is read again once one of its files changed, and each time where it includes others",
        cuts=(
            Cut(
                "workspace/repository.py",
                'if stamp is None or self._read.get("stamp") != stamp:',
                "if not self._read:",
            ),
        ),
        tests=(
            "tests/workspace/test_workspace_repository.py"
            "::test_the_configuration_is_read_again_once_one_of_its_files_changed",
        ),
    ),
    Fix(
        name="no-option-as-a-commit",
        threat="§4: --output=FILE given as a ref",
        says="a commit is an object id, and nothing is an option behind --end-of-options",
        cuts=(
            Cut(
                "workspace/diffs.py",
                'pair = ("--end-of-options", checked_oid(base), checked_oid(commit), "--")',
                'pair = (base, commit, "--")',
            ),
        ),
        tests=(
            f"{HOSTILE}test_an_option_in_the_place_of_a_commit_writes_no_file",
            f"{HOSTILE}test_an_option_in_the_place_of_a_commit_is_none_to_git_either",
        ),
    ),
    Fix(
        name="end-of-options",
        threat="§4: --output=FILE given as a ref",
        says="nothing is an option behind --end-of-options",
        cuts=(Cut("workspace/diffs.py", 'pair = ("--end-of-options", ', "pair = ("),),
        tests=(f"{HOSTILE}test_an_option_in_the_place_of_a_commit_is_none_to_git_either",),
    ),
    Fix(
        name="commits-of-devloop-alone",
        threat="§4: commit from inside",
        says="a commit on the run's branch counts only with the person as author and devloop's trailers",
        cuts=(
            Cut("workspace/attempts.py", "made.tree == tree and _is_made_here(", "made.tree == tree or _is_made_here("),
        ),
        tests=(f"{HOSTILE}test_a_commit_from_inside_is_not_taken_for_the_runs",),
    ),
    Fix(
        name="links-are-not-emptied",
        threat="§4: a link in the worktree, which the daemon would follow",
        says="a link in the place of a submodule's folder is not followed when that is emptied",
        cuts=(Cut("workspace/trees.py", " and place.is_dir() and not place.is_symlink():", " and place.is_dir():"),),
        tests=(f"{HOSTILE}test_emptying_a_submodules_folder_follows_no_link",),
    ),
    Fix(
        name="no-look-into-submodules",
        threat="§5: git asks a submodule's own configuration",
        says="looking for changes does not look into submodules",
        cuts=(Cut("workspace/repository.py", '"--ignore-submodules=all", ', ""),),
        tests=(f"{HOSTILE}test_looking_for_changes_asks_no_submodule",),
    ),
    # Landing.
    Fix(
        name="one-caller-of-git",
        threat="§5: a git that is started past the hardened runner, with the person's configuration and hooks",
        says="only one module starts git: any other that does fails a test",
        cuts=(
            Cut(
                "workspace/refs.py",
                "from __future__ import annotations\n",
                "from __future__ import annotations\n\n\ndef _past():  # type: ignore\n"
                "    import subprocess\n\n    subprocess.run(['git', 'status'])\n\n\n",
            ),
        ),
        tests=(
            "tests/workspace/test_workspace_callers.py::test_only_named_modules_start_processes_and_only_one_starts_git",
        ),
    ),
    Fix(
        name="landing-checks-again",
        threat="§10: what lands is not what the gates saw, because the branch moved meanwhile",
        says="work that was put on top of a moved branch passes the gates again before it lands",
        cuts=(
            Cut(
                "engine/accepting.py",
                'if not forecast["moved"]:\n            return commit, None\n',
                'if commit:\n            return str(forecast["commit"]), None\n',
            ),
        ),
        tests=(
            "tests/engine/test_engine_landing.py::test_a_branch_that_moved_is_no_obstacle_and_the_result_is_checked_again",
            "tests/engine/test_engine_landing.py::test_a_gate_that_fails_on_the_moved_branch_keeps_the_work_from_landing",
        ),
    ),
    Fix(
        name="landing-compares",
        threat="§5 rule 9: the branch moves between forecast and landing",
        says="a ref moves only from the value that was planned with",
        cuts=(Cut("workspace/refs.py", "update {name}\\0{new}\\0{old or ''}\\0", "update {name}\\0{new}\\0\\0"),),
        tests=(f"{LANDING}test_a_commit_made_between_looking_and_landing_is_kept",),
    ),
    Fix(
        name="landing-holds-refs",
        threat="§5 rule 9: the person commits while a landing changes the checkout",
        says="branch and HEAD are locked from before the first file changes until they move",
        cuts=(
            Cut(
                "workspace/refs.py",
                "    async with git.prepared(_commands(changes), _MESSAGE) as settle:\n        yield settle",
                "    yield lambda: move_all(git, changes)",
            ),
        ),
        tests=(f"{LANDING}test_nobody_commits_or_switches_while_a_landing_changes_files",),
    ),
)
