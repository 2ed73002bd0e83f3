// An endpoint of quic-interop-runner with kwik, and flupke for HTTP/3; ../../runner/endpoint.ts lists the environment variables.
//
// Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed.

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tech.kwik.agent15.TlsConstants.CipherSuite;
import tech.kwik.core.QuicClientConnection;
import tech.kwik.core.QuicConnection;
import tech.kwik.core.QuicConnection.QuicVersion;
import tech.kwik.core.QuicSessionTicket;
import tech.kwik.core.QuicStream;
import tech.kwik.core.impl.QuicClientConnectionImpl;
import tech.kwik.core.log.Logger;
import tech.kwik.core.log.SysOutLogger;
import tech.kwik.core.server.ApplicationProtocolConnection;
import tech.kwik.core.server.ApplicationProtocolConnectionFactory;
import tech.kwik.core.server.ServerConnectionConfig;
import tech.kwik.core.server.ServerConnector;
import tech.kwik.flupke.impl.Http3ClientConnectionImpl;
import tech.kwik.flupke.server.Http3ApplicationProtocolFactory;

public class Endpoint {

    static final String HQ = "hq-interop";
    static final int UNSUPPORTED = 127;

    // It has no ECN.
    static final Set<String> COMMON =
        Set.of("handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "v2");

    public static void main(String[] arguments) {
        String role = environment("ROLE", "");
        String testcase = environment("TESTCASE", "");
        String more = role.equals("client") ? "keyupdate" : "versionnegotiation";
        if (!COMMON.contains(testcase) && !testcase.equals(more)) {
            System.err.println("TESTCASE " + testcase + " is not supported as " + role);
            System.exit(UNSUPPORTED);
        }
        try {
            if (role.equals("client")) {
                new Client(testcase).run();
                System.exit(0);
            } else {
                Server.start(testcase);
            }
        } catch (Exception failure) {
            failure.printStackTrace();
            System.exit(1);
        }
    }

    static String environment(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    static Logger warnings() {
        Logger log = new SysOutLogger();
        log.logWarning(true);
        return log;
    }

    static class Client {

        /** Longer than what a run of lost packets at 30 % takes. */
        static final Duration PATIENCE = Duration.ofMinutes(3);
        static final Duration TICKET_TIMEOUT = Duration.ofSeconds(10);
        static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
        /** Requests at a time: each takes a thread. */
        static final int REQUESTS_AT_ONCE = 100;
        /** A key update comes after that many bytes. */
        static final int BEFORE_UPDATE = 100 * 1024;

        final String testcase;
        final Path downloads = Path.of(environment("DOWNLOADS", "/downloads"));
        final List<URI> urls = new ArrayList<>();
        /** kwik begins the file anew for each connection. */
        final List<Path> keyLogs = new ArrayList<>();

        Client(String testcase) {
            this.testcase = testcase;
            for (String url : environment("REQUESTS", "").trim().split("\\s+")) urls.add(URI.create(url));
        }

        void run() throws Exception {
            try {
                switch (testcase) {
                    case "resumption", "zerortt" -> onTwoConnections();
                    case "multiconnect" -> {
                        for (URI url : urls) onOneConnection(List.of(url));
                    }
                    case "http3" -> overHttp3();
                    default -> onOneConnection(urls);
                }
            } finally {
                joinKeyLogs();
            }
        }

        QuicClientConnection connection(String protocol, QuicSessionTicket ticket) throws IOException {
            QuicClientConnection.Builder builder = QuicClientConnection.newBuilder()
                .uri(urls.get(0))
                .applicationProtocol(protocol)
                .version(QuicVersion.V1)
                .noServerCertificateCheck()
                .connectTimeout(PATIENCE)
                .maxIdleTimeout(PATIENCE)
                .initialRtt(100)
                .logger(warnings());
            if (testcase.equals("v2")) builder.initialVersion(QuicVersion.V1).preferredVersion(QuicVersion.V2);
            if (testcase.equals("chacha20")) builder.cipherSuite(CipherSuite.TLS_CHACHA20_POLY1305_SHA256);
            if (ticket != null) builder.sessionTicket(ticket);
            String keyLog = environment("SSLKEYLOGFILE", "");
            if (!keyLog.isEmpty()) {
                keyLogs.add(Path.of(keyLog + "." + keyLogs.size()));
                builder.secrets(keyLogs.get(keyLogs.size() - 1));
            }
            return builder.build();
        }

        void joinKeyLogs() throws IOException {
            for (Path part : keyLogs) {
                if (!Files.exists(part)) continue;
                Path whole = Path.of(environment("SSLKEYLOGFILE", ""));
                Files.write(whole, Files.readAllBytes(part), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                Files.delete(part);
            }
        }

        void onOneConnection(List<URI> wanted) throws Exception {
            QuicClientConnection connection = connection(HQ, null);
            connection.connect();
            all(wanted, url -> save(url, request(connection, url), connection));
            connection.closeAndWait(CLOSE_TIMEOUT);
        }

        void onTwoConnections() throws Exception {
            QuicClientConnection first = connection(HQ, null);
            first.connect();
            save(urls.get(0), request(first, urls.get(0)), first);
            QuicSessionTicket ticket = ticketOf(first);
            first.closeAndWait(CLOSE_TIMEOUT);
            List<URI> rest = urls.subList(1, urls.size());
            QuicClientConnection second = connection(HQ, ticket);
            List<QuicStream> streams = new ArrayList<>();
            if (testcase.equals("zerortt")) {
                List<QuicClientConnection.StreamEarlyData> requests = new ArrayList<>();
                for (URI url : rest) requests.add(new QuicClientConnection.StreamEarlyData(line(url), true));
                streams.addAll(second.connect(requests));
            } else {
                second.connect();
                for (URI url : rest) streams.add(request(second, url));
            }
            all(rest, url -> save(url, streams.get(rest.indexOf(url)), second));
            second.closeAndWait(CLOSE_TIMEOUT);
        }

        void overHttp3() throws Exception {
            QuicClientConnection connection = connection("h3", null);
            ExecutorService threads = Executors.newCachedThreadPool();
            Http3ClientConnectionImpl http = new Http3ClientConnectionImpl(connection, threads);
            connection.connect();
            http.connect();
            all(urls, url -> {
                HttpRequest request = HttpRequest.newBuilder(url).build();
                HttpResponse<Path> response = http.send(request, HttpResponse.BodyHandlers.ofFile(fileOf(url)));
                if (response.statusCode() != 200) throw new IOException(url + ": status " + response.statusCode());
            });
            connection.closeAndWait(CLOSE_TIMEOUT);
        }

        interface Get {
            void get(URI url) throws Exception;
        }

        void all(List<URI> wanted, Get action) throws Exception {
            ExecutorService threads = Executors.newFixedThreadPool(Math.min(REQUESTS_AT_ONCE, wanted.size()));
            List<Callable<Void>> tasks = new ArrayList<>();
            for (URI url : wanted) {
                tasks.add(() -> {
                    action.get(url);
                    return null;
                });
            }
            for (Future<Void> task : threads.invokeAll(tasks)) task.get();
            threads.shutdown();
        }

        byte[] line(URI url) {
            return ("GET " + url.getPath() + "\r\n").getBytes(StandardCharsets.US_ASCII);
        }

        QuicStream request(QuicConnection connection, URI url) throws IOException {
            QuicStream stream = connection.createStream(true);
            try (OutputStream output = stream.getOutputStream()) {
                output.write(line(url));
            }
            return stream;
        }

        void save(URI url, QuicStream stream, QuicClientConnection connection) throws IOException {
            InputStream input = stream.getInputStream();
            try (OutputStream output = Files.newOutputStream(fileOf(url))) {
                if (testcase.equals("keyupdate")) {
                    output.write(input.readNBytes(BEFORE_UPDATE));
                    ((QuicClientConnectionImpl) connection).updateKeys();
                }
                input.transferTo(output);
            }
        }

        Path fileOf(URI url) {
            return downloads.resolve(Path.of(url.getPath()).getFileName());
        }

        QuicSessionTicket ticketOf(QuicClientConnection connection) throws Exception {
            for (long waited = 0; waited < TICKET_TIMEOUT.toMillis(); waited += 20) {
                List<QuicSessionTicket> tickets = connection.getNewSessionTickets();
                if (!tickets.isEmpty()) return tickets.get(0);
                Thread.sleep(20);
            }
            throw new IOException("no session ticket within " + TICKET_TIMEOUT);
        }
    }

    static class Server {

        static final Path WWW = Path.of(environment("WWW", "/www"));
        static final int STREAMS_AT_ONCE = 100;
        static final int IDLE_SECONDS = 180;
        static final long STOP_MILLISECONDS = 500;
        /** The code of streams with a request that cannot be answered. */
        static final long REFUSED = 1;

        static void start(String testcase) throws Exception {
            Path certificates = Path.of(environment("CERTS", "/certs"));
            ServerConnectionConfig configuration = ServerConnectionConfig.builder()
                .maxIdleTimeoutInSeconds(IDLE_SECONDS)
                .maxConnectionBufferSize(1 << 20)
                .maxBidirectionalStreamBufferSize(1 << 18)
                .maxUnidirectionalStreamBufferSize(1 << 18)
                .maxOpenPeerInitiatedBidirectionalStreams(STREAMS_AT_ONCE)
                .maxOpenPeerInitiatedUnidirectionalStreams(10)
                .retryRequired(testcase.equals("retry"))
                .connectionIdLength(8)
                .build();
            String address = environment("LISTEN_ADDRESS", "::");
            int port = Integer.parseInt(environment("LISTEN_PORT", "443"));
            ServerConnector connector = ServerConnector.builder()
                .withSocket(new DatagramSocket(new InetSocketAddress(address, port)))
                .withKeyStore(Identity.load(certificates), Identity.NAME, Identity.PASSWORD)
                .withSupportedVersions(testcase.equals("v2") ? List.of(QuicVersion.V1, QuicVersion.V2) : List.of(QuicVersion.V1))
                .withConfiguration(configuration)
                .withLogger(warnings())
                .build();
            if (testcase.equals("http3")) {
                connector.registerApplicationProtocol("h3", new Http3ApplicationProtocolFactory((request, response) -> {
                    Path file = fileOf(request.path());
                    response.setStatus(file == null ? 404 : 200);
                    if (file != null) Files.copy(file, response.getOutputStream());
                }));
            } else {
                connector.registerApplicationProtocol(HQ, new HqFactory());
            }
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(connector)));
            connector.start();
        }

        /** Without waiting for the connections' closing periods. */
        static void stop(ServerConnector connector) {
            Thread closing = new Thread(connector::close);
            closing.start();
            try {
                closing.join(STOP_MILLISECONDS);
            } catch (InterruptedException ignored) {
                // It ends now anyway.
            }
            Runtime.getRuntime().halt(0);
        }

        /** Null: there is none of that name in the folder. */
        static Path fileOf(String path) {
            Path file = WWW.resolve(path.replaceFirst("^/+", "")).normalize();
            return file.startsWith(WWW) && Files.isRegularFile(file) ? file : null;
        }

        static class HqFactory implements ApplicationProtocolConnectionFactory {

            final ExecutorService threads = Executors.newCachedThreadPool();

            @Override
            public int maxConcurrentPeerInitiatedBidirectionalStreams() {
                return STREAMS_AT_ONCE;
            }

            @Override
            public int maxConcurrentPeerInitiatedUnidirectionalStreams() {
                return 0;
            }

            @Override
            public ApplicationProtocolConnection createConnection(String protocol, QuicConnection connection) {
                return new ApplicationProtocolConnection() {
                    @Override
                    public void acceptPeerInitiatedStream(QuicStream stream) {
                        threads.execute(() -> answer(stream));
                    }
                };
            }

            void answer(QuicStream stream) {
                try {
                    String request = new String(stream.getInputStream().readNBytes(4096), StandardCharsets.US_ASCII).trim();
                    Path file = request.startsWith("GET /") ? fileOf(request.substring(4)) : null;
                    if (file == null) {
                        stream.resetStream(REFUSED);
                        return;
                    }
                    try (OutputStream output = stream.getOutputStream()) {
                        Files.copy(file, output);
                    }
                } catch (IOException failure) {
                    System.err.println("stream " + stream.getStreamId() + ": " + failure);
                }
            }
        }
    }
}
