"""Numbers: what a history says about availability, faults, leaders and latency."""
