"""The steps of a deployment pipeline. Needs Python 3.11 or newer and boto3; knows nothing of the service's own code."""
