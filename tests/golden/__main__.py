"""Record the digests anew: ``python -m tests.golden``; the changelog has to say why first."""

from __future__ import annotations

import json
import sys

from tests.golden.digests import FILE, cells, changelog_line, digest, environment_version, read


def main() -> int:
    """Write the file; returns 1 where the change is not accounted for."""
    content = {
        "environment_version": environment_version(),
        "changelog": changelog_line(),
        "digests": {f"{s} on {p}": digest(s, p) for s, p in cells()},
    }
    known = read() if FILE.exists() else {}
    old, new = known.get("digests", {}), content["digests"]
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    if any(new.get(cell, value) != value for cell, value in old.items()):
        if content["changelog"] == known["changelog"]:
            print('CHANGELOG.md needs a new line "- Digests: ..." that says what has changed')
            return 1
        if content["environment_version"] == known["environment_version"]:
            print("the environments need a new version, for runs that differ")
            return 1
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
