"""nginx on loopback over a folder: one process, answers on every address of 127.0.0.0/8."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = """
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; keepalive_timeout 60;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home}; uwsgi_temp_path {home};
  scgi_temp_path {home};
  server {{ listen 127.0.0.1:{port} default_server backlog=4096 reuseport; root {folder}; }}
}}
"""


@contextmanager
def nginx(folder: Path, home: Path) -> Iterator[int]:
    """Serve a folder until the block ends; give the port."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (home / "nginx.conf").write_text(CONFIGURATION.format(home=home, folder=folder, port=port))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [binary, "-c", str(home / "nginx.conf"), "-p", str(home), "-e", str(home / "error.log")]
    process = subprocess.Popen(command)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at port {port}")
