"""Which gate's card shows a rollback that somebody here asked for. SQL text, for the statements that decide it.

The arguments are SQL: parameters or columns. `gates.returns` says whether the deployment brings back the version that
the showing gate had switched to: a rollback of that switch does not, a rollback of the rollback does.
"""

from app.db.mapping.rows import from_undo_that_created


def showing_gate(switch: str) -> str:
    """The gate whose card shows what rolls `switch` back, as `id`, and the value of `returns` for it. No row if none
    of the switch's gates has a card."""
    return f"""
        SELECT coalesce(p.shown_by, p.id) AS id, coalesce(NOT p.returns, false) AS returns
        FROM gates p WHERE p.switch_id = {switch} AND EXISTS (SELECT 1 FROM cards k WHERE k.gate_id = p.id)
        ORDER BY p.opened_at DESC LIMIT 1
    """


def switch_that_it_undoes(
    deployment: str,
    *,
    account: str,
    region: str,
    rollback_of: str,
    tagged: str,
    application: str,
    deployment_group: str,
) -> str:
    """The switch that this deployment rolls back because somebody here asked for it, as `switch_id`: an undo created
    it, or its description names one that is being sent; or CodeDeploy rolls back what was stopped or rejected here."""
    return f"""
        SELECT i.switch_id {from_undo_that_created(deployment, account=account, region=region)}
        UNION ALL
        SELECT i.switch_id FROM interventions i JOIN switches o ON o.id = i.switch_id
        WHERE i.id = {tagged} AND i.kind = 'redeploy' AND i.phase = 'requested' AND i.deployment_id IS NULL
            AND o.account = {account} AND o.region = {region}
            AND o.application = {application} AND o.deployment_group = {deployment_group}
        UNION ALL
        SELECT o.id FROM switches o
        WHERE o.account = {account} AND o.region = {region} AND o.deployment_id = {rollback_of} AND (
            EXISTS (SELECT 1 FROM interventions i
                WHERE i.switch_id = o.id AND i.kind = 'stop' AND i.phase <> 'failed')
            OR EXISTS (SELECT 1 FROM gates d JOIN reports r ON r.gate_id = d.id
                WHERE d.switch_id = o.id AND r.answer = 'Failed'
                    AND (d.outcome IS NULL OR d.outcome = 'acknowledged'))
        )
        LIMIT 1
    """
