"""Timeouts and batching for asyncio, used by every client and by the database."""
