"""Use cases, one a file. They import no Slack, AWS, SQL or HTTP, only the ports that they declare."""
