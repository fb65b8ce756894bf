# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings, good and bad: options, files and drop-ins, names of interfaces, --check."""

import contextlib
import os
import re
import shutil
import threading

import pytest

from harness import CONFIG, USAGE

KEYS = """
    MTUBytes TransmitQueueLength Configure Address Peer HopLimit AnswerBroadcast AnswerMulticast Type
    Packets Sessions
""".split()

OPTIONS = """
    -c --config -a --address -p --peer -m --mtu -e --engine --check --user -h --help -V --version
""".split()

DEFAULTS = """
    MTUBytes=1500 TransmitQueueLength=5000 Configure=yes HopLimit=64 AnswerBroadcast=no AnswerMulticast=yes
    Type=auto Packets=no Sessions=yes
"""

# Arguments that no settings file makes good, and what the message has to name.
BAD_USAGE = [
    ([], "interface"),
    (["tun0", "tun1"], "tun1|more than one"),
    (["--frobnicate", "tun0"], "frobnicate"),
    (["-x", "tun0"], r"\bx\b"),
    (["tun0", "--config"], "config"),
    (["--check=yes", "tun0"], "check"),
    (["--address=300.1.1.1", "tun0"], r"300\.1\.1\.1"),
    (["--address=198.18.0.1/33", "tun0"], r"198\.18\.0\.1/33"),
    (["--address=198.18.0.1/", "tun0"], r"198\.18\.0\.1/"),
    (["--address=198.18.0.1/x", "tun0"], r"198\.18\.0\.1/x"),
    (["--address=198.18.0.1/-1", "tun0"], r"198\.18\.0\.1/-1"),
    (["--address=2001:db8::1/129", "tun0"], "2001:db8::1/129"),
    (["--address=2001:db8:::1", "tun0"], "2001:db8:::1"),
    (["--address=here", "tun0"], "here"),
    (["--address=", "tun0"], "address"),
    (["--peer=198.18.0.2/24", "tun0"], r"198\.18\.0\.2/24"),
    (["--peer=there", "tun0"], "there"),
    (["--peer=198.18.0.2", "--peer=198.18.0.3", "tun0"], r"peer|198\.18\.0\.3"),
    (["--mtu=67", "tun0"], "67"),
    (["--mtu=65536", "tun0"], "65536"),
    (["--mtu=abc", "tun0"], "abc"),
    (["--mtu=1500x", "tun0"], "1500x"),
    (["--mtu=-1", "tun0"], "-1"),
    (["--mtu=99999999999999999999", "tun0"], "99999999999999999999"),
    (["--mtu=", "tun0"], "mtu"),
    (["--mtu=1279", "tun0"], "1279|1280"),
    (["--address=10.99.0.0/24", "tun0"], r"10\.99\.0\.1/24"),
    (["--address=2001:db8::/64", "tun0"], "2001:db8::1/64"),
    (["--engine=steam", "tun0"], "steam"),
    (["--user=no-such-user", "tun0"], "no-such-user"),
]

# Options, and the line that they make of the file of the test.
WINNING_OPTIONS = [
    (["--mtu=1300"], "MTUBytes=1300"),
    (["-m", "1300"], "MTUBytes=1300"),
    (["--engine=syscall"], "Type=syscall"),
    (["-e", "syscall"], "Type=syscall"),
    (["--address=10.9.0.1/24", "--peer=10.9.0.2"], "Address=10.9.0.1/24"),
    (["-a", "10.9.0.1/24", "-p", "10.9.0.2"], "Peer=10.9.0.2"),
]

BAD_NAMES = {
    "": "",
    ".": r"'\.'",
    "..": r"'\.\.'",
    "all": "'all' .* the kernel reserves",
    "default": "'default' .* the kernel reserves",
    "a/b": "a/b",
    "x" * 16: "x" * 16,
    "tun 0": "tun 0",
    "tun:0": "tun:0",
    "tun%d": "tun%d",
    "tün0": "",
    r"tun\x2da": r"escape|%i",
}

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

