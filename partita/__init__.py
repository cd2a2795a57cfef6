"""Finds out whether a coordination store keeps its promises when the network breaks.

The five folders beside this one are its sub-packages, by links: `partita.checker` decides,
`partita.workloads` drives, `partita.nemesis` breaks, `partita.reports` shows, and
`partita.harness` makes a run of it all.
"""
