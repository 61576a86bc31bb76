"""Green Water Coin (绿水币): checks a bundle of its history. Python 3.11 or later, nothing else.

    python3 -I verify.py [BUNDLE] [--checkpoint OLDER] [--witness-policy FILE] [--json]

A line ``CODE position=N text`` for each finding; status 0 without any, 1 with one, 2 if used
wrongly. 每处问题一行；没有问题时退出码为 0，有问题为 1，用法错误为 2。

Below are the sources of the service's own audit, each as it stands there, in order of name. They
are read from this file only, whatever else is installed. Begin with ``ledger.verifier.main``.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - on an auditor's machine
    sys.exit("verify.py: 需要 Python 3.11 或更高版本 / Python 3.11 or later is needed")
if not sys.flags.safe_path:  # Without -I, Python would look for its own modules in the bundle.
    del sys.path[0]

from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec

SOURCES: dict[str, str] = {}


class Sources(MetaPathFinder, InspectLoader):
    """Finds modules among SOURCES; a package without a source of its own is an empty one."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name in SOURCES or self.is_package(name):
            return ModuleSpec(name, self, origin=f"{name} in verify.py",
                              is_package=self.is_package(name))  # fmt: skip
        return None

    def is_package(self, name: str) -> bool:
        return any(one.startswith(f"{name}.") for one in SOURCES)

    def get_source(self, name: str) -> str:
        return SOURCES.get(name, "")


def start(entry: str) -> None:
    """Run the program that is among SOURCES, and end with its status."""
    sys.meta_path.insert(0, Sources())
    for name in SOURCES:  # Facts are known once their modules are.
        import_module(name)
    sys.exit(import_module(entry).main(sys.argv[1:], __file__))
