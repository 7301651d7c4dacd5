"""snakemake that looks at SLURM's queue every second; the plugin waits longer each time."""

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda _: 1, lambda _, longer: None)
main()
