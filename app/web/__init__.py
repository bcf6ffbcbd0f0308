"""HTTP: the application, health, and the middleware of every request."""
