"""The tables. Money is US dollars, times are Unix seconds (UTC), JSON columns hold plain objects.

Every row names its workspace: on a shared database (Postgres) several workspaces live side by side.
Change a table here *and* add a migration in `migrations/versions/` *and* raise `REVISION`; tests keep them equal.
"""

from __future__ import annotations

import sqlalchemy as sa

REVISION = "0003"
"""The newest migration."""

metadata = sa.MetaData()

revisions = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
"""Where Alembic notes which migrations were made: as it makes this table itself."""

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column("task_key", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("scripted", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("waiting_for", sa.Text),
    sa.Column("turn", sa.Integer, nullable=False, default=0),
    sa.Column("context_tokens", sa.Integer, nullable=False, default=0),
    sa.Column("base", sa.Text),
    sa.Column("commit_id", sa.Text),
    sa.Column("branch", sa.Text),
    sa.Column("checkpoint", sa.Integer),
    sa.Column("loop", sa.Text),
    sa.Column("cancel", sa.Boolean, nullable=False, default=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("notices", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("touched", sa.Float, nullable=False),
    sa.Index("ix_runs_task", "workspace", "task_id"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("scripted", sa.Boolean, nullable=False),
    sa.Column("stop_reason", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("input", sa.Integer, nullable=False),
    sa.Column("output", sa.Integer, nullable=False),
    sa.Column("cache_read", sa.Integer, nullable=False),
    sa.Column("cache_write", sa.Integer, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("tools", sa.JSON, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
)

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("usd", sa.Float),
    sa.Column("at", sa.Float, nullable=False),
)

gates = sa.Table(
    "gates",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("commit_id", sa.Text, primary_key=True),
    sa.Column("gate", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

baselines = sa.Table(
    "baselines",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("decision", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("decided", sa.Float),
    sa.Column("leave_out", sa.JSON),
)

skill_uses = sa.Table(
    "skill_uses",
    metadata,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("how", sa.Text, primary_key=True),
    sa.Column("skill", sa.Text, primary_key=True),
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("run", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("ix_events_workspace", "workspace", "seq"),
    sa.Index("ix_events_run", "workspace", "run", "seq"),
)
