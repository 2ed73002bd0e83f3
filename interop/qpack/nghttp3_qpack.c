/* The QPACK encoder and decoder of nghttp3 behind a pipe: a line with a request in, a line with its result out. Words are separated by one
 * space; strings and stretches of streams travel as hexadecimal, "-" where they are empty. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp3/nghttp3.h>

struct bytes {
  uint8_t *data;
  size_t length;
};

/* A section that waits for insertions. */
struct waiting {
  int64_t stream;
  nghttp3_qpack_stream_context *context;
  struct bytes rest;
  struct waiting *next;
};

static const nghttp3_mem *mem;
static nghttp3_qpack_encoder *encoder;
static nghttp3_qpack_decoder *decoder;
static struct waiting *first;
static char *cursor;

static void *allocated(void *memory) {
  if (memory == NULL) {
    fputs("out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static const char *word(void) {
  char *start = cursor;
  if (start == NULL) return "";
  char *end = strchr(start, ' ');
  if (end != NULL) *end = '\0';
  cursor = end == NULL ? NULL : end + 1;
  return start;
}

static long long number(void) { return strtoll(word(), NULL, 10); }

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static struct bytes octets(void) {
  const char *hex = word();
  struct bytes bytes = {NULL, strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2};
  bytes.data = allocated(malloc(bytes.length + 1));
  for (size_t i = 0; i < bytes.length; i++) bytes.data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return bytes;
}

static void print(FILE *out, const uint8_t *data, size_t length) {
  if (length == 0) fputc('-', out);
  for (size_t i = 0; i < length; i++) fprintf(out, "%02x", data[i]);
}

static void failed(const char *what, int code) { printf("error %s: %s", what, nghttp3_strerror(code)); }

static void new_encoder(void) {
  size_t capacity = (size_t)number();
  nghttp3_qpack_encoder_del(encoder);
  int rv = nghttp3_qpack_encoder_new(&encoder, capacity, mem);
  if (rv != 0) return failed("encoder", rv);
  nghttp3_qpack_encoder_set_max_dtable_capacity(encoder, capacity);
  nghttp3_qpack_encoder_set_max_blocked_streams(encoder, (size_t)number());
  fputs("instructions -", stdout);
}

static void encode(void) {
  int64_t stream = number();
  size_t count = (size_t)number();
  nghttp3_nv *fields = allocated(calloc(count + 1, sizeof(*fields)));
  for (size_t i = 0; i < count; i++) {
    struct bytes name = octets();
    struct bytes value = octets();
    fields[i] = (nghttp3_nv){name.data, value.data, name.length, value.length, NGHTTP3_NV_FLAG_NONE};
  }
  nghttp3_buf prefix, lines, instructions;
  nghttp3_buf_init(&prefix);
  nghttp3_buf_init(&lines);
  nghttp3_buf_init(&instructions);
  int rv = nghttp3_qpack_encoder_encode(encoder, &prefix, &lines, &instructions, stream, fields, count);
  if (rv != 0) {
    failed("encode", rv);
  } else {
    fputs("instructions ", stdout);
    print(stdout, instructions.pos, nghttp3_buf_len(&instructions));
    fputs(" section ", stdout);
    print(stdout, prefix.pos, nghttp3_buf_len(&prefix));
    if (nghttp3_buf_len(&lines) > 0) print(stdout, lines.pos, nghttp3_buf_len(&lines));
  }
  nghttp3_buf_free(&prefix, mem);
  nghttp3_buf_free(&lines, mem);
  nghttp3_buf_free(&instructions, mem);
  for (size_t i = 0; i < count; i++) {
    free(fields[i].name);
    free(fields[i].value);
  }
  free(fields);
}

static void feed_decoder(void) {
  struct bytes bytes = octets();
  nghttp3_ssize rv = nghttp3_qpack_encoder_read_decoder(encoder, bytes.data, bytes.length);
  if (rv < 0) failed("decoder stream", (int)rv);
  else fputs("ok", stdout);
  free(bytes.data);
}

static void forget(struct waiting *gone) {
  struct waiting **at = &first;
  while (*at != gone) at = &(*at)->next;
  *at = gone->next;
  nghttp3_qpack_stream_context_del(gone->context);
  free(gone->rest.data);
  free(gone);
}

static void new_decoder(void) {
  size_t capacity = (size_t)number();
  while (first != NULL) forget(first);
  nghttp3_qpack_decoder_del(decoder);
  int rv = nghttp3_qpack_decoder_new(&decoder, capacity, (size_t)number(), mem);
  if (rv != 0) return failed("decoder", rv);
  /* It bounds what may wait for the decoder stream by this. */
  nghttp3_qpack_decoder_set_max_concurrent_streams(decoder, 100000);
  fputs("ok", stdout);
}

static void feed_encoder(void) {
  struct bytes bytes = octets();
  nghttp3_ssize rv = nghttp3_qpack_decoder_read_encoder(decoder, bytes.data, bytes.length);
  free(bytes.data);
  if (rv < 0) return failed("encoder stream", (int)rv);
  fputs("unblocked", stdout);
  for (struct waiting *at = first; at != NULL; at = at->next) {
    if (nghttp3_qpack_stream_context_get_ricnt(at->context) <= nghttp3_qpack_decoder_get_icnt(decoder)) {
      printf(" %lld", (long long)at->stream);
    }
  }
}

static void print_instructions(void) {
  nghttp3_buf out;
  size_t length = nghttp3_qpack_decoder_get_decoder_streamlen(decoder);
  nghttp3_buf_init(&out);
  out.begin = out.pos = out.last = allocated(malloc(length + 1));
  out.end = out.begin + length;
  nghttp3_qpack_decoder_write_decoder(decoder, &out);
  fputs("instructions ", stdout);
  print(stdout, out.pos, nghttp3_buf_len(&out));
  free(out.begin);
}

/* Headers are collected first: the answer begins with what it is. */
static void decode_rest(struct waiting *section) {
  char *text = NULL;
  size_t size = 0;
  FILE *headers = allocated(open_memstream(&text, &size));
  for (;;) {
    nghttp3_qpack_nv field;
    uint8_t flags = 0;
    nghttp3_ssize read = nghttp3_qpack_decoder_read_request(decoder, section->context, &field, &flags, section->rest.data, section->rest.length, 1);
    if (read < 0) {
      fclose(headers);
      failed("section", (int)read);
      forget(section);
      break;
    }
    section->rest.length -= (size_t)read;
    memmove(section->rest.data, section->rest.data + read, section->rest.length);
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED) {
      fclose(headers);
      fputs("blocked", stdout);
      break;
    }
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) {
      nghttp3_vec name = nghttp3_rcbuf_get_buf(field.name);
      nghttp3_vec value = nghttp3_rcbuf_get_buf(field.value);
      fputc(' ', headers);
      print(headers, name.base, name.len);
      fputc(' ', headers);
      print(headers, value.base, value.len);
      nghttp3_rcbuf_decref(field.name);
      nghttp3_rcbuf_decref(field.value);
    }
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) {
      fclose(headers);
      print_instructions();
      printf(" headers%s", text);
      forget(section);
      break;
    }
  }
  free(text);
}

