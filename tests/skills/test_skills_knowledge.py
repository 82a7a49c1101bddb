"""What a conversation gets back when the server has summarised it, and what is recorded; on real files and records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from devloop import trust
from devloop.models import Response, Usage
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.runs import knowledge
from devloop.runs.services import Services
from devloop.runs.spec import LoopSpec, PlanSpec, RunSpec, TaskSpec
from devloop.runs.transcript import Segment, Transcript
from devloop.runs.turn import _react
from devloop.settings import Settings
from devloop.store import Store, make_engine
from devloop.store.database import migrate

SUMMARY = {"type": "compaction", "content": "<summary>Half.</summary>", "signature": "s"}


@pytest.fixture
def services(root: Path) -> Services:
    state = StateDir.of(root).make()
    store = Store.open(f"sqlite:///{state.records_db}", "w")
    nothing: Any = None
    yield Services(root, state, Settings(), nothing, store, nothing, nothing, Redactor({}), nothing, nothing)
    store.close()


def spec_of(services: Services, name: str = "run-a-1", *skills: str, title: str = "Add a widget") -> RunSpec:
    task = TaskSpec(id="a", title=title, skills=skills)
    spec = RunSpec(
        id=name,
        attempt=1,
        task=task,
        plan=PlanSpec(),
        loop=LoopSpec(id="l"),
        agent="engineer",
        mode="default",
        model="m",
    )
    row = {"id": name, "task_id": "a", "task_key": "k", "title": title, "attempt": 1, "agent": "engineer"}
    row |= {"mode": "default", "model": "m", "scripted": True, "state": "working", "turn": 3}
    services.store.create_run({**row, "spec": spec.model_dump(mode="json")})
    return spec


def loaded(services: Services, spec: RunSpec, turn: int, skill: str, reference: str = "") -> None:
    use = {"run": spec.id, "turn": turn, "how": "loaded", "skill": skill, "reference": reference}
    services.store.add_skill_use({**use, "source": "shipped", "why": "w", "tokens": 10})


def response(*content: dict[str, Any], stop_reason: str = "compaction") -> Response:
    return Response("id", "m", list(content), stop_reason, Usage())


async def test_after_a_summary_what_was_loaded_and_what_the_task_names_is_told_again(services: Services) -> None:
    spec = spec_of(services, "run-a-1", "api-design")
    transcript = Transcript(services.folder(spec.id), services.redactor)
    opening, problems = knowledge.opening(services, spec)
    assert "# Skill: api-design" in opening and problems == []
    transcript.begin_segment(Segment(0, 1, f"Task: a\n{opening}"))
    loaded(services, spec, 1, "python-patterns", "references/asyncio.md")
    answer = response(SUMMARY)
    transcript.set_response(2, answer.to_json())
    for _ in range(2):  # a step may be begun again
        reply = await _react(services, spec, transcript, 2, answer)
    assert reply["outcome"] == {"outcome": "go_on"}
    transcript.set_reply(2, reply)
    messages = transcript.messages(3)
    assert [message["role"] for message in messages] == ["assistant", "user"], "what was before is gone"
    told = "\n".join(block["text"] for block in messages[1]["content"] if block["type"] == "text")
    assert "Skills that you had loaded before: api-design, python-patterns/references/asyncio.md." in told
    assert told.count("# Skill: api-design") == 1 and "# asyncio in depth" in told
    again = [(use["skill"], use["turn"]) for use in services.store.skill_uses(spec.id) if use["how"] == "reattached"]
    assert sorted(again) == [("api-design", 2), ("python-patterns", 2)]


@pytest.mark.parametrize("block", [{"type": "compaction", "content": None}, {"type": "text", "text": "done"}])
async def test_without_a_summary_nothing_is_told_again(services: Services, block: dict[str, Any]) -> None:
    spec = spec_of(services)
    transcript = Transcript(services.folder(spec.id), services.redactor)
    transcript.begin_segment(Segment(0, 1, "Task: a"))
    loaded(services, spec, 1, "api-design")
    await _react(services, spec, transcript, 2, response(block, stop_reason="end_turn"))
    assert transcript.words(2) == []


def test_a_carried_conversation_knows_what_the_run_before_it_loaded(services: Services) -> None:
    before, after = spec_of(services, "run-a-1"), spec_of(services, "run-a-2")
    Transcript(services.folder(before.id), services.redactor).begin_segment(Segment(0, 1, "Task: a"))
    transcript = Transcript(services.folder(after.id), services.redactor)
    transcript.begin_segment(Segment(0, 1, "Task: b", carried=before.id))
    loaded(services, before, 1, "api-design")
    loaded(services, after, 1, "go-patterns")
    told = knowledge.again(services, after, 2, transcript, opening_lost=False)
    assert "loaded before: api-design, go-patterns." in told


def test_what_is_gone_by_then_is_named(services: Services, root: Path, write: Callable[..., Path]) -> None:
    path = write(root / ".devloop/skills", "own-way")
    store = services.state.trust_file
    trust.accept(root, store, [(item.key, item.sha256) for item in trust.items(root)])
    spec = spec_of(services)
    transcript = Transcript(services.folder(spec.id), services.redactor)
    transcript.begin_segment(Segment(0, 1, "Task: a"))
    loaded(services, spec, 1, "own-way")
    assert "Do it well." in knowledge.again(services, spec, 2, transcript, opening_lost=False)
    path.write_text(path.read_text() + "Changed by somebody.\n")
    told = knowledge.again(services, spec, 3, transcript, opening_lost=False)
    assert "No longer there: own-way." in told and "Changed by" not in told


def test_the_newest_come_first_into_the_bound(services: Services, root: Path, write: Callable[..., Path]) -> None:
    for name in ("first", "second", "third"):
        write(root / ".devloop/skills", name, body=name * 1_800)
    trust.accept(root, services.state.trust_file, [(item.key, item.sha256) for item in trust.items(root)])
    spec = spec_of(services)
    transcript = Transcript(services.folder(spec.id), services.redactor)
    transcript.begin_segment(Segment(0, 1, "Task: a"))
    for turn, name in enumerate(("first", "second", "third"), start=1):
        loaded(services, spec, turn, name)
    told = knowledge.again(services, spec, 4, transcript, opening_lost=False)
    assert len(told) < knowledge.MAX_AGAIN + 1_000
    assert "third" * 100 in told and "second" * 100 in told
    assert "Too long to stand here; load_skill gives them: first." in told and "first" * 100 not in told


def test_records_of_the_version_before_get_the_table_and_keep_what_they_have(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    import devloop.store

    url = f"sqlite:///{tmp_path}/records.db"
    config = Config()
    config.set_main_option("script_location", str(Path(devloop.store.__file__).parent / "migrations"))
    engine = make_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        assert "skill_uses" not in sa.inspect(connection).get_table_names()
        connection.execute(
            sa.text("insert into events (workspace, kind, data, at) values ('w', 'notice', '{\"text\": \"old\"}', 1)")
        )
    migrate(engine)
    with engine.begin() as connection:
        assert "skill_uses" in sa.inspect(connection).get_table_names()
    store = Store(engine, "w")
    assert store.events()[0]["data"] == {"text": "old"} and store.skill_stats() == []
    use = {"run": "r", "turn": 1, "how": "loaded", "skill": "s", "reference": "", "source": "", "why": "", "tokens": 7}
    for _ in range(2):
        store.add_skill_use(use)
    assert [(row["skill"], row["tokens"]) for row in store.skill_uses("r")] == [("s", 7)]
    assert Store(engine, "other").skill_uses("r") == []
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        assert "skill_uses" not in sa.inspect(connection).get_table_names()
    engine.dispose()
