"""Faults in skills' files are found by `devloop doctor`, each with file and line; the rest goes on."""

from __future__ import annotations

from devloop import settings
from devloop.daemon import doctor
from devloop.daemon.documents import Documents
from devloop.paths import StateDir


async def checks(root):
    found = await doctor.checks(root, StateDir.of(root).make(), settings.load(root, {}), Documents(root))
    return [check for check in found if check.name == "skills"]


async def test_sound_skills_are_counted_and_those_that_wait_are_named(root, write):
    write(root / ".devloop/skills", "own-way")
    (check,) = await checks(root)
    assert (check.state, check.message) == (
        "ok",
        "29 skills, 0 of them your own or this repository's; 1 not trusted yet.",
    )


async def test_a_malformed_skill_is_a_problem_with_its_line_and_the_person_s_own_count(home, root, write):
    write(home / "skills", "mine")
    path = write(root / ".claude/skills", "own-way")
    path.write_text(path.read_text().replace("name: own-way", "name: Own"))
    write(root / ".claude/skills", "odd").write_text("---\nname: odd\ndescription: a: b\n---\nText\n")
    found = {(check.state, check.message) for check in await checks(root)}
    assert {state for state, _ in found} == {"problem", "warning"}
    told = "\n".join(sorted(message for _, message in found))
    assert ".claude/skills/own-way/SKILL.md:2: the name has to be" in told
    assert ".claude/skills/odd/SKILL.md:3: the front matter is no YAML" in told