static void decode(void) {
  struct waiting *section = allocated(calloc(1, sizeof(*section)));
  section->stream = number();
  section->rest = octets();
  section->next = first;
  first = section;
  int rv = nghttp3_qpack_stream_context_new(&section->context, section->stream, mem);
  if (rv != 0) {
    fputs("out of memory\n", stderr);
    exit(1);
  }
  decode_rest(section);
}

static struct waiting *on_stream(int64_t stream) {
  struct waiting *at = first;
  while (at != NULL && at->stream != stream) at = at->next;
  return at;
}

static void resume(void) {
  struct waiting *section = on_stream(number());
  if (section == NULL) fputs("error no section waits there", stdout);
  else decode_rest(section);
}

static void cancel(void) {
  int64_t stream = number();
  struct waiting *section = on_stream(stream);
  if (section != NULL) forget(section);
  int rv = nghttp3_qpack_decoder_cancel_stream(decoder, stream);
  if (rv != 0) failed("cancel", rv);
  else print_instructions();
}

static const struct {
  const char *verb;
  void (*answer)(void);
} VERBS[] = {
    {"encoder", new_encoder}, {"encode", encode}, {"feed-decoder", feed_decoder}, {"decoder", new_decoder},
    {"feed-encoder", feed_encoder}, {"decode", decode}, {"resume", resume}, {"cancel", cancel},
};

int main(void) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  mem = nghttp3_mem_default();
  while ((length = getline(&line, &room, stdin)) > 0) {
    line[length - 1] = '\0';
    cursor = line;
    const char *verb = word();
    size_t i = 0;
    while (i < sizeof(VERBS) / sizeof(*VERBS) && strcmp(VERBS[i].verb, verb) != 0) i++;
    if (i == sizeof(VERBS) / sizeof(*VERBS)) printf("error no such verb: %s", verb);
    else VERBS[i].answer();
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}
