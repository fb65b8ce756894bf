# SPDX-License-Identifier: GPL-2.0-or-later
"""tunechoctl metrics --http: one connection, with a client that is correct, malformed, slow, silent or closed."""

import contextlib
import email.parser
import fcntl
import os
import re
import socket
import struct
import subprocess
import termios
import time

import pytest

from fakes import CLIENT
from harness import LIMIT, environment, sanitizer_complaint

HOST = b"Host: localhost:19818\r\n"
GET = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# The limit of the header, in bytes.
REQUEST_MAX = 8192

# The status of tunechoctl if it cannot ask the instances.
FAILED = 2

# A user without privileges, in no group of root's.
UNPRIVILEGED = "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"


def tcp_pair():
    """Both ends of a connection, as systemd accepts one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), LIMIT)
        return client, listener.accept()[0]


def unix_pair():
    return socket.socketpair()


class Server:
    """The program with one connection; its exit status is 0 and it prints nothing, or the test fails."""

    def __init__(self, instances, *arguments, pair=tcp_pair, prefix=(), status=0, send_buffer=None):
        self.client, connection = pair()
        self.client.settimeout(LIMIT)
        if send_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self._status = status
        program = os.open(CLIENT, os.O_RDONLY)
        command = *prefix, f"/proc/self/fd/{program}", f"--directory={instances.directory}"
        how = {"stderr": subprocess.PIPE, "text": True, "env": environment(), "pass_fds": [program]}
        with connection:
            self.process = subprocess.Popen(
                [*command, "metrics", "--http", *arguments], stdin=connection, stdout=connection, **how
            )
        os.close(program)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.client.close()
        try:
            self.stderr = self.process.communicate(timeout=LIMIT)[1]
        finally:
            self.process.kill()
        if kind is None:
            assert not sanitizer_complaint(self.stderr), self.stderr
            assert self.process.returncode == self._status, self.stderr
            assert self._status != 0 or self.stderr == ""

    def send(self, data):
        """Send, and wait until it has been read."""
        self.client.sendall(data)
        deadline = time.monotonic() + LIMIT
        while struct.unpack("i", fcntl.ioctl(self.client, termios.TIOCOUTQ, bytes(4)))[0] > 0:
            assert time.monotonic() < deadline, "it is not read"
            time.sleep(0.001)

    def receive(self):
        """All until the program closes the connection."""
        received = b""
        while chunk := self.client.recv(65536):
            received += chunk
        return received

    def ask(self, data):
        self.client.sendall(data)
        return Response(self.receive())


class Response:
    def __init__(self, data):
        head, separator, self.content = data.partition(b"\r\n\r\n")
        assert separator, f"no header: {data!r}"
        first, _, fields = head.decode("ascii").partition("\r\n")
        version, status, self.reason = first.split(" ", 2)
        assert version == "HTTP/1.1"
        self.status = int(status)
        assert "\n" not in head.decode("ascii").replace("\r\n", "")
        self.fields = dict(email.parser.Parser().parsestr(fields))
        assert self.fields["Connection"] == "close"
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", self.fields["Date"])

    @property
    def length(self):
        return int(self.fields["Content-Length"])

    def assert_whole(self, status, content_type):
        assert (self.status, self.fields["Content-Type"]) == (status, content_type)
        assert len(self.content) == self.length


@pytest.fixture
def one(instances):
    """With one instance that answers."""
    instances.answer("tun0", reply=5, bad_source=2)
    return instances


def ask(instances, data, *arguments, **how):
    with Server(instances, *arguments, **how) as server:
        return server.ask(data)


@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
def test_get(one, pair):
    response = ask(one, GET, pair=pair)
    response.assert_whole(200, TEXT)
    assert response.reason == "OK"
    lines = response.content.decode().splitlines()
    assert 'tunecho_packets_total{interface="tun0",verdict="bad-source"} 2' in lines
    how = {"capture_output": True, "timeout": LIMIT, "check": False}
    done = subprocess.run(["promtool", "check", "metrics"], input=response.content, **how)
    assert (done.returncode, done.stderr) == (0, b"")


def test_openmetrics(one):
    """As Prometheus asks for it, and as its own library reads it."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    accept = b"Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
    response = ask(one, GET[:-2] + accept + b"\r\n")
    response.assert_whole(200, OPENMETRICS)
    families = parser.text_string_to_metric_families(response.content.decode())
    assert {"tunecho", "tunecho_up", "tunecho_packets"} <= {family.name for family in families}


def test_head(one):
    """The fields of GET, and no content."""
    whole, head = ask(one, GET), ask(one, GET.replace(b"GET", b"HEAD"))
    assert (head.status, head.length, head.content) == (200, whole.length, b"")
    assert {**head.fields, "Date": ""} == {**whole.fields, "Date": ""}


def test_named_instances(one):
    one.answer("tun1")
    content = ask(one, GET, "tun1", "tun7").content.decode()
    shown = re.findall(r'^tunecho_up\{interface="(\w+)"\} (\d)', content, re.M)
    assert shown == [("tun1", "1"), ("tun7", "0")]


def test_no_instance(instances):
    response = ask(instances, GET)
    response.assert_whole(200, TEXT)
    assert b"tunecho_up{" not in response.content


def test_pipes(one):
    """It needs no socket."""
    command = CLIENT, f"--directory={one.directory}", "metrics", "--http"
    how = {"capture_output": True, "timeout": LIMIT, "env": environment(), "check": False}
    done = subprocess.run(command, input=GET, **how)
    assert (done.returncode, done.stderr) == (0, b"")
    Response(done.stdout).assert_whole(200, TEXT)


