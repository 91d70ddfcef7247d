"""The script with the widgets of a page, out of a larger one."""

import re
from pathlib import Path

from web.downloads import DownloadError

WANTED = "@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/html-manager"


def script(manager: Path) -> str:
    """Return what pages need of the package html-manager, fit for their content security policy.

    The modules of version 7 are left out, and so is what checks states that are stored in a page:
    it makes functions out of text, which the policy forbids, and our widgets come from Python.

    Args:
        manager: the folder of the package.

    Raises:
        DownloadError: the package is built otherwise than the one this was written for.
    """
    whole = (manager / "dist" / "libembed-amd.js").read_text(encoding="utf-8")
    modules = {
        match[1]: module
        for module in re.split(r"(?m)^(?=define\()", whole)
        if (match := re.match(r'define\("(.*?)"', module))
    }
    try:
        kept = "".join(modules[name] for name in WANTED)
    except KeyError as missing:
        raise DownloadError(f"{manager} has no module {missing}.") from None
    kept, count = re.subn(r"=new\(\w+\(\)\);(\w+\.compile\(\w+\),?)+;", "=0;", kept)
    if count != 1:
        raise DownloadError(f"{manager} checks states in {count} places, expected 1.")
    return kept
