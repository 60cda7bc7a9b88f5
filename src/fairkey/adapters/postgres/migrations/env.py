"""What alembic runs for `fairkey.adapters.postgres.migrate`: the connection is already open and locked."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # Each migration travels alone: one that fails leaves those before it in place.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
