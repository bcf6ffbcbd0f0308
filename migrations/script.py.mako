"""${message}"""

% if upgrades and "sa." in upgrades + downgrades:
import sqlalchemy as sa
% endif
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades and upgrades != "pass" else 'op.execute("")'}


def downgrade() -> None:
    ${downgrades if downgrades and downgrades != "pass" else 'op.execute("")'}
