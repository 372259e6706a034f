"""What uploads are measured against: nginx, an S3 server with its vendor's client, and a bare splice(2) in Python."""

import contextlib
import fcntl
import http.client
import multiprocessing
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from parts_visitor import PARALLEL
from servers import MEBIBYTE, Server, free_port

BUCKET, KEYS = "practika", {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
PIECE = struct.Struct("!QQ")  # offset, length
NGINX = """
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/body; keepalive_timeout 1h;
  client_max_body_size 0; client_body_buffer_size 1m;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; location / {{ dav_methods PUT; }} }} }}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """Run nginx that writes what is PUT below `folder`/files."""
    port = free_port()
    (folder / "files").mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    for path in (folder, folder / "files"):  # nginx's workers run as somebody else when this runs as root
        path.chmod(0o777)
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], stderr=subprocess.DEVNULL)
    try:
        until_open(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Run moto in a process of its own; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def until_open(port: int) -> None:
    """Return when the port takes connections; RuntimeError after half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as line:
            line.connect()
            return
        time.sleep(0.05)
    raise RuntimeError("The server did not start.")


def bare_multipart(client, video: Path) -> float:
    """Upload the video by the vendor's client alone, in parts of the same size, as many at a time."""
    part, size, key = 16 * MEBIBYTE, video.stat().st_size, os.urandom(8).hex()
    started = time.perf_counter()
    named = {"Bucket": BUCKET, "Key": key}
    named["UploadId"] = client.create_multipart_upload(**named)["UploadId"]

    def send(number: int) -> dict:
        with video.open("rb") as file:
            file.seek((number - 1) * part)
            sent = client.upload_part(**named, PartNumber=number, Body=file.read(part))
        return {"PartNumber": number, "ETag": sent["ETag"]}

    with ThreadPoolExecutor(PARALLEL) as threads:
        parts = list(threads.map(send, range(1, -(-size // part) + 1)))
    client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    return time.perf_counter() - started


def bare_splice(video: Path, target: Path, part: int) -> tuple[float, float]:
    """Send the video in parts to a process that does nothing but splice them into one allocated file, then fsync(2).

    Return the seconds until it is durable, and that process's processor time: what the kernel alone asks for.
    """
    size = video.stat().st_size
    mine, its = multiprocessing.Pipe()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        receiver = multiprocessing.Process(target=_receive, args=(listening, target, size, its))
        receiver.start()
        started = time.perf_counter()
        pieces = [(at, min(part, size - at)) for at in range(0, size, part)]
        with ThreadPoolExecutor(PARALLEL) as threads:
            lanes = [
                threads.submit(_send, listening.getsockname(), video, pieces[n::PARALLEL]) for n in range(PARALLEL)
            ]
        for lane in lanes:
            lane.result()
        cpu = mine.recv()
        seconds = time.perf_counter() - started
        receiver.join()
    target.unlink()
    return seconds, cpu


def _send(address: tuple[str, int], video: Path, pieces: list[tuple[int, int]]) -> None:
    with socket.create_connection(address) as line, video.open("rb") as file:
        for at, length in pieces:
            line.sendall(PIECE.pack(at, length))
            line.sendfile(file, at, length)
            line.recv(1)


def _receive(listening: socket.socket, target: Path, size: int, told: Connection) -> None:
    file = os.open(target, os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(file, 0, size)
    lanes = [threading.Thread(target=_lane, args=(listening, file)) for _ in range(PARALLEL)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    os.fsync(file)
    told.send(time.process_time())


def _lane(listening: socket.socket, file: int) -> None:
    line, _ = listening.accept()
    output, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, MEBIBYTE)
    while head := line.recv(PIECE.size, socket.MSG_WAITALL):
        at, length = PIECE.unpack(head)
        end = at + length
        while at < end:
            moved = at + os.splice(line.fileno(), into, min(MEBIBYTE, end - at))
            while at < moved:
                at += os.splice(output, file, moved - at, offset_dst=at)
        line.sendall(b".")
