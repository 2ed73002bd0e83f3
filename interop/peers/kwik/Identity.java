import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The runner's certificate chain and key as a key store. */
final class Identity {

    static final String NAME = "server";
    static final char[] PASSWORD = "secret".toCharArray();

    // RFC 5208 §5: version 0, then id-ecPublicKey with secp256r1 (RFC 5480 §2.1.1).
    private static final byte[] HEADER = bytes(0x02, 1, 0, 0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7);

    private Identity() {
    }

    static KeyStore load(Path directory) throws IOException, GeneralSecurityException {
        Certificate[] chain;
        try (InputStream file = Files.newInputStream(directory.resolve("cert.pem"))) {
            chain = CertificateFactory.getInstance("X.509").generateCertificates(file).toArray(new Certificate[0]);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry(NAME, privateKey(Files.readString(directory.resolve("priv.key"))), PASSWORD, chain);
        return store;
    }

    /** Java reads PKCS #8 only; the runner's file is SEC 1 (RFC 5915), which PKCS #8 wraps. */
    private static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        Matcher block = Pattern.compile("-----BEGIN (EC )?PRIVATE KEY-----([^-]*)-----END").matcher(pem);
        if (!block.find()) throw new GeneralSecurityException("no private key in the file");
        byte[] key = Base64.getMimeDecoder().decode(block.group(2));
        byte[] wrapped = block.group(1) == null ? key : element(0x30, HEADER, element(0x04, key));
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(wrapped));
    }

    /** DER, for less than 256 bytes. */
    private static byte[] element(int tag, byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] header = length < 128 ? bytes(tag, length) : bytes(tag, 0x81, length);
        byte[] element = Arrays.copyOf(header, header.length + length);
        int offset = header.length;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, element, offset, part.length);
            offset += part.length;
        }
        return element;
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) bytes[i] = (byte) values[i];
        return bytes;
    }
}
