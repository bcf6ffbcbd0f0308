"""Switchgate holds CodeDeploy's traffic switches until people approve them. Start in `ARCHITECTURE.md`."""
