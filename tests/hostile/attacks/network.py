"""Ways out over the network (security §2.10, §4): each tells the canary its name."""

from __future__ import annotations

from hostile.ground import PYTHON, Attack, Ground, by_shell

ROW = "2.10 network and DNS"


def python(name: str, source: str) -> Attack:
    def line(ground: Ground) -> str:
        canary = ground.canary
        code = source.format(
            port=canary.port,
            udp=canary.udp_port,
            path=str(canary.path),
            abstract=canary.abstract,
            name=f"canary:{name}",
        )
        return f"'{PYTHON}' -I -S -c \"{code}\""

    return by_shell(name, ROW, line)


ATTACKS = (
    python(
        "tcp", "import socket; s = socket.create_connection(('127.0.0.1', {port}), 2); s.send(b'{name}'); s.recv(9)"
    ),
    python(
        "tcp-v6",
        "import socket; s = socket.create_connection(('::ffff:127.0.0.1', {port}), 2); s.send(b'{name}'); s.recv(9)",
    ),
    python(
        "udp", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'{name}', ('127.0.0.1', {udp}))"
    ),
    python(
        "unix-socket",
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{path}'); s.send(b'{name}'); s.recv(9)",
    ),
    python(
        "abstract-socket",
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0{abstract}'); s.send(b'{name}'); s.recv(9)",
    ),
    by_shell(
        "bash-tcp",
        ROW,
        lambda g: f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{g.canary.port}; echo canary:bash-tcp >&3; head -c 5 <&3'",
    ),
    by_shell(
        "git-fetch-out",
        ROW,
        lambda g: f"git -c protocol.allow=always ls-remote http://127.0.0.1:{g.canary.port}/canary:git-fetch-out/x.git",
    ),
)
