"""Why an intervention failed is a code; `problem` keeps the detail of it, or what AWS said.

Replicas at 0028 keep working. They know no code: their cards show the detail alone, and what they store is
a sentence, which newer cards show as it is.
"""

import json
from typing import Final

from alembic import op
from sqlalchemy import text

revision = "0029"
down_revision = "0028"

CODES: Final = {
    "the deployment was over before it could be told; undo again to go back from here": "deployment_over",
    "the deployment had finished before it could be stopped": "too_late",
    "the deployment was stopped, but CodeDeploy started no rollback": "no_rollback",
    "another deployment of this group is under way": "another_deployment_active",
    "an undo was asked for instead": "replaced_by_undo",
    "an alarm of the group may stop it: codedeploy:UpdateDeploymentGroup is not allowed": "alarms_active",
    "CodeDeploy names no previous revision": "no_previous_revision",
    "the previous revision is the one that serves now": "same_revision",
    "the previous revision names a task definition without its number": "unpinned_revision",
    "the task definition cannot be read from the previous revision's AppSpec": "unreadable_revision",
    "the previous task definition is INACTIVE": "inactive_revision",
}
"""Sentences -> codes. A detail follows its sentence in parentheses."""

ADD: Final = """
ALTER TABLE interventions ADD COLUMN problem_code text,
    ADD CONSTRAINT problem_code_is_known CHECK (problem_code IN ({codes})) NOT VALID
"""
SENTENCES_TO_CODES: Final = """
UPDATE interventions SET problem_code = known.code, problem = CASE WHEN problem <> known.sentence
    THEN substr(problem, length(known.sentence) + 3, length(problem) - length(known.sentence) - 3) END
FROM jsonb_each_text(CAST(:codes AS jsonb)) AS known (sentence, code)
WHERE problem = known.sentence OR starts_with(problem, known.sentence || ' (') AND right(problem, 1) = ')'
"""
CODES_TO_SENTENCES: Final = """
UPDATE interventions SET problem = known.sentence || coalesce(' (' || problem || ')', '')
FROM jsonb_each_text(CAST(:codes AS jsonb)) AS known (sentence, code) WHERE problem_code = known.code
"""


def upgrade() -> None:
    op.execute(ADD.format(codes=", ".join(f"'{code}'" for code in CODES.values())))
    op.execute("ALTER TABLE interventions VALIDATE CONSTRAINT problem_code_is_known")
    op.get_bind().execute(text(SENTENCES_TO_CODES), {"codes": json.dumps(CODES)})


def downgrade() -> None:
    op.execute("LOCK TABLE interventions IN ACCESS EXCLUSIVE MODE")
    op.get_bind().execute(text(CODES_TO_SENTENCES), {"codes": json.dumps(CODES)})
    op.execute("ALTER TABLE interventions DROP COLUMN problem_code")
