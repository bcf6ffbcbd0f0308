"""HTTP: the application, health, and what every request passes before a handler sees it."""
