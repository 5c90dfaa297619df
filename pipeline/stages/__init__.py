"""One thin file per DVC stage: its section of params.yaml and its `run`."""
