"""A repository in which everything is an attack, through a whole day of its person: no attack leaves its mark.

No real model can be reached here. The agent is a scripted one that obeys: whatever a text of the repository asks for it
does, so that what holds is what devloop and the sandbox hold, never a model's good sense.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path

import pytest

from devloop.sandbox import detect
from double import Double
from hostile.attacks import ATTACKS, agent, files
from hostile.day import whole
from hostile.ground import Ground
from hostile.life import Life
from hostile.planting import plant, scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
MARKUP = re.compile(r"(?<!\\)<(?:img|script)|(?<!\\)\]\((?:command|javascript|vscode|data):")
LANDED = {".devloop/plan.md", "hard.txt", "honest.txt"}


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("ANTHROPIC_", "DEVLOOP_", "GIT_")) and name != "DEVLOOP_REQUIRE_SANDBOX":
                patch.delenv(name)
        yield patch


@pytest.fixture(scope="module")
def place(patch):
    path = Path(tempfile.mkdtemp(prefix="dl-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
async def sandboxed():
    found = await detect()
    if found.state != "on":
        if os.environ.get("DEVLOOP_REQUIRE_SANDBOX") == "1":
            pytest.fail(f"no sandbox: {found.reason} {found.fix}")
        pytest.skip(found.reason)


@pytest.fixture(scope="module")
def life(place, pytestconfig):
    """The whole day, once; the tests look at what it left."""
    ground = Ground(place)
    plant(ground)
    ground.secrets["ANTHROPIC_API_KEY"] = f"zqkey{os.urandom(12).hex()}"
    with Double(scenario=scenario(ground), key=ground.secrets["ANTHROPIC_API_KEY"]) as double:
        made = Life(ground, double, pytestconfig.getoption("long"))
        whole(made)
        yield made
    ground.close()


def test_no_attack_leaves_its_mark(life):
    assert life.ground.marked() == [], "\n".join(life.found)


def test_nothing_reached_the_canary_and_the_home_is_as_it_was(life):
    assert life.ground.canary.heard == []
    assert life.ground.seen_at_home() == life.ground.at_home


def test_the_day_went_as_it_had_to(life):
    """Else nothing would have been shown: the commands did what they are for, the refusals were refusals."""
    codes = life.codes
    assert life.broken == []
    assert codes["run 1.1"] == codes["continue"] == codes["quick Tidy up"] == 4  # untrusted
    assert codes["run 1.1 --json"] == 3 and codes["decide run-1.1-1 commit --follow"] == 3
    assert codes["decide commit --follow"] == 0
    assert codes["run 1.2"] == 4  # swapped after it was trusted
    assert "changed since it was trusted" in dict(life.screens)["devloop run 1.2"]
    assert all(code == 2 for name, code in codes.items() if "ref-is-option" in name)
    assert len(life.double.journal) > 8


def test_exactly_the_accepted_work_has_landed(life):
    assert len(life.landed["commits"]) == 1
    assert {name for name in life.landed["files"] if "new-" not in name and not name.startswith('"')} <= LANDED
    assert "honest.txt" in life.landed["files"]
    assert life.landed["message"].splitlines()[:2] == ["Pat Person", "pat@example.org"]


def test_no_screen_editor_or_commit_shows_a_control_character(life):
    seen = [
        (where, repr(text[max(0, found.start() - 60) : found.end() + 60]))
        for where, text in life.screens
        if (found := CONTROLS.search(text))
    ]
    assert seen == []


def test_no_secret_comes_out_anywhere(life):
    screens = "\n".join(text for _, text in life.screens)
    sent = b"\n".join(text for _, text in life._sent()).decode()
    for name, value in life.ground.secrets.items():
        assert value not in screens, name
        assert value not in sent, name


def test_markdown_for_the_editor_has_neither_html_nor_links_that_run(life):
    assert life.markdown
    assert [text for _, text in life.markdown if MARKUP.search(text)] == []
    assert all(
        link.startswith(("http://", "https://", life.ground.root.as_uri())) for link in life.landed["links"] if link
    )


def test_what_is_kept_belongs_to_the_person_alone(life):
    """What commands printed is kept as it was; nobody else may read it."""
    for folder in (life.ground.tmp / "s" / "workspaces").iterdir():
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


LEAVE_A_MESS = ("shell-rename-above", "shell-unmount", "merge-driver")
"""Where nothing protects, these leave a repository in which others can't be tried any more."""


def test_each_attack_works_where_nothing_protects(patch, pytestconfig):
    """The proof that the tests above can fail. Programs of one name on PATH differ by their folder: one of each here,
    all with `--long`."""
    seen: set[str] = set()
    chosen = []
    for attack in sorted(ATTACKS, key=lambda each: (each in agent.ATTACKS, each.name in LEAVE_A_MESS)):
        kind = attack.name.split("-")[1] if attack.name.startswith("fake-") else attack.name
        if pytestconfig.getoption("long") or kind not in seen:
            chosen.append(attack)
        seen.add(kind)
    ground = Ground(Path(tempfile.mkdtemp(prefix="dl-")))
    try:
        plant(ground)
        ground.keep()
        moved = False
        for attack in chosen:
            if moved:
                ground.restore()
            attack.naive(ground)
            files.into_folders(ground)
            deadline = time.monotonic() + 2
            while attack.name not in ground.marked() and time.monotonic() < deadline:
                time.sleep(0.01)  # the canary and other processes leave marks in their own time
            assert attack.name in ground.marked(), f"{attack.name} does nothing"
            moved = attack.name in LEAVE_A_MESS
    finally:
        ground.close()
        shutil.rmtree(ground.tmp, ignore_errors=True)


def test_every_attack_has_a_name_of_its_own_and_a_place_in_the_specification():
    assert len({each.name for each in ATTACKS}) == len(ATTACKS)
    rows = {each.row.split()[0] for each in ATTACKS}
    assert {
        "2.1",
        "2.2",
        "2.3",
        "2.5",
        "2.6",
        "2.7",
        "2.9",
        "2.10",
        "2.11",
        "2.12",
        "2.13",
        "2.14",
        "2.17",
        "4",
        "9.3",
        "9.4",
    } <= rows
