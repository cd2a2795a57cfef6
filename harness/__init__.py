"""The top of Partita: the command line, the run, SSH, the local cluster, the systems."""
