/*
 * Handshakes with OpenSSL's own QUIC, for ../../tls. Nothing is asked and nothing answered on the streams.
 *
 *   peer serve PORT CERTIFICATE KEY [GROUPS] [CLIENT-CA]     '-' for GROUPS: the default ones
 *   peer visit PORT CA CONNECTIONS [CERTIFICATE KEY]         one after the other, each resuming the session of the one before
 *
 * visit prints a line per connection; its exit code is 0 only when all handshakes were completed with a verified server.
 */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/quic.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const unsigned char ALPN[] = { 2, 'h', '3' };
/* How long a connection is kept for the tickets, or for the peer to refuse it. */
static const int LINGER_MS = 400;

static SSL_SESSION *stored = NULL;

static void fail(const char *what) {
  fprintf(stderr, "openssl peer: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void nap(void) {
  struct timespec pause = { 0, 5 * 1000 * 1000 };
  nanosleep(&pause, NULL);
}

static int on_session(SSL *ssl, SSL_SESSION *session) {
  (void)ssl;
  SSL_SESSION_free(stored);
  stored = session;
  return 1;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in, unsigned int in_length, void *context) {
  unsigned char *chosen;
  (void)ssl;
  (void)context;
  if (SSL_select_next_proto(&chosen, length, ALPN, sizeof(ALPN), in, in_length) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static int udp_socket(int port, int bound) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  if (bound && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) fail("bind");
  if (!BIO_socket_nbio(fd, 1)) fail("nonblocking");
  return fd;
}

static void identity(SSL_CTX *context, const char *certificate, const char *key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) fail("certificate");
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) fail("key");
}

/* True while the connection is neither closed nor failed. */
static int alive(SSL *ssl) {
  SSL_CONN_CLOSE_INFO info;
  return SSL_get_conn_close_info(ssl, &info, sizeof(info)) != 1;
}

static void serve(int argc, char **argv) {
  SSL_CTX *context = SSL_CTX_new(OSSL_QUIC_server_method());
  if (context == NULL) fail("context");
  identity(context, argv[3], argv[4]);
  SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"interop", 7);
  if (argc > 5 && strcmp(argv[5], "-") != 0 && SSL_CTX_set1_groups_list(context, argv[5]) != 1) fail("groups");
  if (argc > 6) {
    if (SSL_CTX_load_verify_locations(context, argv[6], NULL) != 1) fail("client CA");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  }
  SSL *listener = SSL_new_listener(context, 0);
  if (listener == NULL || SSL_set_fd(listener, udp_socket(atoi(argv[2]), 1)) != 1) fail("listener");
  if (SSL_set_blocking_mode(listener, 0) != 1 || SSL_listen(listener) != 1) fail("listen");
  SSL *connections[64] = { NULL };
  for (;;) {
    SSL_handle_events(listener);
    SSL *accepted = SSL_accept_connection(listener, SSL_ACCEPT_CONNECTION_NO_BLOCK);
    for (int i = 0; i < 64; i++) {
      if (accepted != NULL && connections[i] == NULL) {
        connections[i] = accepted;
        accepted = NULL;
      }
      if (connections[i] == NULL) continue;
      SSL_handle_events(connections[i]);
      if (alive(connections[i])) continue;
      SSL_free(connections[i]);
      connections[i] = NULL;
    }
    nap();
  }
}

static void visit(int argc, char **argv) {
  SSL_CTX *context = SSL_CTX_new(OSSL_QUIC_client_method());
  if (context == NULL || SSL_CTX_load_verify_locations(context, argv[3], NULL) != 1) fail("trust anchor");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (argc > 6) identity(context, argv[5], argv[6]);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
  for (int i = 0; i < atoi(argv[4]); i++) {
    SSL *ssl = SSL_new(context);
    struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
    BIO_ADDR *peer = BIO_ADDR_new();
    if (ssl == NULL || SSL_set_fd(ssl, udp_socket(0, 0)) != 1) fail("connection");
    BIO_ADDR_rawmake(peer, AF_INET, &loopback, sizeof(loopback), htons(atoi(argv[2])));
    SSL_set1_initial_peer_addr(ssl, peer);
    SSL_set_tlsext_host_name(ssl, "localhost");
    SSL_set1_dnsname(ssl, "localhost");
    SSL_set_alpn_protos(ssl, ALPN, sizeof(ALPN));
    if (stored != NULL) SSL_set_session(ssl, stored);
    if (SSL_connect(ssl) != 1) fail("the handshake failed");
    SSL_set_blocking_mode(ssl, 0);
    for (int waited = 0; waited < LINGER_MS; waited += 5) {
      SSL_handle_events(ssl);
      nap();
    }
    if (!alive(ssl)) fail("the server closed the connection");
    printf("resumed=%d group=%s cipher=%s\n", SSL_session_reused(ssl), SSL_get0_group_name(ssl), SSL_get_cipher_name(ssl));
    for (int waited = 0; waited < 2000 && SSL_shutdown_ex(ssl, SSL_SHUTDOWN_FLAG_RAPID, NULL, 0) == 0; waited += 5) nap();
    SSL_free(ssl);
    BIO_ADDR_free(peer);
  }
}

int main(int argc, char **argv) {
  if (argc >= 5 && strcmp(argv[1], "serve") == 0) serve(argc, argv);
  else if (argc >= 5 && strcmp(argv[1], "visit") == 0) visit(argc, argv);
  else if (argc == 2 && strcmp(argv[1], "version") == 0) puts(OpenSSL_version(OPENSSL_VERSION_STRING));
  else {
    fprintf(stderr, "usage: peer serve|visit|version ...\n");
    return 2;
  }
  return 0;
}
