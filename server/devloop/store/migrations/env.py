"""Alembic's entry: runs on the connection that `store.database.migrate` brings along."""

from alembic import context

from devloop.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
