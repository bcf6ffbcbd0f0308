"""A gate that passes in observe mode: its basis, and the rules that would have held it.

A release before this one cannot read such a gate and skips it: set `mode = "observe"` once all replicas run this release.
"""

from typing import Final

from alembic import op
from sqlalchemy import text

revision = "0032"
down_revision = "0031"

LIMITS: Final = ("statement_timeout", "lock_timeout")
NAMED_RULES: Final = "jsonb_typeof(overridden_rules) = 'array' AND jsonb_array_length(overridden_rules) > 0"
GLASS_BEFORE: Final = f"""
    (basis IS NOT DISTINCT FROM 'break_glass') = (overridden_rules IS NOT NULL)
    AND (overridden_rules IS NULL OR ({NAMED_RULES} AND reason IS NOT NULL AND length(btrim(reason)) > 0))
"""
# In observe mode nobody gives a reason, and there may be no rule that would have held it.
GLASS_AFTER: Final = f"""
    CASE WHEN basis IS NOT DISTINCT FROM 'observe' THEN overridden_rules IS NULL OR ({NAMED_RULES})
    ELSE {GLASS_BEFORE} END
"""


def upgrade() -> None:
    _check(bases="'votes', 'auto_rollback', 'undo', 'checks', 'break_glass', 'observe'", glass=GLASS_AFTER)


def downgrade() -> None:
    # An older release knows no other approval by nobody.
    op.execute("ALTER TABLE gates DISABLE TRIGGER USER")
    op.execute("UPDATE gates SET basis = 'checks', overridden_rules = NULL WHERE basis = 'observe'")
    op.execute("ALTER TABLE gates ENABLE TRIGGER USER")
    _check(bases="'votes', 'auto_rollback', 'undo', 'checks', 'break_glass'", glass=GLASS_BEFORE)


def _check(*, bases: str, glass: str) -> None:
    by_nobody = "'auto_rollback', 'checks', 'observe'" if "observe" in bases else "'auto_rollback', 'checks'"
    conditions = {
        "basis_is_known": f"basis IN ({bases})",
        "approved_by_a_person": f"coalesce(basis, 'auto_rollback') IN ({by_nobody}) OR decided_by IS NOT NULL",
        "break_glass_says_what_and_why": glass,
    }
    for name, condition in conditions.items():
        op.execute(
            f"ALTER TABLE gates DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
        )
    with op.get_context().autocommit_block():
        # Here each has a transaction of its own: the lock by which the table was altered would stop every gate meanwhile.
        limits = _without_limits()
        for name in conditions:
            op.execute(f"ALTER TABLE gates VALIDATE CONSTRAINT {name}")
        _with(limits)


def _without_limits() -> dict[str, str]:
    """It reads the whole table, and nobody who reads or writes rows waits for it."""
    connection = op.get_bind()
    limits = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in LIMITS}
    _with(dict.fromkeys(LIMITS, "0"))
    return limits


def _with(limits: dict[str, str]) -> None:
    for name, value in limits.items():
        op.execute(f"SET {name} = '{value}'")
