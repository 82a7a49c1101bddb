"""What each setting means, and how far a file of the repository may have a say in it.

Rules for `.devloop/config.toml` (the team's) and `.devloop/local.md` (one person's). Both lie in the repository, where
a clone or an archive may bring anything, so neither widens what an agent may do, whether git tracks the file or not:

* `own`: only the person's `config.toml` outside of the repository, and their environment;
* `person`: `local.md` too, the team's file not;
* `all`: each of them; the nearer one counts;
* `cap`: a limit that they may lower, never raise, measured by the person's own or the default;
* `limit`: the same, measured by the person's own; without one they are free;
* `care`: only the values in `care`;
* `union`: what all of them list, together;
* `command`: something that is executed: the team's counts once it is trusted, and never instead of the person's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal["own", "person", "all", "cap", "limit", "care", "union", "command"]


WHO_MAY: Final[dict[Rule, str]] = {
    "own": "Only your own config.toml and your environment have a say.",
    "person": "The team's file has no say.",
    "all": "Every source has a say.",
    "cap": "Files of the repository may only lower it.",
    "limit": "Files of the repository may not raise what you set yourself.",
    "care": "Files of the repository may only ask for more care.",
    "union": "What all sources list counts together.",
    "command": "The team's counts once you trust it, and never instead of your own.",
}


@dataclass(frozen=True)
class Meaning:
    """`unused`: why the setting is read and has no effect yet; "" when it has one."""

    text: str
    rule: Rule = "own"
    care: tuple[str | bool, ...] = ()
    unused: str = ""


_NOTHING: Final = "nothing uses it yet"


def _later(text: str, rule: Rule = "all", care: tuple[str | bool, ...] = (), why: str = _NOTHING) -> Meaning:
    return Meaning(text, rule, care, why)


MEANINGS: Final[dict[str, Meaning]] = {
    "model.name": Meaning("The model for every tier that `model.tiers` does not name."),
    "model.tiers.fast": Meaning("The model of the tier `fast`."),
    "model.tiers.balanced": Meaning("The model of the tier `balanced`."),
    "model.tiers.deep": Meaning("The model of the tier `deep`."),
    "model.base_url": Meaning("Where the model's service answers."),
    "model.api_key": Meaning(
        "The key for the model's service; better kept by `devloop login`, which counts where neither this nor "
        "ANTHROPIC_API_KEY is set."
    ),
    "model.effort": Meaning("How hard a model thinks, for every agent: low, medium, high, xhigh, max."),
    "model.max_tokens": Meaning("The longest answer of one turn, in tokens."),
    "model.scenario": Meaning("A scenario file: the scripted player answers, no model is asked."),
    "budget.run_usd": Meaning("The most that one run may cost, in US dollars.", "cap"),
    "budget.plan_usd": Meaning("The most that all runs together may cost, in US dollars.", "cap"),
    "budget.day_usd": Meaning("The most that a day's runs may cost, in US dollars.", "cap"),
    "budget.run_tokens": Meaning("The most tokens that one run may use.", "cap"),
    "budget.turns": Meaning("The most turns that one run may take.", "cap"),
    "budget.wall": Meaning("The longest that one run may work: seconds, or 90s, 10m, 1h30m.", "cap"),
    "sandbox.backend": Meaning("Where commands run: auto, bubblewrap, landlock, srt, none."),
    "sandbox.require": Meaning("Without a sandbox nothing is run, and in a weaker one nothing unattended."),
    "sandbox.srt": Meaning("The program srt, where it lies in no common folder."),
    "sandbox.network_hosts": Meaning("Hosts that commands may reach, with the backend srt only."),
    "sandbox.read_only": Meaning("More directories that commands may read, such as toolchains."),
    "sandbox.environment": Meaning("Names of variables that commands may see."),
    "loop.max_parallel": Meaning("How many runs work at the same time, 1 to 16.", "limit"),
    "loop.max_tasks": Meaning("The most tasks of one `devloop continue` that names no other limit.", "limit"),
    "loop.gate_rounds": Meaning("How often a failing gate goes back to the agent before a person is asked.", "all"),
    "loop.decision_days": Meaning("How many days a checkpoint waits for a person."),
    "loop.parallel_groups": Meaning("Whether all ready tasks of a parallel group start at once: true, false, ask."),
    "loop.resume": Meaning("What happens with a hand-off: ask, auto, never.", "care", ("ask", "never")),
    "checkpoints.when": Meaning(
        "When a loop stops for a person: each-task, every, phase-end, on-failure.", "care", ("each-task",)
    ),
    "checkpoints.every": Meaning('With `checkpoints.when = "every"`: after so many tasks.'),
    "checkpoints.enforcement": Meaning(
        "Whether what should be in order first is only said (advisory) or has to be (strict).", "care", ("strict",)
    ),
    "checkpoints.context_threshold": Meaning(
        "Per cent of the context window at which a fresh conversation takes over.", "person"
    ),
    "checkpoints.fresh_threshold": Meaning("So many tasks in one loop, and a fresh start is offered.", "person"),
    "agents.*.model": Meaning("The model, or tier, of one agent, or of one mode of it (agent:mode).", "person"),
    "agents.*.effort": Meaning("How hard the model of one agent or mode thinks."),
    "agents.*.turns": Meaning("The most turns of one agent or mode."),
    "gates.guard": Meaning(
        "What happens to work that changes what checks it: show (a person decides), block (it fails), accept (it is"
        " told, and nothing waits for you).",
        "care",
        ("block",),
    ),
    "gates.from": Meaning(
        "Whose tests and configuration count: work, or base (work has to pass with those of its base, too).",
        "care",
        ("base",),
    ),
    "gates.*": Meaning("A check that work has to pass: `command`, and how its report is read.", "command"),
    "setup": Meaning("The command that prepares a fresh checkout.", "command"),
    "paths.readonly": Meaning("Paths that agents may not change.", "union"),
    "prices.*": Meaning("Prices of a model, for models that devloop's own table lacks."),
    "database_url": Meaning("Where records are kept; without one SQLite in your state directory."),
    "workflow.skip_phases": Meaning("Phases of `devloop start` that are left out; some never are.", "all"),
    "workflow.auto_approve": Meaning("Phases of `devloop start` whose approval is given in advance."),
    "auto_skills": Meaning("Skills whose texts every run has from its start.", "all"),
    "git.auto_branch": _later("Whether a plan gets a branch of its own in your checkout."),
    "git.branch_pattern": _later("How branches are named: {slug}, {date}, {user}."),
    "git.main_branch": _later("The branch that work goes to in the end."),
    "git.pr_on_complete": _later("A pull request when a plan is done: ask, always, never.", "care", ("ask", "never")),
    "git.pr_sections": _later("Sections of a pull request's text."),
    "git.auto_labels": _later("Labels of a pull request."),
    "git.worktree_isolation": _later("Of older files.", why="runs always have a worktree of their own"),
    "commits.style": _later("How commits are titled: conventional, simple."),
    "commits.scope_from_plan": _later("Whether a conventional title names the plan as its scope."),
    "commits.sign": _later("Whether commits are signed."),
    "commits.format": _later("The form of a commit's title."),
    "commits.auto_commit": _later("Whether a commit is offered.", why="an accepted task is always one commit"),
    "review.before_commit": _later("A review before work is committed: ask, always, never.", "care", ("ask", "always")),
    "review.use_plugin": _later("The plug-in of another program that reviews.", why="devloop has its own reviewer"),
    "github.link_issues": _later("Whether commits name the issue on GitHub."),
    "github.auto_close": _later("Closing an issue on GitHub: ask, always, never.", "care", ("ask", "never")),
    "github.comment_on_complete": _later("A comment on GitHub when a task is done.", "care", (False,)),
    "tokens.token_budget": _later("Of older files.", why="budget.run_tokens and budget.run_usd are the caps"),
    "tokens.cache_friendly_context": _later("Of older files.", why="requests are always made for the cache"),
    "notify.desktop": _later("Notifications of the desktop when a run waits.", "person"),
    "ship.auto_version": _later("Whether shipping offers a new version."),
    "ship.changelog": _later("Whether shipping offers an entry in the change log."),
    "ship.auto_tag": _later("Whether shipping offers a tag."),
    "definition_of_done.code": _later("What has to be true of the code."),
    "definition_of_done.testing": _later("What has to be true of tests."),
    "definition_of_done.quality": _later("What has to be true of quality."),
    "definition_of_done.documentation": _later("What has to be true of documentation."),
    "definition_of_done.integration": _later("What has to be true of integration."),
    "definition_of_done.require_tests": _later("Whether work needs tests."),
    "definition_of_done.require_docs": _later("Whether work needs documentation."),
    "definition_of_done.min_coverage": _later("The least coverage, in per cent."),
    "testing.command": _later("Of older files.", why="a command is a gate: [gates.test] in config.toml"),
    "testing.coverage_threshold": _later("The least coverage, in per cent."),
    "testing.patterns": _later("Where tests are."),
    "security.block_threshold": _later("From which severity on a finding blocks."),
    "security.ignore_patterns": _later("Paths in which findings do not count.", "own"),
}
SECRET: Final = frozenset(("model.api_key", "model.base_url", "database_url"))
"""In a file of the repository they are errors: whoever wrote them there gives something away."""


def pattern_of(key: Sequence[str]) -> str | None:
    """The name in `MEANINGS` for a key; None for no setting."""
    plain = ".".join(key)
    if plain in MEANINGS and "*" not in key:
        return plain
    if len(key) > 1:
        starred = ".".join((key[0], "*", *key[2:]))
        if starred in MEANINGS:
            return starred
    return None
