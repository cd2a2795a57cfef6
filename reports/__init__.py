"""Says and draws what a run came to. Everything here is a function of the stored run alone."""

from reports.summary import summarise

__all__ = ["summarise"]
