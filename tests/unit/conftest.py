"""Settings of all unit tests."""

from __future__ import annotations

import os

# As `seeding.deterministic`: cuBLAS reads it once, at the first use of a GPU in the process.
os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
