"""Where the program is."""

import os
import shutil
import subprocess
import sys
import sysconfig


def program() -> str:
    """Path of the ``repgeo`` program that belongs to this package.

    Looked for where the wheel installs scripts (environment, then user), then on ``PATH``.

    Raises:
        FileNotFoundError: it is nowhere; the message says how to install it.
    """
    name = "repgeo.exe" if os.name == "nt" else "repgeo"
    folders = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    user = "nt_user" if os.name == "nt" else "posix_user"
    if user in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", user))
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            "the repgeo program is neither beside this Python nor on PATH; "
            "pip install --force-reinstall repgeo"
        )
    return found


def version() -> str:
    """Version of the program, e.g. ``0.1.0``."""
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]
