"""An HTTP/3 client with aioquic: downloads URLs of one origin into a folder, or with --exchange makes one request and prints what
came back as a line of JSON. Exit 0 only for complete responses, for downloads only with status 200."""

import argparse
import asyncio
import hashlib
import json
import os
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StreamReset
from aioquic.quic.logger import QuicFileLogger

from fields import flat, large_fields


class ResponseError(Exception):
    pass


class Exchange:
    """One request and its response, as far as it has come."""

    def __init__(self, output):
        self.done = asyncio.get_running_loop().create_future()
        self.informational = []
        self.headers = None
        self.trailers = []
        self.length = 0
        self.digest = hashlib.sha256()
        self._output = output

    def on_headers(self, headers) -> None:
        status = dict(headers).get(b":status")
        if self.headers is not None:
            self.trailers = headers
        elif status is not None and status.startswith(b"1"):
            self.informational.append(int(status))
        else:
            self.headers = headers

    def on_data(self, data: bytes) -> None:
        self.length += len(data)
        self.digest.update(data)
        if self._output is not None:
            self._output.write(data)

    def end(self, problem) -> None:
        if self._output is not None:
            self._output.close()
        if self.done.done():
            return
        if problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(ResponseError(problem))

    def status(self) -> int:
        return int(dict(self.headers or [])[b":status"])

    def answer(self) -> dict:
        headers, fields = flat(self.headers)
        return {
            "informational": self.informational,
            "status": self.status(),
            "headers": headers,
            "fields": fields,
            "bodyLength": self.length,
            "bodySha256": self.digest.hexdigest(),
            "trailers": flat(self.trailers)[0],
        }


class HttpClientProtocol(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None
        self._exchanges = {}

    def begin(self) -> None:
        """Before the handshake is complete only where requests go into 0-RTT."""
        if self._http is None:
            self._http = H3Connection(self._quic)

    async def request(self, method: str, url, fields, body, output) -> Exchange:
        stream_id = self._quic.get_next_available_stream_id()
        exchange = Exchange(output)
        self._exchanges[stream_id] = exchange
        headers = [
            (b":method", method.encode()),
            (b":scheme", b"https"),
            (b":authority", url.netloc.encode()),
            (b":path", (url.path or "/").encode()),
            (b"user-agent", b"aioquic"),
        ]
        self._http.send_headers(stream_id=stream_id, headers=headers + fields, end_stream=body is None)
        if body is not None:
            self._http.send_data(stream_id=stream_id, data=body, end_stream=True)
        self.transmit()
        await exchange.done
        return exchange

    async def settings(self) -> None:
        """Until the server's SETTINGS have come the encoder may not use a dynamic table."""
        while self._http is None or self._http.received_settings is None:
            await asyncio.sleep(0.002)

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            print(f"negotiated {event.alpn_protocol}", flush=True)
            self.begin()
        elif isinstance(event, ConnectionTerminated):
            for exchange in self._exchanges.values():
                exchange.end(
                    f"the connection ended: code {event.error_code:#x}, frame type {event.frame_type}, reason {event.reason_phrase!r}"
                )
        elif isinstance(event, StreamReset) and event.stream_id in self._exchanges:
            self._exchanges[event.stream_id].end(f"the response was reset: code {event.error_code:#x}")
        if self._http is None:
            return
        for http_event in self._http.handle_event(event):
            exchange = self._exchanges.get(getattr(http_event, "stream_id", None))
            if exchange is None:
                continue
            if isinstance(http_event, HeadersReceived):
                exchange.on_headers(http_event.headers)
            elif isinstance(http_event, DataReceived):
                exchange.on_data(http_event.data)
            if getattr(http_event, "stream_ended", False):
                exchange.end(None)


async def download(client: HttpClientProtocol, url, directory: str) -> None:
    output = open(os.path.join(directory, os.path.basename(url.path)), "wb")
    exchange = await client.request("GET", url, [], None, output)
    if exchange.status() != 200:
        raise ResponseError(f"{url.path}: status {exchange.status()}")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--output", default=".")
    parser.add_argument("--exchange", action="store_true")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--upload")
    parser.add_argument("--fields", type=int, default=0)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--qlog-dir")
    parser.add_argument("--keylog")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()

    urls = [urlparse(url) for url in arguments.urls]
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN, is_client=True, server_name=urls[0].hostname, verify_mode=ssl.CERT_REQUIRED, cafile=arguments.ca
    )
    if arguments.qlog_dir is not None:
        configuration.quic_logger = QuicFileLogger(arguments.qlog_dir)
    if arguments.keylog is not None:
        configuration.secrets_log_file = open(arguments.keylog, "a")
    if arguments.certificate is not None:
        configuration.load_cert_chain(arguments.certificate, arguments.key)
    for _ in range(arguments.connections):
        await converse(arguments, urls, configuration)


async def converse(arguments, urls, configuration) -> None:
    """One connection; the next resumes its session."""
    ticket = asyncio.get_running_loop().create_future()

    def on_ticket(received) -> None:
        configuration.session_ticket = received
        if not ticket.done():
            ticket.set_result(None)

    early = arguments.early and configuration.session_ticket is not None
    async with connect(
        arguments.address,
        urls[0].port or 443,
        configuration=configuration,
        create_protocol=HttpClientProtocol,
        session_ticket_handler=on_ticket,
        wait_connected=not early,
    ) as client:
        if early:
            client.begin()
        if arguments.exchange:
            body = None
            if arguments.upload is not None:
                with open(arguments.upload, "rb") as source:
                    body = source.read()
            exchange = await client.request(arguments.method, urls[0], large_fields(arguments.fields), body, None)
            print(json.dumps(exchange.answer()), flush=True)
        else:
            if not early:
                await client.settings()
            await asyncio.gather(*(download(client, url, arguments.output) for url in urls))
        if arguments.connections > 1:
            await asyncio.wait_for(ticket, 5)
        client.close(error_code=ErrorCode.H3_NO_ERROR)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (ResponseError, ConnectionError) as error:
        sys.exit(f"aioquic client: {type(error).__name__}: {error}")
