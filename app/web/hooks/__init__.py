"""The endpoints that the hook Lambda and EventBridge call."""
