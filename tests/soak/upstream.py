# SPDX-License-Identifier: Apache-2.0
"""An upstream with more to say than bench/origin: sizes, streams, echoes, WebSocket.

usage: upstream.py PORT

GET /bytes/N, GET /stream (20 chunks over half a second), GET /slow (a third of a second), POST /echo, GET /socket (WebSocket, echoes messages).
"""
import base64
import hashlib
import http.server
import sys
import time

PATTERN = b"0123456789abcdef" * 4096
SOCKET_KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE = 8


def pattern(size):
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        kind, _, rest = self.path.removeprefix("/steady").lstrip("/").partition("/")
        if kind == "bytes":
            self.answer(pattern(int(rest)))
        elif kind == "slow":
            time.sleep(0.3)
            self.answer(b"slow")
        elif kind == "stream":
            self.stream()
        elif kind == "socket":
            self.socket()
        else:
            self.answer(b"no such page", 404)

    def stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(20):
            self.wfile.write(b"400\r\n" + pattern(1024) + b"\r\n")
            time.sleep(0.025)
        self.wfile.write(b"0\r\n\r\n")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return whole

    def do_POST(self):
        self.answer(self.body())

    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + SOCKET_KEY_SUFFIX
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while len(head := self.rfile.read(2)) == 2:
            size = head[1] & 127
            if size == 126:
                size = int.from_bytes(self.rfile.read(2), "big")
            mask = self.rfile.read(4)
            message = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.rfile.read(size)))
            self.wfile.write(bytes([head[0], size]) + message if size < 126 else bytes([head[0], 126]) + size.to_bytes(2, "big") + message)
            if head[0] & 15 == CLOSE:
                return

    def log_message(self, *_):
        pass


class Upstream(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client went away


if __name__ == "__main__":
    Upstream(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
