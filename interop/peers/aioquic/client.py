"""Downloads one URL over HTTP/3 with aioquic into a file. Exit 0 only for status 200 and a complete body."""

import argparse
import asyncio
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StreamReset
from aioquic.quic.logger import QuicFileLogger


class DownloadError(Exception):
    pass


class DownloadProtocol(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None
        self._stream_id = None
        self._output = None
        self._done = asyncio.get_running_loop().create_future()

    async def download(self, authority: str, path: str, output) -> None:
        self._output = output
        self._stream_id = self._quic.get_next_available_stream_id()
        self._http.send_headers(
            stream_id=self._stream_id,
            headers=[
                (b":method", b"GET"),
                (b":scheme", b"https"),
                (b":authority", authority.encode()),
                (b":path", path.encode()),
                (b"user-agent", b"aioquic"),
            ],
            end_stream=True,
        )
        self.transmit()
        await self._done

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            print(f"negotiated {event.alpn_protocol}", flush=True)
            self._http = H3Connection(self._quic)
        elif isinstance(event, ConnectionTerminated):
            self._end(
                f"the connection ended: code {event.error_code:#x}, frame type {event.frame_type}, reason {event.reason_phrase!r}"
            )
        elif isinstance(event, StreamReset) and event.stream_id == self._stream_id:
            self._end(f"the response was reset: code {event.error_code:#x}")
        if self._http is None:
            return
        for http_event in self._http.handle_event(event):
            if getattr(http_event, "stream_id", None) != self._stream_id:
                continue
            if isinstance(http_event, HeadersReceived):
                headers = dict(http_event.headers)
                print(headers, flush=True)
                if headers.get(b":status", b"200") != b"200":
                    self._end(f"status {headers[b':status']!r}")
            elif isinstance(http_event, DataReceived):
                self._output.write(http_event.data)
            if getattr(http_event, "stream_ended", False):
                self._end(None)

    def _end(self, problem) -> None:
        if self._done.done():
            return
        if problem is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(DownloadError(problem))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--output", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--qlog-dir")
    parser.add_argument("--keylog")
    arguments = parser.parse_args()

    url = urlparse(arguments.url)
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN, is_client=True, server_name=url.hostname, verify_mode=ssl.CERT_REQUIRED, cafile=arguments.ca
    )
    if arguments.qlog_dir is not None:
        configuration.quic_logger = QuicFileLogger(arguments.qlog_dir)
    if arguments.keylog is not None:
        configuration.secrets_log_file = open(arguments.keylog, "a")
    async with connect(
        arguments.address, url.port or 443, configuration=configuration, create_protocol=DownloadProtocol
    ) as client:
        with open(arguments.output, "wb") as output:
            await client.download(url.netloc, url.path or "/", output)
        client.close(error_code=ErrorCode.H3_NO_ERROR)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (DownloadError, ConnectionError) as error:
        sys.exit(f"aioquic client: {type(error).__name__}: {error}")
