"""ls-qpack behind a pipe: a line of JSON with a request in, a line with its result out. Bytes travel as hexadecimal."""

import json
import sys

import pylsqpack

encoder = None
decoder = None


def pairs(headers):
    return [[name.decode("latin1"), value.decode("latin1")] for name, value in headers]


def decoded(call):
    try:
        instructions, headers = call()
    except pylsqpack.StreamBlocked:
        return {"blocked": True}
    return {"instructions": instructions.hex(), "headers": pairs(headers)}


def answer(request):
    global decoder, encoder
    verb = request["verb"]
    if verb == "encoder":
        encoder = pylsqpack.Encoder()
        return {"instructions": encoder.apply_settings(request["capacity"], request["blocked"]).hex()}
    if verb == "decoder":
        decoder = pylsqpack.Decoder(request["capacity"], request["blocked"])
        return {}
    if verb == "encode":
        headers = [(name.encode("latin1"), value.encode("latin1")) for name, value in request["headers"]]
        instructions, section = encoder.encode(request["stream"], headers)
        return {"instructions": instructions.hex(), "section": section.hex()}
    if verb == "feed-decoder":
        encoder.feed_decoder(bytes.fromhex(request["data"]))
        return {}
    if verb == "feed-encoder":
        return {"unblocked": decoder.feed_encoder(bytes.fromhex(request["data"]))}
    if verb == "decode":
        return decoded(lambda: decoder.feed_header(request["stream"], bytes.fromhex(request["data"])))
    if verb == "resume":
        return decoded(lambda: decoder.resume_header(request["stream"]))
    if verb == "cancel":
        return {"instructions": decoder.cancel_stream(request["stream"]).hex()}
    raise ValueError(verb)


def guarded(request):
    try:
        return answer(request)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(guarded(json.loads(line))), flush=True)
