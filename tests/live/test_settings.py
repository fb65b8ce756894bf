# SPDX-License-Identifier: GPL-2.0-or-later
"""What the program makes of its settings: statuses, messages, --check. The settings themselves are unit tests."""

import os
import re
import shutil
import threading

import pytest

from harness import CONFIG, USAGE

OPTIONS = """
    -c --config -a --address -p --peer -m --mtu -e --engine --check --user -h --help -V --version
""".split()

# Arguments that no settings file makes good, and what the message has to name.
BAD_USAGE = [
    ([], "interface"),
    (["tun0", "tun1"], "tun1|more than one"),
    (["--frobnicate", "tun0"], "frobnicate"),
    (["--mtu=67", "--address=here", "tun0"], "67"),
    (["--user=no-such-user", "tun0"], "no-such-user"),
]

BAD_NAMES = {"": "", "all": "'all' .* the kernel reserves", r"tun\x2da": r"escape|%i"}

# Lines that are wrong by themselves, by section.
BAD_LINES = {
    "Device": """
        MTUBytes=67 MTUBytes=65536 MTUBytes=abc MTUBytes=1500x MTUBytes=-1 mtubytes =5
        TransmitQueueLength=abc TransmitQueueLength=-1 TransmitQueueLength=99999999999 QueueLength=5
    """.split(),
    "Network": """
        Configure=perhaps Address=300.1.1.1 Address=10.99.0.0/24 Address=2001:db8::/64
        Address=198.18.0.1/33 Address=2001:db8::1/129 Address=here
        Peer=there Peer=198.18.0.2/24 Gateway=198.18.0.9
    """.split(),
    "Reflector": """
        Destination=198.51.100.0/33 Destination=nowhere HopLimit=0 HopLimit=256 HopLimit=abc HopLimit=-1
        AnswerBroadcast=maybe AnswerMulticast=2 AnswerUnicast=yes
    """.split(),
    "Engine": ["Type=steam", "Kind=auto"],
    "Log": ["Packets=some", "Sessions=all", "Level=debug", "Packets=\x1b[1m"],
}


@pytest.fixture
def refused(shared_host):
    """A function that runs tunecho and asserts that it is refused, with nothing created."""

    def run(status, *arguments):
        done = shared_host.tunecho(*arguments)
        assert done.returncode == status, f"exit status {done.returncode}: {done.stderr}"
        assert not done.stdout
        assert shared_host.links() == {"lo"}
        return done.stderr

    return run


def check_all(host, *arguments, **how):
    """The files that --check names, and the settings that it prints; and nothing created."""
    done = host.tunecho("--check", *arguments, **how)
    assert done.returncode == 0, done.stderr
    assert host.links() == {"lo"}
    files, _, settings = done.stdout.partition("\n")
    assert files.startswith("# ")
    return files.removeprefix("# "), settings


def check(host, *arguments, **how):
    return check_all(host, *arguments, **how)[1]


def reported_lines(path, message):
    """The errors of a file by their line."""
    return {int(line): text for line, text in re.findall(rf"{re.escape(str(path))}:(\d+): (.+)", message)}


def culprit_of(line):
    """What the message about a bad line has to name: its key, its value, or that one of them is missing."""
    key, equals, value = line.replace("\x1b", r"\x1b").partition("=")
    return f"{re.escape(key)}|{re.escape(value)}" if key and equals else "key|KEY"


def words(arguments):
    """The id of a test that is about some arguments."""
    return " ".join(arguments) or "nothing"


@pytest.mark.parametrize("arguments, culprit", [pytest.param(*row, id=words(row[0])) for row in BAD_USAGE])
def test_bad_usage(refused, arguments, culprit):
    assert re.search(culprit, refused(USAGE, *arguments), re.IGNORECASE)


@pytest.mark.parametrize("name, culprit", BAD_NAMES.items(), ids=[repr(name) for name in BAD_NAMES])
def test_bad_interface_name(refused, name, culprit):
    message = refused(USAGE, "--", name)
    assert re.search("name|interface", message)
    assert re.search(culprit, message)


@pytest.mark.parametrize("interface", ["vpn", "tun256", "tun", "wg1", "tun-a"])
def test_name_without_defaults(refused, interface):
    message = refused(CONFIG, interface)
    assert "Address=" in message
    assert f"/etc/tunecho/{interface}.conf" in message


def test_every_error_in_one_run(shared_host, refused):
    text = ["[Network]", "Address=198.18.0.1"]
    errors = {}
    for section, lines in BAD_LINES.items():
        text.append(f"[{section}]")
        for line in lines:
            text.append(line)
            errors[len(text)] = line

    path = shared_host.configure("\n".join(text) + "\n")
    reported = reported_lines(path, refused(CONFIG, f"--config={path}", "tun0"))
    assert reported.keys() == errors.keys()
    for number, line in errors.items():
        assert re.search(culprit_of(line), reported[number])


def test_fifo_without_a_writer(shared_host, refused):
    """Nothing waits for ever."""
    path = shared_host.directory / "no-writer.conf"
    os.mkfifo(path)
    assert re.search(f"{re.escape(str(path))}: .*FIFO", refused(CONFIG, f"--config={path}", "tun0"))


def test_fifo(shared_host):
    path = shared_host.directory / "fifo.conf"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=["[Device]\nMTUBytes=1400\n"], daemon=True)
    writer.start()
    assert "MTUBytes=1400" in check(shared_host, f"--config={path}", "tun0").splitlines()
    writer.join(timeout=5)
    assert not writer.is_alive()


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/9"])
def test_pipe(shared_host, path):
    """A pipeline, and a descriptor as of a process substitution."""
    shell = "bash", "-c", "printf '[Device]\nMTUBytes=1400\n' | exec \"$@\" 9<&0", "bash"
    files, settings = check_all(shared_host, f"--config={path}", "tun0", prefix=shell)
    assert files == path
    assert "MTUBytes=1400" in settings.splitlines()


def test_drop_ins_of_the_default_file_with_another(shared_host):
    path = shared_host.configure("")
    directory = shared_host.etc / "tunecho/tun0.conf.d"
    directory.mkdir()
    try:
        (directory / "mtu.conf").write_text("[Device]\nMTUBytes=1300\n")
        assert check_all(shared_host, "tun0")[0] == "/etc/tunecho/tun0.conf.d/mtu.conf"
        files, settings = check_all(shared_host, f"--config={path}", "tun0")
    finally:
        shutil.rmtree(directory)
    assert files == str(path)
    assert "MTUBytes=1500" in settings.splitlines()
    assert check_all(shared_host, "tun0")[0] == "defaults"


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(shared_host, option):
    done = shared_host.tunecho(option)
    assert done.returncode == 0
    assert not done.stderr
    for name in OPTIONS:
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", done.stdout), name


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(shared_host, option):
    done = shared_host.tunecho(option)
    assert done.returncode == 0
    assert re.search(r"tunecho \d", done.stdout)
