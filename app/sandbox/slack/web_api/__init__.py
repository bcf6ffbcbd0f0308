"""The HTTP side: Web API methods, response URLs, rate limits."""
