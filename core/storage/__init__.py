"""Where video bytes live: one protocol, a local folder or an S3 bucket behind it."""
