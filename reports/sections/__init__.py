"""What a run's page shows: one file for each section. None knows another."""
