"""Protocols of what the use cases need of the outside, one module for each: database, CodeDeploy, AWS, configuration.

A use case imports none of these implementations. What only one use case needs is declared beside it.
"""
