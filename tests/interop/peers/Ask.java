// Asks for a page through Java's own TLS (JSSE). Arguments and output: see tests/interop/src/client/program.rs.
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class Ask {
    public static void main(String[] args) throws Exception {
        if (!args[7].equals("any")) {
            System.setProperty("jdk.tls.namedGroups", args[7]);
        }
        var context = context(args[3], args.length > 10 ? args[9] : null, args.length > 10 ? args[10] : null);
        SSLSession first = null;
        if (args[6].equals("resume")) {
            first = ask(context, args, null, false);
            // A resumed session keeps the time at which the first one began: let the two times differ.
            Thread.sleep(20);
        }
        ask(context, args, first, true);
    }

    private static SSLSession ask(SSLContext context, String[] args, SSLSession first, boolean print) throws Exception {
        var plain = new Socket(args[0], Integer.parseInt(args[1]));
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket(plain, args[2], plain.getPort(), true)) {
            SSLParameters parameters = socket.getSSLParameters();
            if (!args[4].equals("any")) {
                parameters.setProtocols(new String[] {"TLSv" + args[4]});
            }
            parameters.setApplicationProtocols(new String[] {args[5]});
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            var request = "GET " + args[8] + " HTTP/1.1\r\nHost: " + args[2] + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            byte[] response = socket.getInputStream().readAllBytes();
            SSLSession session = socket.getSession();
            if (print) {
                boolean resumed = first != null && session.getCreationTime() == first.getCreationTime();
                System.out.print("version=" + session.getProtocol() + "\nsuite=" + session.getCipherSuite());
                System.out.print("\nalpn=" + socket.getApplicationProtocol() + "\ngroup=\nresumed=" + resumed);
                System.out.print("\nleaf=" + Base64.getEncoder().encodeToString(session.getPeerCertificates()[0].getEncoded()) + "\n\n");
                System.out.write(response);
                System.out.flush();
            }
            return session;
        }
    }

    private static SSLContext context(String root, String store, String password) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream pem = new ByteArrayInputStream(Files.readAllBytes(Path.of(root)))) {
            trusted.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        var context = SSLContext.getInstance("TLS");
        context.init(keys(store, password), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyManager[] keys(String store, String password) throws Exception {
        if (store == null) {
            return null;
        }
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (var file = new FileInputStream(store)) {
            own.load(file, password.toCharArray());
        }
        var keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, password.toCharArray());
        return keys.getKeyManagers();
    }
}
