"""What the words of a plan mean, in a sentence each (plan-format §5, §7 to §12)."""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "pending": "not started",
    "in_progress": "in progress",
    "complete": "done",
    "blocked": "blocked",
    "skipped": "skipped",
    "deferred": "put off",
    "unknown": "of unknown state",
}

MARKERS: Final = {
    "pending": "Not started.",
    "in_progress": "In progress: being worked on, or left partial.",
    "complete": "Done. devloop ticks it when the work was accepted; an agent never does.",
    "blocked": "Blocked: a note or the log says why. It is not picked.",
    "skipped": "Skipped: left out on purpose. What depends on it may go on.",
    "deferred": "Put off: never picked, and what depends on it waits.",
    "unknown": "This marker has no meaning; known ones are [ ] [~] [x] [!] [-].",
}

TAGS: Final = {
    "parallel": "Tasks of the same phase and group may run at the same time.",
    "depends": "Waits until these are done: ids, ranges such as 1.1-1.4, or a whole phase.",
    "background": "Low priority: picked after all others.",
    "sequential": "Runs alone, nothing beside it.",
    "model": "The model for this task's runs.",
    "agent": "The agent, and perhaps its mode, for this task: agent or agent:mode.",
    "skill": "Skills whose text the agent has from the start; it can load others itself.",
    "skills": "Skills whose text the agent has from the start; it can load others itself.",
    "budget": "The most that a run of this task may cost, in US dollars.",
    "turns": "The most turns that a run of this task may take.",
    "timeout": "The longest that a run of this task may take.",
    "P": "May run at the same time as the marked tasks beside it.",
}

META: Final = {
    "acceptance": "What has to be true when the task is done. Agent and gates see it.",
    "files": "Files that the task is expected to touch. Tasks that share one don't run at the same time.",
    "may change tests": "Existing tests, conftest files and snapshots whose change this task asks for. Nothing else is "
    "limited by it. Once you said yes to exactly that (`devloop trust`), such changes don't stop an unattended loop.",
    "notes": "For the agent.",
    "depends": "Waits until these are done, as [depends:] does.",
    "verify": "How to check the work. The agent is told; gates are declared in `.devloop/config.toml`.",
    "effort": "A size, for people only.",
    "agent": "The agent for this task, as [agent:] does.",
    "model": "The model for this task, as [model:] does.",
    "skills": "Skills whose text the agent has from the start, as [skill:] does.",
    "owner": "A name, for people only.",
    "requirements": "References, for people and agent.",
}

HEADER: Final = {
    "Created": "When the plan was made.",
    "Updated": "When devloop last changed the plan.",
    "Status": "Planning, In Progress, Paused, Blocked, Review, Complete or Archived.",
    "Current Phase": "Where the plan stands, for display only: the markers decide what is next.",
    "Complexity": "A size, for people only.",
    "Estimate": "A size, for people only.",
    "Goal": "What the plan is for. Agents see it.",
}

PHASE: Final = {
    "goal": "What the phase is for.",
    "complexity": "A size, for people only.",
    "dependencies": "The whole phase waits until these are done.",
    "parallelizable": "full, partial or none: whether tasks of the phase may run at the same time.",
    "parallel groups": "Tasks that may run at the same time, by group.",
}

SECTIONS: Final = {
    "log": "The log: devloop adds a line for what happens to a task. Boxes in here are no tasks.",
    "criterion": "Boxes in here are criteria: they are checked, never run.",
}

LOG: Final = {
    "started": "A run was started.",
    "completed": "The work was accepted.",
    "committed": "The work was committed.",
    "blocked": "The task was marked blocked.",
    "skipped": "The task was left out.",
    "partial": "Usable work was kept; the task is not done.",
    "discarded": "The work was put aside.",
}
