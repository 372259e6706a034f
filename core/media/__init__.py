"""Looking into videos, in a child process with limits, and making small ones. Knows nothing of Django."""
