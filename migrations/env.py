"""Runs migrations on the connection that `app.db.migrate` hands over, and on nothing else."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run `switchgate migrate`: it takes the lock that keeps two replicas apart.")
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
