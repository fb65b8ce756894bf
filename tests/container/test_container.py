# SPDX-License-Identifier: GPL-2.0-or-later
"""The image of packaging/Containerfile under podman: as root and as a user, read-only, with CAP_NET_ADMIN alone."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import BUILD, SOURCE, wait_until

BASE, IMAGE, NAME = "localhost/base", "localhost/tunecho:1.1", "echo"
PEERS = "198.18.0.2", "2001:2::2"
CAP_NET_ADMIN = 1 << 12
SIDECAR = SOURCE / "packaging/kubernetes/sidecar.yaml"

# Limits that a machine may not raise; by default podman raises them.
CONFIGURATION = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'

# What the user of a container is, and how it is started besides.
USERS = {
    "root": (0, []),
    "user": (1234, ["--user=1234:1234", "--sysctl=net.ipv4.ping_group_range=0 2147483647"]),
    "no-new-privileges": (0, ["--security-opt=no-new-privileges"]),
}


class Podman:
    """podman with a storage of its own, which ends with `with`."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="tunecho-container-", dir="/var/tmp"))
        configuration = self.directory / "containers.conf"
        configuration.write_text(CONFIGURATION)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}
        self._command = ["podman", f"--root={self.directory}/root", f"--runroot={self.directory}/run"]
        self._command.append("--cgroup-manager=cgroupfs")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("system", "reset", "--force")
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *arguments, **how):
        # podman play kube builds images from directories of their names in the working directory.
        how |= {"cwd": self.directory, "env": self._environment}
        return subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False, **how)

    def __call__(self, *arguments, **how):
        done = self.run(*arguments, **how)
        assert done.returncode == 0, f"podman {' '.join(arguments)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def log(self, name):
        done = self.run("logs", name)
        return done.stdout + done.stderr

    def wait_ready(self, name):
        wait_until(lambda: "'tun0' is ready" in self.log(name), f"the ready message of {name}")

    def status_of_daemon(self, name):
        lines = self("exec", name, "cat", "/proc/1/status").splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.fixture(scope="module")
def podman():
    """With the base and the image."""
    with Podman() as podman:
        tree = os.environ["TUNECHO_CONTAINER_BASE"]
        with subprocess.Popen(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE) as tar:
            podman("import", "--change=ENV PATH=/usr/sbin:/usr/bin", "-", BASE, stdin=tar.stdout)
        how = "--network=host", "--format=docker", f"--build-arg=BASE={BASE}", f"--tag={IMAGE}"
        podman("build", *how, f"--file={SOURCE}/packaging/Containerfile", str(SOURCE))
        yield podman


@pytest.fixture(scope="module", params=USERS)
def user(request):
    return USERS[request.param]


@pytest.fixture(scope="module")
def run_directory(podman, user):
    """The directory of the status sockets, shared with the host."""
    directory = podman.directory / f"sockets-{user[0]}"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o1777)
    return directory


@pytest.fixture(scope="module")
def echo(podman, user, run_directory):
    """The name of the container, which has no network but the device."""
    limits = "--read-only", "--cap-drop=all", "--cap-add=net_admin", "--device=/dev/net/tun", "--network=none"
    podman("run", "--detach", f"--name={NAME}", *limits, f"--volume={run_directory}:/run/tunecho", *user[1], IMAGE)
    podman.wait_ready(NAME)
    yield NAME
    podman.run("rm", "--force", "--time=0", NAME)


def test_privileges(podman, echo, user):
    status = podman.status_of_daemon(echo)
    assert status["Uid"].split() == [str(user[0])] * 4
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")] == [CAP_NET_ADMIN] * 3
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_read_only(podman, echo):
    (root,) = re.findall(r"^\S+ / \S+ (\S+)", podman("exec", echo, "cat", "/proc/mounts"), re.MULTILINE)
    assert "ro" in root.split(",")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("size", ["56", "3000"])
def test_answers_another_container(podman, echo, peer, size):
    ping = "ping", "-n", "-q", "-c", "3", "-i", "0.2", "-s", size, peer
    assert " 3 received" in podman("run", "--rm", f"--network=container:{echo}", BASE, *ping)


def test_status_socket(podman, echo, run_directory):
    """For the host, and for a container that has the volume alone."""
    command = [BUILD / "tunechoctl", f"--directory={run_directory}", "--json"]
    (instance,) = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert (instance["state"], tuple(instance["ping"])) == ("running", PEERS)
    client = "--network=none", "--cap-drop=all", "--user=4711", "--entrypoint=tunechoctl"
    printed = podman("run", "--rm", *client, f"--volume={run_directory}:/run/tunecho", IMAGE, "status")
    assert re.search(r"^tun0 +running ", printed, re.MULTILINE)


def test_health(podman, echo):
    """A device that is down is found, and found to be up again."""
    pid = podman("inspect", "--format={{.State.Pid}}", echo).strip()
    for direction, healthy in ("up", True), ("down", False), ("up", True):
        subprocess.run(["nsenter", f"--target={pid}", "--net", "ip", "link", "set", "tun0", direction], check=True)
        wait_until(lambda: (podman.run("healthcheck", "run", echo).returncode == 0) == healthy, f"tun0 {direction}")


def test_stop(podman, echo, run_directory):
    podman("stop", "--time=60", echo)
    assert podman("inspect", "--format={{.State.ExitCode}}", echo).strip() == "0"
    assert "'tun0' stopped: " in podman.log(echo)
    assert not list(run_directory.iterdir())


def test_sidecar(podman):
    """The example for Kubernetes, whose application is a ping of the base."""
    pod = SIDECAR.read_text(encoding="utf-8").replace("docker.io/library/busybox:stable", BASE)
    names = "tunecho-example-tunecho", "tunecho-example-application"
    podman("play", "kube", "--network=none", "-", input=pod)
    try:
        podman.wait_ready(names[0])
        wait_until(lambda: "bytes from 198.18.0.2" in podman.log(names[1]), "a reply to the application")
        assert int(podman.status_of_daemon(names[0])["CapBnd"], 16) == CAP_NET_ADMIN
        assert podman.run("healthcheck", "run", names[0]).returncode == 0
    finally:
        podman.run("play", "kube", "--down", "-", input=pod)
