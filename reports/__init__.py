"""What a run looks like: charts, tables, pages."""
