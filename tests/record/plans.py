"""How much Postgres read for an answer: `EXPLAIN (ANALYZE, FORMAT JSON)`, summed up."""


def most_read(plan: dict[str, object]) -> float:
    """The rows that the busiest step of a plan looked at, those that it threw away among them."""
    return max(_rows(plan))


def _rows(plan: dict[str, object]) -> list[float]:
    own = plan["Actual Rows"]
    removed = plan.get("Rows Removed by Filter", 0)
    assert isinstance(own, int | float)
    assert isinstance(removed, int | float)
    children = plan.get("Plans", [])
    assert isinstance(children, list)
    return [own + removed, *(rows for child in children for rows in _rows(child))]
