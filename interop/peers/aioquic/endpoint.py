"""An endpoint of quic-interop-runner with aioquic; ../../runner/endpoint.ts lists the environment variables.

Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed."""

import asyncio
import os
import signal
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h0.connection import H0_ALPN, H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, StreamReset
from aioquic.quic.logger import QuicFileLogger
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

UNSUPPORTED = 127
COMMON = {"handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "v2"}
CASES = {"client": COMMON | {"keyupdate"}, "server": COMMON | {"versionnegotiation"}}

TESTCASE = os.environ.get("TESTCASE", "")
HTTP3 = TESTCASE == "http3"

VERSION_1, VERSION_2 = QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2
# Longer than a run of lost probes at 30 %.
IDLE_TIMEOUT = 180.0
TICKET_TIMEOUT = 10.0
# Flow control of clients: small enough for its frames to matter.
CLIENT_WINDOW = 512 * 1024
# The code of streams with a request that cannot be answered.
REFUSED = 1


def place(name: str, in_container: str) -> str:
    return os.environ.get(name) or in_container


def configure(is_client: bool) -> QuicConfiguration:
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN if HTTP3 else H0_ALPN, idle_timeout=IDLE_TIMEOUT, is_client=is_client)
    # Where both know version 2, aioquic moves there (RFC 9368), which the runner allows in its own case only.
    configuration.supported_versions = [VERSION_2, VERSION_1] if TESTCASE == "v2" else [VERSION_1]
    if TESTCASE == "chacha20":
        configuration.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    directory = os.environ.get("QLOGDIR")
    if directory:
        os.makedirs(directory, exist_ok=True)
        configuration.quic_logger = QuicFileLogger(directory)
    file = os.environ.get("SSLKEYLOGFILE")
    if file:
        configuration.secrets_log_file = open(file, "a")
    return configuration


def http(quic):
    return H3Connection(quic) if HTTP3 else H0Connection(quic)


