"""Where the browser files are: put here when the package is built, by ``web/setup.py``."""

from importlib.resources import files
from pathlib import Path

_ROOT = Path(str(files(__name__)))

VENDOR = _ROOT / "vendor"
"""What is served."""

AXE = _ROOT / "testing" / "axe.js"
"""What tests check accessibility with; never served."""
