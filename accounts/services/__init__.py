"""What can be done with people and classes."""