# Whole files: the lines that have to be reported, and what is to be named there.
BAD_FILES = {
    "unknown section": ("[Engine]\nType=auto\n[Motor]\n", {3: "Motor"}),
    "key before any section": ("MTUBytes=1500\n", {1: "MTUBytes|section"}),
    "section that is not closed": ("[Device\n", {1: r"Device|[Ss]ection"}),
    "two peers of IPv4": ("[Network]\nAddress=10.0.0.1\nPeer=10.0.0.2\nPeer=10.0.0.3\n", {4: "Peer"}),
    "two peers of IPv6": ("[Network]\nAddress=fd00::1\nPeer=fd00::2\nPeer=fd00::3\n", {4: "Peer"}),
    "peer without an address": ("[Network]\nPeer=10.0.0.2\nAddress=fd00::1\n", {2: "Peer|Address"}),
    "peer of IPv6 without an address": ("[Network]\nAddress=10.0.0.1\nPeer=fd00::2\n", {3: "Peer|Address"}),
    "MTU too small for IPv6": ("[Device]\nMTUBytes=1279\n[Network]\nAddress=fd00::1\n", {2: "1280|1279"}),
    "comments and empty lines count": ("# one\n; two\n\n[Device]\n# five\nMTUBytes=0\n", {6: "MTUBytes|0"}),
}

EVERYTHING = """\
[Device]
MTUBytes=1280
TransmitQueueLength=1
[Network]
Configure=no
Address=10.0.0.1/8
Address=10.9.0.1
Address=fd00::1/64
Peer=10.0.0.2
Peer=fd00::2
[Reflector]
Destination=198.51.100.0/24
Destination=2001:db8::/32
HopLimit=255
AnswerBroadcast=yes
AnswerMulticast=no
[Engine]
Type=syscall
[Log]
Packets=yes
Sessions=no
"""

WITH_COMMENTS = """\
# one
   ; two

[Network]
# three
Address = 10.1.2.3/24     # of this host

[Device]
MTUBytes= 1400
TransmitQueueLength=5000     # packets
"""

WITH_EMPTY_VALUES = """\
[Network]
Address=10.0.0.1
Peer=10.0.0.2
Address=
Peer=
Address=10.1.0.1/24
[Device]
MTUBytes=9000
MTUBytes=
[Log]
Sessions=no
Sessions=
"""

GOOD_FILES = {
    "defaults": ("tun7", ""),
    "one family": ("tun0", "[Network]\nAddress=198.18.0.1/24\n"),
    "everything": ("wg1", EVERYTHING),
    "spaces and comments": ("tun0", WITH_COMMENTS),
    "empty values are defaults": ("tun0", WITH_EMPTY_VALUES),
    "booleans": ("tun0", "[Network]\nConfigure=true\n[Reflector]\nAnswerBroadcast=on\nAnswerMulticast=0\n"),
    "loss": ("tun0", "[Log]\nSessions=loss\n"),
    "long lines": ("tun0", f"# {'x' * 5000}\n[Log]{' ' * 5000}\nPackets=yes # {'x' * 5000}\n"),
    "byte order mark, CR LF, no final newline": ("tun0", "\ufeff[Log]\r\nPackets=yes\r\nSessions=no"),
    "least": ("tun0", "[Device]\nMTUBytes=68\n[Network]\nAddress=10.1.2.3\n[Reflector]\nHopLimit=1\n"),
    "most": ("tun0", "[Device]\nMTUBytes=65535\n"),
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


def add_drop_ins(path, **texts):
    """Drop-ins of a file, by their names without .conf."""
    directory = path.with_name(f"{path.name}.d")
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / f"{name}.conf").write_text(text)
    return directory


@contextlib.contextmanager
def drop_ins(path, **texts):
    directory = add_drop_ins(path, **texts)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


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


