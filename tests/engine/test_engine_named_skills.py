"""Skills that an agent's definition or the person's settings name: there, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.engines import Engine, engine, first_text, trust_everything, work
from support.projects import commit_all

SKILL = "---\nname: {0}\ndescription: About {0}. Use when.\nwhen_not: x\ntriggers:\n  keywords: [anvil]\n---\nDo {0}.\n"
AGENT = "---\nname: smith\ndescription: Forges\nskills: [smith-way, nowhere, strange-way]\n---\nYou forge.\n"


async def uses(held: Engine, run: str) -> dict[tuple[str, str], str]:
    await held.checkpoint(run)
    shown: dict[str, Any] = await held.ask("show", run=run)
    await held.decide(run, "discard")
    await held.ended(run)
    return {(use["skill"], use["how"]): use["why"] for use in shown["skills"]}


def skill(root: Path, name: str) -> None:
    (root / f".devloop/skills/{name}").mkdir(parents=True)
    (root / f".devloop/skills/{name}/SKILL.md").write_text(SKILL.format(name))


async def test_an_agents_skills_are_listed_and_the_persons_are_attached(home: Path, project: Path) -> None:
    (project / ".devloop/agents").mkdir()
    (project / ".devloop/agents/smith.md").write_text(AGENT)
    skill(project, "smith-way")
    commit_all(project, "a smith")
    trust_everything(project)
    skill(project, "strange-way")
    async with engine(project, {}, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1", "Forge it", task_fields={"agent": "smith"})
        found = await uses(held, run)
        assert found[("smith-way", "listed")] == "its agent names it"
        assert not [each for each in found if each[0] in ("strange-way", "nowhere")], "what nobody trusts stays out"
        assert "- smith-way: About smith-way (its agent names it)" in first_text(held.requests(run)[0])
        held.config.write_text('auto_skills = ["smith-way"]\n')
        run = await held.run("1.1", "Forge it", task_fields={"agent": "smith"})
        found = await uses(held, run)
        assert found[("smith-way", "attached")] == "your settings name it" and ("smith-way", "listed") not in found
        assert "Do smith-way." in first_text(held.requests(run)[0])