class ServerProtocol(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None

    def quic_event_received(self, event) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = http(self._quic)
        if self._http is None:
            return
        for http_event in self._http.handle_event(event):
            if isinstance(http_event, HeadersReceived):
                self._answer(http_event.stream_id, dict(http_event.headers).get(b":path", b"").decode("latin1"))

    def _answer(self, stream_id: int, path: str) -> None:
        root = os.path.realpath(place("WWW", "/www"))
        file = os.path.realpath(os.path.join(root, path.lstrip("/")))
        if not file.startswith(root + os.sep) or not os.path.isfile(file):
            if not HTTP3:
                self._quic.reset_stream(stream_id, REFUSED)
            else:
                self._http.send_headers(stream_id, [(b":status", b"404")], end_stream=True)
            return
        with open(file, "rb") as source:
            content = source.read()
        self._http.send_headers(stream_id, [(b":status", b"200"), (b"content-length", str(len(content)).encode())])
        self._http.send_data(stream_id, content, end_stream=True)


async def run_server() -> None:
    configuration = configure(is_client=False)
    certificates = place("CERTS", "/certs")
    configuration.load_cert_chain(os.path.join(certificates, "cert.pem"), os.path.join(certificates, "priv.key"))
    tickets = {}
    server = await serve(
        place("LISTEN_ADDRESS", "::"),
        int(place("LISTEN_PORT", "443")),
        configuration=configuration,
        create_protocol=ServerProtocol,
        retry=TESTCASE == "retry",
        session_ticket_fetcher=lambda label: tickets.pop(label, None),
        session_ticket_handler=lambda ticket: tickets.update({ticket.ticket: ticket}),
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    if configuration.quic_logger is not None:
        # Without waiting for the closing periods, after which aioquic writes them itself.
        for trace in list(configuration.quic_logger._traces):
            configuration.quic_logger.end_trace(trace)
    server.close()


class ClientProtocol(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None
        self._downloads = {}

    async def download(self, urls) -> None:
        """All of them at once, on this connection."""
        if self._http is None:
            self._http = http(self._quic)
        downloads = [self._request(url) for url in urls]
        self.transmit()
        await asyncio.gather(*downloads)

    def _request(self, url):
        stream_id = self._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        self._downloads[stream_id] = (url, bytearray(), done)
        headers = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", url.netloc.encode()), (b":path", url.path.encode())]
        self._http.send_headers(stream_id, headers, end_stream=HTTP3)
        if not HTTP3:
            # The line is on its way; the end of the stream is apart.
            self._http.send_data(stream_id, b"", end_stream=True)
        return done

    def quic_event_received(self, event) -> None:
        if isinstance(event, ConnectionTerminated):
            for stream_id in list(self._downloads):
                self._end(stream_id, f"the connection ended: code {event.error_code:#x}, {event.reason_phrase!r}")
        elif isinstance(event, StreamReset):
            self._end(event.stream_id, f"reset with code {event.error_code:#x}")
        if self._http is None:
            return
        for http_event in self._http.handle_event(event):
            if not isinstance(http_event, (HeadersReceived, DataReceived)) or http_event.stream_id not in self._downloads:
                continue
            if isinstance(http_event, DataReceived):
                self._downloads[http_event.stream_id][1].extend(http_event.data)
            elif HTTP3 and dict(http_event.headers).get(b":status", b"200") != b"200":
                self._end(http_event.stream_id, f"status {dict(http_event.headers)[b':status']}")
                continue
            if http_event.stream_ended:
                self._end(http_event.stream_id, None)

    def _end(self, stream_id: int, problem) -> None:
        url, content, done = self._downloads.pop(stream_id, (None, None, None))
        if done is None or done.done():
            return
        if problem is not None:
            done.set_exception(OSError(f"{url.path}: {problem}"))
            return
        with open(os.path.join(place("DOWNLOADS", "/downloads"), os.path.basename(url.path)), "wb") as output:
            output.write(content)
        done.set_result(None)


async def run_client() -> None:
    urls = [urlparse(url) for url in os.environ.get("REQUESTS", "").split()]
    if not urls:
        raise ValueError("REQUESTS is empty")
    configuration = configure(is_client=True)
    configuration.server_name = urls[0].hostname
    configuration.verify_mode = ssl.CERT_NONE
    configuration.max_data = configuration.max_stream_data = CLIENT_WINDOW
    if TESTCASE == "v2":
        configuration.original_version = VERSION_1
    if TESTCASE == "multiconnect":
        for url in urls:
            await converse(configuration, [url])
    elif TESTCASE in ("resumption", "zerortt"):
        await converse(configuration, urls[:1], wait_for_ticket=True)
        await converse(configuration, urls[1:], early=TESTCASE == "zerortt")
    else:
        await converse(configuration, urls)


async def converse(configuration: QuicConfiguration, urls, wait_for_ticket: bool = False, early: bool = False) -> None:
    """One connection."""
    ticket = asyncio.Event()

    def on_ticket(received) -> None:
        configuration.session_ticket = received
        ticket.set()

    async with connect(
        urls[0].hostname,
        urls[0].port or 443,
        configuration=configuration,
        create_protocol=ClientProtocol,
        session_ticket_handler=on_ticket if wait_for_ticket else None,
        wait_connected=not early,
    ) as client:
        if TESTCASE == "keyupdate":
            # When the handshake is confirmed.
            client.request_key_update()
        await client.download(urls)
        if wait_for_ticket:
            await asyncio.wait_for(ticket.wait(), TICKET_TIMEOUT)


def main() -> int:
    role = os.environ.get("ROLE", "")
    if TESTCASE not in CASES.get(role, set()):
        print(f"TESTCASE {TESTCASE} is not supported as {role}", file=sys.stderr)
        return UNSUPPORTED
    asyncio.run(run_client() if role == "client" else run_server())
    return 0


if __name__ == "__main__":
    sys.exit(main())
