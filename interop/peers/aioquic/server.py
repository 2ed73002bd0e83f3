"""Serves the files of a folder over HTTP/3 with aioquic, and the paths under /-/ that ../../http/conversation.ts describes; 404 for the
rest. Logs one line per request."""

import argparse
import asyncio
import hashlib
import mimetypes
import os
import signal
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StopSendingReceived
from aioquic.quic.logger import QuicFileLogger

from fields import flat, large_fields


class FileProtocol(QuicConnectionProtocol):
    root = "."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None
        self._requests = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        elif isinstance(event, StopSendingReceived):
            print(f"STOP_SENDING on stream {event.stream_id}, code {event.error_code:#x}", flush=True)
        elif isinstance(event, ConnectionTerminated):
            print(f"terminated: code {event.error_code:#x}, frame type {event.frame_type}, reason {event.reason_phrase!r}", flush=True)
        if self._http is not None:
            for http_event in self._http.handle_event(event):
                self._http_event_received(http_event)

    def _http_event_received(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            # A second section is trailers, which change nothing here.
            self._requests.setdefault(event.stream_id, (event.headers, bytearray()))
        elif isinstance(event, DataReceived):
            self._requests[event.stream_id][1].extend(event.data)
        if getattr(event, "stream_ended", False):
            headers, body = self._requests.pop(event.stream_id)
            self._answer(event.stream_id, headers, bytes(body))

    def _answer(self, stream_id: int, headers, body: bytes) -> None:
        fields = dict(headers)
        method = fields.get(b":method", b"").decode("latin1")
        path = fields.get(b":path", b"").decode("latin1")
        status, extra, content, trailers = 200, [], b"", []
        if path == "/-/digest":
            extra, content = [(b"body-length", str(len(body)).encode())], hashlib.sha256(body).hexdigest().encode()
        elif path == "/-/echo":
            content = body
        elif path == "/-/trailers":
            content, trailers = b"with trailers", [(b"x-checksum", b"abc")]
        elif path == "/-/hints":
            self._http.send_headers(stream_id=stream_id, headers=[(b":status", b"103"), (b"link", b"</style.css>; rel=preload; as=style")])
            content = b"final"
        elif path.startswith("/-/fields/"):
            extra, content = large_fields(int(path[10:])), str(flat(headers)[1]).encode()
        else:
            loaded = self._load(path) if method in ("GET", "HEAD") else None
            status, content = (404, b"") if loaded is None else (200, loaded)
        print(f"{method} {path} {status}", flush=True)
        response = [
            (b":status", str(status).encode()),
            (b"server", b"aioquic"),
            (b"content-type", (mimetypes.guess_type(path)[0] or "application/octet-stream").encode()),
            (b"content-length", str(len(content)).encode()),
        ]
        self._http.send_headers(stream_id=stream_id, headers=response + extra)
        self._http.send_data(stream_id=stream_id, data=b"" if method == "HEAD" else content, end_stream=not trailers)
        if trailers:
            self._http.send_headers(stream_id=stream_id, headers=trailers, end_stream=True)
        self.transmit()

    def _load(self, path: str):
        root = os.path.realpath(self.root)
        file = os.path.realpath(os.path.join(root, path.split("?")[0].lstrip("/")))
        if not file.startswith(root + os.sep) or not os.path.isfile(file):
            return None
        with open(file, "rb") as source:
            return source.read()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--qlog-dir")
    parser.add_argument("--retry", action="store_true")
    arguments = parser.parse_args()

    FileProtocol.root = arguments.root
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.load_cert_chain(arguments.certificate, arguments.key)
    if arguments.qlog_dir is not None:
        configuration.quic_logger = QuicFileLogger(arguments.qlog_dir)
    tickets = {}
    server = await serve(
        arguments.host,
        arguments.port,
        configuration=configuration,
        create_protocol=FileProtocol,
        retry=arguments.retry,
        session_ticket_fetcher=lambda label: tickets.pop(label, None),
        session_ticket_handler=lambda ticket: tickets.update({ticket.ticket: ticket}),
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print("ready", flush=True)
    await stop.wait()
    server.close()
    # The connections' logs are written when they have sent their close.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
