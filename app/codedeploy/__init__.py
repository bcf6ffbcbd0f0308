"""CodeDeploy, behind a wall: boto3's shapes and errors stop here."""
