"""Real servers that tests start in a folder of their own, freeze, kill, and start again."""
