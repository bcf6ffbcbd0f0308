"""The Prometheus metrics."""

from typing import Final

from prometheus_client import Counter, Enum, Gauge, Histogram, disable_created_metrics

# The time when each series began: as many series again, which nothing reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # not annotated

UNKNOWN_DOMAIN: Final = ""
"""The label of gates whose domain is not known, or not configured any more. Prometheus has no label for it then."""

HOOKS: Final = Counter("switchgate_hooks_total", "Hooks received, by outcome.", ["outcome"])
STATE_CHANGES: Final = Counter(
    "switchgate_state_changes_total", "EventBridge events received, by outcome.", ["outcome"]
)
HTTP_REFUSED: Final = Counter(
    "switchgate_http_refused_total", "Requests and connections refused before any handler ran.", ["reason"]
)
INTERACTIONS: Final = Counter(
    "switchgate_interactions_total", "Votes cast in Slack, by outcome.", ["outcome"]
)
BREAK_GLASS: Final = Counter(
    "switchgate_break_glass_total", "Switches that an admin approved against the rules.", ["domain"]
)
UNAPPROVABLE_GATES: Final = Counter(
    "switchgate_unapprovable_gates_total",
    "Gates that nobody can approve by the rules as they stand, counted when this replica publishes their card.",
    ["domain"],
)
DECISIONS: Final = Counter(
    "switchgate_decisions_total",
    "How gates ended on this replica: approved, rejected, expired or withdrawn.",
    ["verdict", "domain"],
)
REPORTS: Final = Counter(
    "switchgate_reports_total", "Decisions reported to CodeDeploy, by what it holds.", ["outcome"]
)
ANSWERED_ELSEWHERE: Final = Counter(
    "switchgate_answered_elsewhere_total",
    "Gates that still waited when somebody else had answered CodeDeploy with Succeeded: traffic moves.",
)
REPORT_SECONDS: Final = Histogram(
    "switchgate_report_seconds",
    "From the press, deadline or check that decided a gate until CodeDeploy had the report.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600),
)
HOOK_TO_CARD_SECONDS: Final = Histogram(
    "switchgate_hook_to_card_seconds",
    "From the hook until the gate's card was posted in Slack.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
CARD_UPDATES: Final = Counter(
    "switchgate_card_updates_total", "Attempts to publish a card, by result.", ["result"]
)
HOME_PUBLISHES: Final = Counter(
    "switchgate_home_publishes_total", "App Homes published, by result.", ["result"]
)
EVIDENCE_READS: Final = Counter(
    "switchgate_evidence_reads_total", "Attempts to read a gate's evidence, by result.", ["result"]
)
EVIDENCE_MISSING: Final = Counter(
    "switchgate_evidence_missing_total",
    "Parts of the evidence that could not be read, and why.",
    ["part", "reason"],
)
WORKER_FAILURES: Final = Counter(
    "switchgate_worker_failures_total", "Steps and jobs of a worker that failed.", ["worker"]
)
WORKER_LAST_SUCCESS: Final = Gauge(
    "switchgate_worker_last_success_timestamp_seconds", "When a worker last finished a step.", ["worker"]
)
WORKER_POLL_INTERVAL: Final = Gauge(
    "switchgate_worker_poll_interval_seconds",
    "After which a worker that nothing wakes looks for work.",
    ["worker"],
)
OLDEST_DUE_WORK_SECONDS: Final = Gauge(
    "switchgate_oldest_due_work_seconds",
    "For how long the oldest row of a table of work has been due, in the whole database.",
    ["work"],
)
SLACK_ERRORS: Final = Counter(
    "switchgate_slack_errors_total",
    "Calls of Slack's Web API that failed, by method and Slack's error code.",
    ["method", "code"],
)
SLACK_SOCKET_STATE: Final = Enum(
    "switchgate_slack_socket_state",
    "Socket Mode's connection on this replica; not_used in HTTP mode.",
    states=["not_used", "disconnected", "connected"],
)
AWS_ERRORS: Final = Counter(
    "switchgate_aws_errors_total",
    "Calls of AWS that failed after their retries, by AWS's error code.",
    ["service", "operation", "code"],
)
SLACK_REFUSED: Final = Counter(
    "switchgate_slack_requests_refused_total",
    "Requests to /slack/events that were refused, by cause.",
    ["cause"],
)
API_DENIED: Final = Counter(
    "switchgate_api_denied_total",
    "Requests to /api/v1 without a valid token or scope, by reason.",
    ["reason"],
)
GATES: Final = Gauge(
    "switchgate_gates", "Gates that are not closed, in the whole database.", ["phase", "domain"]
)
OLDEST_WAITING_GATE_SECONDS: Final = Gauge(
    "switchgate_oldest_waiting_gate_seconds",
    "For how long the oldest gate without a decision has waited, in the whole database.",
    ["domain"],
)
NEXT_DEADLINE: Final = Gauge(
    "switchgate_next_deadline_timestamp_seconds",
    "The nearest deadline of a gate without a decision, in the whole database; absent where none waits.",
    ["domain"],
)
REPORT_OVERDUE_SECONDS: Final = Gauge(
    "switchgate_report_overdue_seconds", "Age of the oldest decision that CodeDeploy has not received."
)
CONFIG_RELOADS: Final = Counter(
    "switchgate_config_reloads_total",
    "Attempts to replace the configuration while running: applied, refused (it has a mistake) or unread.",
    ["outcome"],
)
CONFIG_STALE: Final = Gauge(
    "switchgate_config_stale",
    "1 while the newest configuration is not in force, because it has a mistake or cannot be read; else 0.",
)
OBSERVED_DOMAINS: Final = Gauge(
    "switchgate_observed_domains", "Configured domains in observe mode, whose deployments nothing holds."
)
ROWS_SET_ASIDE: Final = Counter(
    "switchgate_rows_set_aside_total",
    "Rows that this replica could not read or work on, each counted once; the others went on.",
    ["work"],
)
