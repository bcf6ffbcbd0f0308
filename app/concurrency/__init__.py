"""Time-outs and batches for asyncio, used by every client and by the database."""
