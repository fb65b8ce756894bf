# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/demo, as an ordinary user where the device node allows it: what it shows, and what it leaves."""

import os
import re
import stat
import subprocess
import tempfile
from pathlib import Path

from harness import BUILD, IS_ROOT, LIMIT, SOURCE, environment

NOBODY = 65534

# In this order.
SHOWN = [
    r"tunecho: 'tun0' is ready, try: ping 198\.18\.0\.2 or ping 2001:2::2",
    r"\$ ping -c 1 198\.18\.0\.2 .*",
    r"1 packets transmitted, 1 received, 0% packet loss",
    r"\$ ping -c 1 2001:2::2 .*",
    r"1 packets transmitted, 1 received, 0% packet loss",
    r"\$ nft add rule inet demo in iifname tun0 drop",
    r"3 packets transmitted, 0 received, 100% packet loss",
    r"\$ tunechoctl ping tun0 198\.18\.0\.2",
    r"tun0 198\.18\.0\.2: input-filter, 0 of \d+ pings answered",
    r"tunecho: ping 198\.18\.0\.1 > 198\.18\.0\.2 id \d+: 3 requests .* 0 missing, ",
    r"\$ nft delete table inet demo",
    r"1 packets transmitted, 1 received, 0% packet loss",
    r"1 packets transmitted, 1 received, 0% packet loss",
    r"tunecho: 'tun0' stopped: ",
]


def as_user():
    is_open = os.stat("/dev/net/tun").st_mode & stat.S_IWOTH
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if IS_ROOT and is_open else []


def test_demo(tmp_path):
    for directory in tmp_path, *tmp_path.parents:
        if Path(tempfile.gettempdir()) in directory.parents:
            directory.chmod(directory.stat().st_mode | 0o011)
    work = tmp_path / "work"
    work.mkdir()
    work.chmod(0o777)
    env = environment({"TMPDIR": str(work)})
    command = [*as_user(), SOURCE / "scripts/demo", BUILD]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
    lines = iter(done.stdout.splitlines())
    for expected in SHOWN:
        assert any(re.match(expected, line) for line in lines), f"no {expected!r}:\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, done.stderr
    assert not list(work.iterdir())