@pytest.mark.parametrize("section, line", [(name, line) for name in BAD_LINES for line in BAD_LINES[name]])
def test_bad_line(shared_host, refused, section, line):
    path = shared_host.configure(f"[{section}]\n{line}\n")
    reported = reported_lines(path, refused(CONFIG, f"--config={path}", "tun0"))
    assert reported.keys() == {2}
    assert re.search(culprit_of(line), reported[2])


@pytest.mark.parametrize("text, errors", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file(shared_host, refused, text, errors):
    path = shared_host.configure(text)
    reported = reported_lines(path, refused(CONFIG, f"--config={path}", "tun0"))
    assert reported.keys() == errors.keys()
    for line, culprit in errors.items():
        assert re.search(culprit, reported[line])


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


def test_hundreds_of_errors(shared_host, refused):
    """A hundred are reported, and how many more there are."""
    path = shared_host.configure("[Log]\n" + "Packets\n" * 300)
    message = refused(CONFIG, f"--config={path}", "tun0")
    assert reported_lines(path, message).keys() == set(range(2, 102))
    assert message.splitlines()[-1].endswith(f"{path}: 200 more errors")
    assert len(message.splitlines()) == 101


def test_reason_behind_long_texts(shared_host, refused):
    directory = shared_host.directory / ("d" * 250) / ("e" * 250)
    directory.mkdir(parents=True)
    path = directory / "tun0.conf"
    path.write_text(f"[Log]\nPackets={'x' * 60000}\n")
    message = refused(CONFIG, f"--config={path}", "tun0")
    assert re.search(r"e/tun0\.conf:2: Packets=x+\.\.\. is neither yes nor no$", message)
    assert len(message) < 500


def make_nothing(path):
    del path


def make_directory(path):
    path.mkdir()


def make_endless(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "make, reason",
    [
        (make_nothing, "No such file"),
        (make_directory, "is a directory"),
        (make_endless, "larger than 65536 bytes"),
        (os.mkfifo, "FIFO"),
    ],
    ids=["nothing", "directory", "endless", "FIFO"],
)
def test_file_that_cannot_be_read(shared_host, refused, make, reason):
    """Nothing waits for ever, not even for a FIFO that no process writes."""
    path = shared_host.directory / f"no-{make.__name__}.conf"
    make(path)
    assert re.search(f"{re.escape(str(path))}: .*{reason}", refused(CONFIG, f"--config={path}", "tun0"))


def test_null_is_an_empty_file(shared_host):
    assert check_all(shared_host, "--config=/dev/null", "tun0") == ("/dev/null", check(shared_host, "tun0"))


def test_symbolic_link(shared_host):
    link = shared_host.directory / "link.conf"
    link.symlink_to(shared_host.configure("[Device]\nMTUBytes=1400\n"))
    files, settings = check_all(shared_host, f"--config={link}", "tun0")
    assert files == str(link)
    assert "MTUBytes=1400" in settings.splitlines()


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


MTU = "[Device]\nMTUBytes={}\n"


@pytest.mark.parametrize("has_file", [True, False], ids=["with file", "without file"])
@pytest.mark.parametrize("where", ["default", "option"])
def test_drop_ins(shared_host, has_file, where):
    """In the order of their names, after the file, also where there is none; --check names them all."""
    path = shared_host.directory / "drop.conf" if where == "option" else shared_host.etc / "tunecho/tun0.conf"
    arguments = ["tun0"] if where == "default" else [f"--config={path}", "tun0"]
    shown = path if where == "option" else "/etc/tunecho/tun0.conf"
    texts = {"9": MTU.format(1309), "10": MTU.format(1310), "A": "[Log]\nSessions=loss\n", ".no": "[No]\n"}
    if has_file:
        path.write_text(MTU.format(1300) + "[Network]\nAddress=10.0.0.1/24\n")
    try:
        with drop_ins(path, **texts) as directory:
            (directory / "note.conf~").write_text("[No]\n")
            if where == "option" and not has_file:
                assert f"{path}: " in shared_host.tunecho("--check", *arguments).stderr
                return

            files, settings = check_all(shared_host, *arguments)
            drops = [f"{shown}.d/{name}.conf" for name in ("10", "9", "A")]
            assert files == ", ".join([str(shown)] * has_file + drops)
            settings = settings.splitlines()
            assert {"MTUBytes=1309", "Sessions=loss"} <= set(settings)
            assert ("Address=10.0.0.1/24" in settings) == has_file
            assert "MTUBytes=1400" in check(shared_host, "--mtu=1400", *arguments).splitlines()
    finally:
        path.unlink(missing_ok=True)


def test_drop_ins_of_the_default_file_with_another(shared_host):
    path = shared_host.configure("")
    with drop_ins(shared_host.etc / "tunecho/tun0.conf", mtu=MTU.format(1300)):
        assert check_all(shared_host, "tun0")[0] == "/etc/tunecho/tun0.conf.d/mtu.conf"
        files, settings = check_all(shared_host, f"--config={path}", "tun0")
    assert files == str(path)
    assert "MTUBytes=1500" in settings.splitlines()
    assert check_all(shared_host, "tun0")[0] == "defaults"


def test_errors_in_drop_ins(shared_host, refused):
    path = shared_host.configure("[Log]\nPackets=1x\n")
    with drop_ins(path, a="[No]\n", b="\n\nMTUBytes=1\n", c="[Network]\nAddress=\n") as directory:
        (directory / "d.conf").mkdir()
        message = refused(CONFIG, f"--config={path}", "tun0")
        reported = re.findall(r"^(\S+): (?!\S+: )", message, re.MULTILINE)
        assert reported == [
            f"{path}:2",
            f"{directory}/a.conf:1",
            f"{directory}/b.conf:3",
            f"{directory}/d.conf",
        ]


@pytest.mark.parametrize("interface, text", GOOD_FILES.values(), ids=GOOD_FILES)
def test_check_prints_what_it_reads(shared_host, interface, text):
    """Fed back, the settings that --check prints are the same settings."""
    first = check(shared_host, f"--config={shared_host.configure(text)}", interface)
    second = check(shared_host, f"--config={shared_host.configure(first, 'second.conf')}", interface)
    assert first == second
    for key in KEYS:
        assert re.search(rf"^{key}=", first, re.MULTILINE) or key in ("Address", "Peer"), key


def test_check_prints_every_setting(shared_host):
    printed = set(check(shared_host, f"--config={shared_host.configure(EVERYTHING)}", "wg1").splitlines())
    for line in EVERYTHING.splitlines():
        assert printed & {line, f"{line}/32", f"{line}/128"}, line


@pytest.mark.parametrize(
    "interface, addresses",
    [
        ("tun0", {"198.18.0.1", "198.18.0.2", "2001:2::1", "2001:2::2"}),
        ("tun7", {"198.18.7.1", "198.18.7.2", "2001:2:0:7::1", "2001:2:0:7::2"}),
        ("tun255", {"198.18.255.1", "198.18.255.2", "2001:2:0:ff::1", "2001:2:0:ff::2"}),
    ],
)
def test_check_of_defaults(shared_host, interface, addresses):
    printed = check(shared_host, interface)
    assert set(re.findall(r"^(?:Address|Peer)=([^/\n]*)", printed, re.MULTILINE)) == addresses
    assert set(DEFAULTS.split()) <= set(printed.splitlines())


@pytest.mark.parametrize("options, line", [pytest.param(*row, id=words(row[0])) for row in WINNING_OPTIONS])
def test_options_win_key_by_key(shared_host, options, line):
    text = "[Device]\nMTUBytes=1400\nTransmitQueueLength=9\n[Network]\nAddress=10.8.0.1/24\nPeer=10.8.0.2\n"
    printed = check(shared_host, *options, f"--config={shared_host.configure(text)}", "tun0").splitlines()
    assert line in printed
    assert "TransmitQueueLength=9" in printed
    key = line.partition("=")[0]
    assert sum(other.startswith(f"{key}=") for other in printed) == 1


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
