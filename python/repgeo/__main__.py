"""``python -m repgeo``: the program, with its own arguments, streams and exit code."""

import os
import subprocess
import sys

from ._program import program


def main() -> int:
    command = [program(), *sys.argv[1:]]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
