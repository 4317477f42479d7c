"""How the documentation is built; warnings are errors (`nox -s docs`)."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "crmbridge"
author = "The crmbridge authors"
version = release = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "crmb_api", "crmb_tables", "crmb_promises"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# What a class inherits from another class of ours is told with it; what Python's own give is not.
autodoc_default_options = {
    "undoc-members": True,
    "inherited-members": "object, str, Enum, Exception, BaseException, Protocol",
}
autodoc_typehints = "description"
suppress_warnings = ["ref.python"]  # Python's own `type`, in an annotation, is taken for attributes of that name

html_theme = "furo"
html_title = "crmbridge"
