"""What each session saw, judged by the store's own versions: see `sessions.py`."""
