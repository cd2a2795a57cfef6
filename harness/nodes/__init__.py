"""The hosts of a run: reached by SSH, or made here of namespaces."""
