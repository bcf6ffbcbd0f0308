"""Switchgate: one question before every traffic switch. Start in `ARCHITECTURE.md`."""
