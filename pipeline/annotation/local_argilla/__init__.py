"""The real Argilla server and its web UI on this machine alone: no docker, no search cluster.

`server/` runs inside the server's own virtual environment; everything else runs in ours.
"""
