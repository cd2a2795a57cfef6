"""A plugin of pytest that takes another build of the native module than the installed one.

Used by script/sanitize: `pytest -p other_native`, with the module's path in PARTITA_NATIVE. It
has to be loaded before anything that imports the checker.
"""

import importlib.util
import os
import sys

_NAME = "partita.checker._native"

assert _NAME not in sys.modules
_spec = importlib.util.spec_from_file_location(_NAME, os.environ["PARTITA_NATIVE"])
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_NAME] = _module
_spec.loader.exec_module(_module)
