"""The DAG, its file `dvc.yaml` and the command of each stage, from the signatures of stages."""
