"""What operators ask of the site from the command line; core/management/commands says it in words and exit codes."""
