"""Which skills fit a task: every shipped skill with tasks that bring it and tasks that must not; each rule."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.skills import Skill, Subject, Triggers, match, of_project, shipped_skills

# skill → (tasks that bring it, tasks that must not); a task is a title, or a title with files or languages
POSITIVE: dict[str, list] = {
    "api-design": ["Add an endpoint for refunds", "Paginate the REST API of orders", ("Change it", ["openapi.yaml"])],
    "architecture-patterns": ["Decide on the architecture of the importer", "Write an ADR for the job queue"],
    "atomic-commits": ["Write the commit message for the release", "Split the change into atomic commits"],
    "complexity-estimation": ["Estimate the billing rewrite", "How big is the move to Postgres?"],
    "database-patterns": ["Add a foreign key to orders", "Speed up the slow queries", ("Rename it", ["db/a.sql"])],
    "deployment-readiness": ["Check whether we can deploy", "Prepare the rollout", ("Shrink it", ["Dockerfile"])],
    "file-locations": ["Ignore the .devloop folder's private files", ("Move it", [".devloop/local.md"])],
    "git-workflows": ["Resolve the merge conflict in store.py", "Write the pull request text", "Rebase the work"],
    "go-patterns": [("Add retries", ["client/retry.go"]), ("Fix the crash", [], {"go"}), "Use one goroutine per file"],
    "issue-tracking": ["Log this bug in the backlog", "Triage the open issues"],
    "java-patterns": [("Add a cache", ["src/Main.java"]), "Move the Spring Boot service to records"],
    "model-selection-guide": ["Choose the model tier for reviews", "Lower the cost of runs with haiku"],
    "phase-templates": ["Start from a plan template", "Reuse the standard phases for the new plan"],
    "plan-management": ["Break down the import feature", "Write a plan for search", "Revise the plan"],
    "project-bootstrap": ["Bootstrap the service", "Scaffold a new project"],
    "project-context": ["Detect the stack and write context.json", "Onboard: understand the codebase"],
    "python-patterns": [("Add it", ["src/app.py"]), ("Fix the parser", [], {"python"}), "Use asyncio in the client"],
    "react-patterns": [("Show it", ["src/Cart.tsx"]), "Add a React hook for sessions", ("Fix it", [], {"react"})],
    "refactoring-analysis": ["Refactor the parser", "Remove dead code", "Find duplicate code in the views"],
    "requirements-patterns": ["Write user stories for checkout", "Turn the wish into a PRD"],
    "security-checklist": ["Add a login form", "Check uploads for XSS", ("Tidy it", ["app/auth/session.py"])],
    "task-checkpoint": ["Check the definition of done", "Verify completion of phase 2"],
    "testing-strategies": ["Add tests for the store", "Mend the flaky suite", ("Cover it", ["tests/test_a.py"])],
    "tool-usage-policy": ["Describe which tool to use when", "Reduce the token usage of the agents"],
    "version-management": ["Bump the version", "Write the changelog", ("Update it", ["CHANGELOG.md"])],
    "workflow-loop": ["Work through the plan unattended", "Resume after a fresh start"],
    "workflow-selection": ["Triage the unclear request", "Is it a feature or bug?"],
    "worklog-management": ["Reconstruct the log of March", "Sync the worklog"],
}
NEGATIVE: dict[str, list] = {
    "api-design": ["Rotate the API key", "Do the rest of the clean-up", "Rename a local variable"],
    "architecture-patterns": ["Fix a typo in the page design", "Add tests for the cart"],
    "atomic-commits": ["Install the pre-commit hook", "Wrap it in a database commit", "Invite the committee"],
    "complexity-estimation": ["Lower the cyclomatic complexity of parse()", "Fix the crash on start"],
    "database-patterns": ["Parse the query string", "Add a table of contents", "Validate by JSON schema"],
    "deployment-readiness": ["Bump the version for the release", "Fix the parser"],
    "file-locations": ["Add a /devloop:fresh command", "Move the helpers to another file", ("Add it", ["src/app.py"])],
    "git-workflows": ["Raise branch coverage to 90 %", "Add a button"],
    "go-patterns": [
        "Let us go on with the views",
        ("Add it", ["src/app.py"], {"go"}),
        ("Write the README", [], {"go"}),
    ],
    "issue-tracking": ["Issue a token at login", "Fix the crash on start"],
    "java-patterns": ["Bundle the JavaScript", ("Add it", ["web/app.js"])],
    "model-selection-guide": ["Add a field to the Django model", "Train the machine learning model"],
    "phase-templates": ["Render the e-mail template", "Fix phase shift in the signal"],
    "plan-management": ["Show the pricing plan on the page", "Fix the parser"],
    "project-bootstrap": ["Update Bootstrap CSS to 5.3", "Fix the bootstrap theme"],
    "project-context": ["Pass the context to the logger", ("Describe it", ["docs/agents.md"]), "Add a test"],
    "python-patterns": [("Add it", ["src/app.go"], {"python"}), ("Write the README", [], {"python"})],
    "react-patterns": ["React to a closed socket", ("Install a git hook", [], {"react"}), "Add a PreCommit hook"],
    "refactoring-analysis": ["Add a cache", "Fix the crash on start"],
    "requirements-patterns": ["Pin versions in requirements.txt", "Scoped CSS for cards", "Ask for the OAuth scope"],
    "security-checklist": ["Rename the design tokens", "Show the token count", "Add a chart"],
    "task-checkpoint": ["Save a model checkpoint every epoch", "Add a chart"],
    "testing-strategies": ["Run an A/B test on the banner", "Write the README"],
    "tool-usage-policy": ["Add a toolbar", "Install the build tool"],
    "version-management": ["Support Python version 3.13", "Close the HTML tag", "Solve the version conflict"],
    "workflow-loop": ["Unroll the for loop", "Resume uploads after a break"],
    "workflow-selection": ["Add a button", "Fix the login"],
    "worklog-management": ["Log requests with an id", "Write the changelog"],
}


def names(task) -> list[str]:
    title, files, languages = (task, [], set()) if isinstance(task, str) else (*task, set())[:3]
    skills = [found.skill for found in shipped_skills().active.values()]
    subject = Subject(title, files=tuple(files), languages=frozenset(languages))
    return [each.name for each in match(skills, subject)]


def test_every_shipped_skill_has_its_cases():
    offered = {name for name, found in shipped_skills().active.items() if not found.skill.explicit_only}
    assert set(POSITIVE) == set(NEGATIVE) == offered
    assert all(len(cases) >= 2 for table in (POSITIVE, NEGATIVE) for cases in table.values())


@pytest.mark.parametrize(
    ("skill", "task"), [(name, task) for name, tasks in POSITIVE.items() for task in tasks], ids=str
)
def test_a_task_of_its_kind_brings_the_skill(skill, task):
    assert skill in names(task)


@pytest.mark.parametrize(
    ("skill", "task"), [(name, task) for name, tasks in NEGATIVE.items() for task in tasks], ids=str
)
def test_another_task_does_not(skill, task):
    assert skill not in names(task)


def test_a_plain_task_is_offered_few_skills():
    """The point of triggers: most tasks see one to three lines."""
    plain = [task for tasks in POSITIVE.values() for task in tasks if isinstance(task, str)]
    counts = [len(names((title, [], {"python"}))) for title in plain]
    assert max(counts) <= 5 and sum(counts) / len(counts) <= 2.5


# The rules


def skill(name: str = "own-way", description: str = "How. Use when.", **triggers: tuple[str, ...]) -> Skill:
    return Skill(name, description, "text", triggers=Triggers(**triggers))


def why(which: Skill, title: str = "Change it", **subject) -> str | None:
    found = match([which], Subject(title, **subject))
    return found[0].why if found else None


@pytest.mark.parametrize(
    ("title", "fits"),
    [
        ("Add an index on orders", True),
        ("Add INDEXES", True),
        ("Add an in-dex", False),
        ("Reindex everything", False),
        ("Read `index` from the file", False),
        ("index", True),
    ],
)
def test_a_keyword_is_a_whole_word_of_the_title_in_any_case_and_number(title, fits):
    assert (why(skill(keywords=("index",)), title) == "the title says “index”") is fits


def test_a_phrase_is_its_words_in_a_row():
    which = skill(keywords=("pull request",))
    assert why(which, "Describe the pull-requests") and why(which, "Write pull request text")
    assert why(which, "Request that they pull") is None


def test_negative_words_beat_every_trigger_but_the_persons_own_word():
    which = skill(keywords=("query",), paths=("*.py",), not_keywords=("query string",))
    assert why(which, "Parse the query string", files=("a.py",)) is None
    assert why(which, "Parse the query string", skills=("own-way",)) == "the task names it"
    assert why(which, "Speed up the query", notes="not the query string") is not None


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.sql", "db/deep/a.sql", True),
        ("*.sql", "a.sql.txt", False),
        ("db/*.sql", "db/a.sql", True),
        ("db/*.sql", "other/db/a.sql", False),
        ("**/auth/**", "app/auth/session.py", True),
        ("tests/**", "tests/unit/a.py", True),
    ],
)
def test_paths_are_globs_of_the_tasks_files(pattern, path, fits):
    expected = f"{path} matches {pattern}" if fits else None
    assert why(skill(paths=(pattern,)), files=(path,)) == expected


def test_the_projects_language_counts_only_where_the_task_names_no_file_and_is_about_code():
    which = skill(languages=("go",))
    go = frozenset({"go"})
    assert why(which, "Fix the crash", languages=go) == "the project is go"
    assert why(which, "Change it", files=("a.go",)) == "its files are go"
    assert why(which, "Change it", files=("a.py",), languages=go) is None
    assert why(which, "Change it", files=("notes.txt",), languages=go) == "the project is go"
    assert why(which, "Write the documentation", languages=go) is None
    assert why(which, "Add tests to the docs generator", languages=go) == "the project is go"


def test_types_come_from_the_words_of_the_title():
    assert why(skill(task_types=("bug",)), "Fix the crash") == "it is a bug task"
    assert why(skill(task_types=("refactor",)), "Fix the crash") is None


def test_the_more_certain_reason_comes_first_and_the_order_is_always_the_same():
    which = [
        skill("by-notes", keywords=("sql",)),
        skill("by-type", task_types=("bug",)),
        skill("by-title", keywords=("crash",)),
        skill("by-path", paths=("*.py",)),
        skill("asked"),
        skill("by-language", languages=("python",)),
    ]
    subject = Subject("Fix the crash", "in sql", ("a.py",), ("asked",))
    expected = ["asked", "by-path", "by-title", "by-type", "by-language", "by-notes"]
    for listed in (which, which[::-1]):
        assert [each.name for each in match(listed, subject)] == expected


def test_a_skill_made_for_another_program_fits_by_its_name_and_by_what_its_description_quotes():
    which = skill("pdf-forms", 'Fills PDF. Use when somebody says "fill in a form".')
    assert why(which, "Support PDF forms") == "the title says “pdf forms”"
    assert why(which, "Fill in a form for taxes") == "the title says “fill in a form”"
    assert why(which, "Draw a chart") is None


def test_one_that_is_loaded_only_by_name_is_never_offered():
    (found,) = [each.skill for each in shipped_skills().found if each.name == "language-patterns-base"]
    assert found.explicit_only
    assert match([found], Subject("Use language-patterns-base for a language patterns base")) == ()
    assert match([found], Subject("Write it", skills=(found.name,)))[0].explicit


def test_the_tag_itself_is_no_word_of_the_title():
    assert why(skill(keywords=("api design",)), "Do it [skill:api-design]") is None


@given(st.text(max_size=500), st.lists(st.text(max_size=40), max_size=5))
def test_no_task_makes_it_fail(title, files):
    skills = [found.skill for found in shipped_skills().active.values()]
    subject = Subject(title, title, tuple(files), tuple(title.split()))
    found = match(skills, subject)
    assert [each.name for each in match(skills[::-1], subject)] == [each.name for each in found]


def test_matching_all_shipped_skills_is_quick_also_for_a_long_text():
    skills = [found.skill for found in shipped_skills().active.values()]
    short, long = (
        Subject("Add a login endpoint"),
        Subject("word " * 50, "note " * 20_000, tuple("a/b.c" for _ in "x" * 99)),
    )
    for subject, limit in ((short, 0.002), (long, 0.1)):
        match(skills, subject)
        took = []
        for _ in range(20):
            begin = time.thread_time()
            match(skills, subject)
            took.append(time.thread_time() - begin)
        assert min(took) < limit


def test_languages_of_a_project_come_from_what_lies_at_its_top(tmp_path):
    assert of_project(tmp_path / "none") == frozenset()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "package.json").write_text('{"dependencies": {"react": "19"}}')
    (tmp_path / "tool.go").touch()
    assert of_project(tmp_path) == {"python", "javascript", "react", "go"}
    for broken in ("[", "[]", '{"dependencies": 3}', "\0", "[" * 5000):
        (tmp_path / "package.json").write_text(broken)
        assert of_project(tmp_path) == {"python", "javascript", "go"}
