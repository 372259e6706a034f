"""What can be done with exercises and attempts."""
