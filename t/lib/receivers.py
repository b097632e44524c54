"""Stub receivers of alerts: a mail server and a webhook, for tests.

	receivers.py FOLDER

writes their ports to FOLDER/ports, each mail to FOLDER/mail.N and what is
posted to FOLDER/hook.N, and stays until it is killed.
"""
import http.server
import itertools
import os
import socketserver
import sys
import threading

FOLDER = sys.argv[1]


def keep(kind, number, data):
    path = os.path.join(FOLDER, f"{kind}.{number}")
    with open(path + ".new", "wb") as out:
        out.write(data)
    os.rename(path + ".new", path)


class Mail(socketserver.StreamRequestHandler):
    """RFC 5321, as much as one message takes."""
    numbers = itertools.count(1)

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 stub")
        for line in self.rfile:
            verb = line.split(None, 1)[0].upper() if line.strip() else b""
            if verb == b"EHLO":
                self.say("250-stub\r\n250 8BITMIME")
            elif verb == b"DATA":
                self.say("354 go on")
                keep("mail", next(self.numbers), self.text())
                self.say("250 taken")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def text(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


class Hook(http.server.BaseHTTPRequestHandler):
    numbers = itertools.count(1)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        keep("hook", next(self.numbers), self.rfile.read(length))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(server):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


ports = [serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)),
         serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook))]
with open(os.path.join(FOLDER, "ports.new"), "w", encoding="ascii") as f:
    f.write("{} {}\n".format(*ports))
os.rename(os.path.join(FOLDER, "ports.new"), os.path.join(FOLDER, "ports"))
threading.Event().wait()
