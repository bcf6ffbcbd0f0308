"""`python -m tests.bench [LINE…]`: measures, prints the table, and exits 1 when a target is missed."""

import sys

from tests.bench.environment import bench_environment
from tests.bench.lines import LINES
from tests.bench.measurement import Measurement


def main(names: list[str]) -> int:
    """All lines, or those that are named, in the order of the table: each leaves gates for the next."""
    unknown = [name for name in names if name not in LINES]
    if unknown:
        print(f"no such line: {', '.join(unknown)}; there are: {', '.join(LINES)}", file=sys.stderr)
        return 2
    seen: list[Measurement] = []
    with bench_environment() as env:
        for measure in [measure for name, measure in LINES.items() if not names or name in names]:
            for line in measure(env):
                print(line, flush=True)
                seen.append(line)
    missed = [line.name for line in seen if line.missed]
    print(
        f"missed by more than a fifth: {'; '.join(missed)}"
        if missed
        else "no target is missed by more than a fifth"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
