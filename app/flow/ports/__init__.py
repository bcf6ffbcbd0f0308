"""What the flow needs of the outside, one module for each party.

The flow imports neither the database, Slack, AWS nor the configuration, so a Protocol stands for the one class there.
What a single use case needs is declared beside it.
"""
