"""Sends payloads to the app over Socket Mode or HTTP, and reads its acks."""
