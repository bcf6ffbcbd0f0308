"""Renders messages and views as HTML, as a person sees them in Slack."""
