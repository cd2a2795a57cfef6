"""Whether one order of the operations explains every answer and respects real time."""