def test_two_reads(one):
    """Every split of a request."""
    expected = ask(one, GET).length
    for size in range(1, len(GET)):
        with Server(one, pair=unix_pair) as server:
            server.send(GET[:size])
            response = server.ask(GET[size:])
            assert (response.status, response.length) == (200, expected), f"split after {size} bytes"


def test_byte_by_byte(one):
    with Server(one) as server:
        for byte in GET[:-1]:
            server.send(bytes([byte]))
        server.ask(GET[-1:]).assert_whole(200, TEXT)


def test_half_closed(one):
    """A client that sends no more gets its response."""
    with Server(one) as server:
        server.client.sendall(GET)
        server.client.shutdown(socket.SHUT_WR)
        Response(server.receive()).assert_whole(200, TEXT)


REFUSED = {
    "another path": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "below": (b"GET /metrics/tun0 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "another method": (b"DELETE /metrics HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "no host": (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /metrics HTTP/1.1\r\n" + 2 * HOST + b"\r\n", 400),
    "another version": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no version": (b"GET /metrics\r\n", 400),
    "line feeds": (GET.replace(b"\r", b""), 400),
    "a zero": (b"GET /met\0rics HTTP/1.1\r\n", 400),
    "TLS": (bytes.fromhex("1603010200010001fc0303"), 400),
    "a long line": (b"GET /" + b"x" * REQUEST_MAX, 400),
    "a long field": (GET[:-2] + b"X: " + b"x" * REQUEST_MAX, 400),
    "many fields": (GET[:-2] + b"X: y\r\n" * REQUEST_MAX, 400),
    "empty lines": (b"\r\n" * REQUEST_MAX, 400),
}


@pytest.mark.parametrize("data, status", REFUSED.values(), ids=REFUSED)
def test_refused(one, data, status):
    """With the whole of the response, whatever the client has sent."""
    response = ask(one, data)
    response.assert_whole(status, "text/plain; charset=utf-8")
    assert response.content.decode() == f"{status} {response.reason}\n"
    assert response.fields.get("Allow") == ("GET, HEAD" if status == 405 else None)


def test_longest(one):
    rest = b"X: \r\n\r\n"
    request = GET[:-2] + rest.replace(b" ", b" " + b"x" * (REQUEST_MAX - len(GET) + 2 - len(rest)))
    assert len(request) == REQUEST_MAX
    ask(one, request).assert_whole(200, TEXT)
    ask(one, request.replace(b"X:", b"X:x")).assert_whole(400, "text/plain; charset=utf-8")


def test_content_of_a_request(one):
    """It is discarded, so that the client is not reset before it has read the response."""
    size = 1 << 20
    request = f"POST /metrics HTTP/1.1\r\nContent-Length: {size}\r\n".encode() + HOST + b"\r\n" + bytes(size)
    assert ask(one, request).status == 405


def test_second_request(one):
    response = ask(one, 2 * GET)
    response.assert_whole(200, TEXT)


def test_closed_without_a_request(one):
    with Server(one) as server:
        server.client.shutdown(socket.SHUT_WR)
        assert server.receive() == b""


def test_closed_within_a_request(one):
    with Server(one) as server:
        server.client.sendall(GET[:-2])
        server.client.shutdown(socket.SHUT_WR)
        assert Response(server.receive()).status == 400


@pytest.mark.parametrize("reset", [False, True])
def test_closed_before_the_response(instances, reset):
    """While an instance keeps it waiting."""
    connected = instances.hold("tun0")
    with Server(instances) as server:
        server.client.sendall(GET)
        assert connected.wait(LIMIT)
        if reset:
            server.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.client.close()


@pytest.mark.parametrize("data", [b"", b"G", GET[:-1]], ids=["nothing", "a byte", "all but a byte"])
def test_silent(one, data):
    """It is closed without a response."""
    with Server(one) as server:
        server.client.sendall(data)
        assert server.receive() == b""


def test_drip(one):
    """A byte now and then does not extend the time."""
    with Server(one) as server:
        server.client.settimeout(0.1)
        deadline = time.monotonic() + LIMIT
        closed = False
        with contextlib.suppress(ConnectionError):
            server.client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            while not closed and time.monotonic() < deadline:
                server.client.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    closed = server.client.recv(1) == b""
        assert time.monotonic() < deadline, "it is not closed"


def test_response_not_read(instances):
    """It ends, though the buffers hold a part of the response only."""
    for number in range(100):
        instances.answer(f"tun{number}")
    with Server(instances, pair=unix_pair, send_buffer=4096) as server:
        server.client.sendall(GET)
        assert server.process.wait(LIMIT) == 0
        response = Response(server.receive())
        assert 0 < len(response.content) < response.length


def test_connection_not_closed(one):
    """A client that has the response and does not close does not keep the program."""
    with Server(one) as server:
        server.ask(GET).assert_whole(200, TEXT)
        assert server.process.wait(LIMIT) == 0


@pytest.mark.root("another user")
def test_no_permission(one):
    one.directory.chmod(0o700)
    with Server(one, prefix=UNPRIVILEGED, status=FAILED) as server:
        server.ask(GET).assert_whole(500, "text/plain; charset=utf-8")
    assert server.stderr.endswith(f": {one.directory}: Permission denied\n")
