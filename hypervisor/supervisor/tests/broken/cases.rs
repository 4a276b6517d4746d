//! The table: how each is broken, and what is to be said of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::bench::Bench;
use crate::certificates::{
    authority, chain_of_three, client_authority, for_clients, self_signed, valid_between, with_unknown_critical_extension, without_names,
};

/// One way to be broken.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) code: u8,
    pub(crate) says: &'static [&'static str],
    pub(crate) broken: fn(&Bench),
}

const fn case(name: &'static str, code: u8, says: &'static [&'static str], broken: fn(&Bench)) -> Case {
    Case { name, code, says, broken }
}

/// What a route asks of its clients; passes once there is an authority with a list.
pub(crate) const CLIENTS: &str = "[route.client]\nmode = \"required\"\nca = \"pki/clients.pem\"\ncrls = [\"pki/crl.pem\"]\n";

/// A leaf that an authority of OpenSSL's issued, with this digest and these extensions.
fn issued(b: &Bench, digest: &str, extensions: &str) {
    b.openssl("req -x509 -newkey rsa:2048 -nodes -keyout pki/ca.key -out pki/ca.crt -subj /CN=old -days 30");
    b.openssl("req -new -newkey rsa:2048 -nodes -keyout pki/key.pem -out pki/req.pem -subj /CN=localhost");
    b.write("pki/ext", extensions);
    b.openssl(&format!(
        "x509 -req {digest} -in pki/req.pem -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -extfile pki/ext -days 30 -out pki/chain.pem"
    ));
}

/// A public key that nobody here has the other half of.
const RECIPIENT: &str = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z";
const CONFIG: u8 = 10;
const CERTIFICATE: u8 = 11;
const KEY: u8 = 12;
const SEVERAL: u8 = 20;

pub(crate) const CASES: &[Case] = &[
    // The file itself.
    case("no file", CONFIG, &["error[config-unreadable] bountybox.toml: ", "No such file"], |b| {
        fs::remove_file(b.path("bountybox.toml")).expect("removed");
    }),
    case("a directory", CONFIG, &["config-unreadable", "not a regular file"], |b| {
        fs::remove_file(b.path("bountybox.toml")).expect("removed");
        fs::create_dir(b.path("bountybox.toml")).expect("made");
    }),
    case("an empty file", CONFIG, &["at least one [[listen]]", "at least one [[certificate]]", "at least one [[route]]"], |b| {
        b.write("bountybox.toml", "");
    }),
    case("no text", CONFIG, &["config-unreadable", "not UTF-8"], |b| b.write("bountybox.toml", [0xff, 0xfe])),
    case("a huge file", CONFIG, &["longer than 1048576 bytes"], |b| b.write("bountybox.toml", vec![b'\n'; (1 << 20) + 1])),
    case("no TOML", CONFIG, &["error[config-syntax] bountybox.toml:2: "], |b| b.edit("kind = ", "kind ")),
    case("a key twice", CONFIG, &["config-syntax", "bountybox.toml:3: "], |b| b.edit("kind = \"auto\"", "kind = \"auto\"\nkind = \"kvm\"")),
    // Its words.
    case("an unknown section", CONFIG, &["unknown-key", "bountybox.toml:1: machien: unknown key; did you mean `machine`?"], |b| {
        b.edit("[machine]", "[machien]");
    }),
    case("an unknown key", CONFIG, &["unknown-key", "bountybox.toml:5: net.moed: unknown key; did you mean `mode`?"], |b| {
        b.edit("mode", "moed");
    }),
    case(
        "a check of TCP with a path, and statuses that are none",
        CONFIG,
        &[
            "route[0].check.path: `path` is for kind = \"http\"",
            "route[0].check.expect: \"2xx\" is not an HTTP status or a range of them",
            "route[0].check.interval_ms: \"50\" is not within 100 to",
            "route[0].eject.failure: unknown key; did you mean `failures`?",
            "route[0].balance: \"round\" is none of \"round-robin\"",
        ],
        |b| {
            b.edit(
                "backends = ",
                "balance = \"round\"\ncheck = { path = \"/\", expect = \"2xx\", interval_ms = 50 }\neject = { failure = 1 }\nbackends = ",
            );
        },
    ),
    case(
        "an HTTP check where TLS passes through",
        CONFIG,
        &["route[0].check: where TLS passes through, the backends do not speak plain HTTP"],
        |b| {
            b.edit("backends = ", "mode = \"passthrough\"\ncheck = { kind = \"http\" }\nbackends = ");
        },
    ),
    case("an unknown key far from all", CONFIG, &["bountybox.toml:5: net.x: unknown key; known here are "], |b| {
        b.edit("mode = \"user\"", "x = 1");
    }),
    case(
        "an admin address that others reach",
        CONFIG,
        &["wrong-value", "admin.address: 0.0.0.0:9090 is not a loopback address", "public = true"],
        |b| {
            b.append("[admin]\naddress = \"0.0.0.0:9090\"\n");
        },
    ),
    case("an admin address without a port", CONFIG, &["wrong-value", "admin.address: \"127.0.0.1\" is not an address and a port"], |b| {
        b.append("[admin]\naddress = \"127.0.0.1\"\n");
    }),
    case("an admin socket with too long a path", CONFIG, &["wrong-value", "admin.socket: a Unix socket's path has 1 to 107 bytes"], |b| {
        b.append(&format!("[admin]\nsocket = \"{}\"\n", "s".repeat(108)));
    }),
    case("an access log without a name", CONFIG, &["wrong-value", "log.access: \"\" is none of"], |b| b.append("[log]\naccess = \"\"\n")),
    case("an unknown format of the access log", CONFIG, &["wrong-value", "log.format: \"xml\" is none of"], |b| {
        b.append("[log]\nformat = \"xml\"\n");
    }),
    case("a recording for nobody", CONFIG, &["missing-key", "record.recipient: `recipient` is missing"], |b| {
        b.append("[record]\nfile = \"box.rec\"\n");
    }),
    case("a recording without a file", CONFIG, &["missing-key", "record.file: `file` is missing"], |b| {
        b.append(&format!("[record]\nrecipient = \"{RECIPIENT}\"\n"));
    }),
    case(
        "a recording for a key with a slip",
        CONFIG,
        &["wrong-value", "record.recipient: \"age1mvyvwawkr0mcnnnncag", "is not an age public key"],
        |b| b.append(&format!("[record]\nfile = \"box.rec\"\nrecipient = \"{}\"\n", RECIPIENT.replace("age1l", "age1m"))),
    ),
    case("a recording that has no room", CONFIG, &["out-of-range", "record.max_bytes: \"1000\" is not within 8388608 to"], |b| {
        b.append(&format!("[record]\nfile = \"box.rec\"\nrecipient = \"{RECIPIENT}\"\nmax_bytes = 1000\n"));
    }),
    case("control characters in a key", CONFIG, &["limits.\\u{1b}[31m: unknown key"], |b| b.append("\"\\u001b[31m\" = 1\n")),
    case(
        "an unknown machine",
        CONFIG,
        &["bountybox.toml:2: machine.kind: \"kvn\" is none of \"auto\", \"kvm\", \"process\"; did you mean \"kvm\"?"],
        |b| b.edit("auto", "kvn"),
    ),
    case("a number for a text", CONFIG, &["bountybox.toml:2: machine.kind: is a whole number; a text in quotes is wanted"], |b| {
        b.edit("\"auto\"", "1");
    }),
    case("a table for a list", CONFIG, &["wrong-type", "limits.connections: is a list; a whole number is wanted"], |b| {
        b.edit("100", "[100]");
    }),
    case("a limit of zero", CONFIG, &["bountybox.toml:19: limits.connections: \"0\" is not within 1 to "], |b| b.edit("100", "0")),
    case("a negative limit", CONFIG, &["limits.connections: \"-1\" is not within"], |b| b.edit("100", "-1")),
    case("a limit beyond all numbers", CONFIG, &["limits.connections"], |b| b.edit("100", "99999999999999999999999")),
    // Addresses.
    case("a listener without a port", CONFIG, &["bountybox.toml:8: listen[0].address: \"127.0.0.1\" is not an address and a port"], |b| {
        b.edit("127.0.0.1:0", "127.0.0.1");
    }),
    case("a listener's port beyond all ports", CONFIG, &["listen[0].address: \"127.0.0.1:65536\""], |b| {
        b.edit("127.0.0.1:0", "127.0.0.1:65536");
    }),
    case("a listener twice", CONFIG, &["error[duplicate]", "listen[1].address: 127.0.0.1:9 is listened on already"], |b| {
        b.edit("127.0.0.1:0", "127.0.0.1:9");
        b.append("[[listen]]\naddress = \"127.0.0.1:9\"\n");
    }),
    case("a backend that is a URL", CONFIG, &["bountybox.toml:16: route[0].backends[0]: \"http://a:80\" is not host:port"], |b| {
        b.edit("127.0.0.1:8080", "http://a:80");
    }),
    case("a backend on port 0", CONFIG, &["route[0].backends[0]: \"127.0.0.1:0\""], |b| b.edit("127.0.0.1:8080", "127.0.0.1:0")),
    case("no backends", CONFIG, &["route[0].backends: a route wants at least one backend"], |b| b.edit("\"127.0.0.1:8080\"", "")),
    case("a second default route", CONFIG, &["a second default route"], |b| {
        b.append("[[route]]\nbackends = [\"a:1\"]\n[[route]]\nbackends = [\"b:1\"]\n");
    }),
    case("a name in two routes", CONFIG, &["the name localhost is taken already: see route[0].sni[0] on line 15"], |b| {
        b.append("[[route]]\nsni = [\"LOCALHOST\"]\nbackends = [\"a:1\"]\n");
    }),
    case("a name that is an address", CONFIG, &["bountybox.toml:15: route[0].sni[0]: \"127.0.0.1\" is not a host name"], |b| {
        b.edit("[\"localhost\"]", "[\"127.0.0.1\"]");
    }),
    // Front ends, names, protocols, and TLS that passes through.
    case(
        "a front end that is no network",
        CONFIG,
        &["bountybox.toml:9: listen[0].proxy_from[0]: \"10.0.0.1/8\" is not an address, or a network without host bits"],
        |b| {
            b.edit("address = \"127.0.0.1:0\"", "address = \"127.0.0.1:0\"\nproxy_from = [\"10.0.0.1/8\"]");
        },
    ),
    case("a mode that is none", CONFIG, &["route[0].mode: \"pasthrough\" is none of", "did you mean \"passthrough\"?"], |b| {
        b.edit("sni = [", "mode = \"pasthrough\"\nsni = [");
    }),
    case(
        "a PROXY protocol that is none",
        CONFIG,
        &["route[0].proxy_protocol: \"v3\" is none of \"off\", \"v1\", \"v2\", \"v2-tls\""],
        |b| {
            b.edit("sni = [", "proxy_protocol = \"v3\"\nsni = [");
        },
    ),
    case("a route's name with a quote", CONFIG, &["route[0].name: ", "is not a name of 1 to 64 visible ASCII characters"], |b| {
        b.edit("sni = [", "name = 'a\"b'\nsni = [");
    }),
    case(
        "two routes called alike",
        CONFIG,
        &["error[duplicate]", "route[1].name: the name shop is taken already: see route[0].name on line 15"],
        |b| {
            b.edit("sni = [", "name = \"shop\"\nsni = [");
            b.append("[[route]]\nname = \"shop\"\nbackends = [\"a:1\"]\n");
        },
    ),
    case(
        "a protocol twice for one name",
        CONFIG,
        &["route[1].sni[0]: the name localhost is taken already for the protocol h2: see route[0].sni[0]"],
        |b| {
            b.edit("sni = [", "alpn = [\"http/1.1\", \"h2\"]\nsni = [");
            b.append("[[route]]\nsni = [\"localhost\"]\nalpn = [\"h2\"]\nbackends = [\"a:1\"]\n");
        },
    ),
    case("client certificates where TLS passes through", CONFIG, &["error[misplaced]", "clients show certificates to the backend"], |b| {
        b.edit("sni = [", "mode = \"passthrough\"\nsni = [");
        b.append("[route.client]\nmode = \"required\"\nca = \"pki/ca.pem\"\n");
    }),
    case("a certificate that nothing needs any more", CONFIG, &["warning[certificate-unused]", "unknown key"], |b| {
        b.edit("sni = [", "mode = \"passthrough\"\nx = 1\nsni = [");
    }),
    case("a device without a TAP", CONFIG, &["error[misplaced] bountybox.toml:6: net.device"], |b| {
        b.edit("\"user\"", "\"user\"\ndevice = \"tap0\"");
    }),
    case("a TAP without a device", CONFIG, &["wants `device` or `fd`", "wants `addresses`"], |b| b.edit("\"user\"", "\"tap\"")),
    case("a gateway off the link", CONFIG, &["net.gateways[0]: 192.0.3.1 is in none of the link's networks"], |b| {
        b.edit("\"user\"", "\"tap\"\ndevice = \"t\"\naddresses = [\"192.0.2.2/24\"]\ngateways = [\"192.0.3.1\"]");
    }),
    case("a listener that the guest has not", CONFIG, &["listen[0].address: 127.0.0.1 is none of the guest's addresses"], |b| {
        b.edit("\"user\"", "\"tap\"\ndevice = \"t\"\naddresses = [\"192.0.2.2/24\"]");
        b.edit("127.0.0.1:0", "127.0.0.1:443");
    }),
    // TLS.
    case("an unknown profile", CONFIG, &["tls.profile: \"moderne\" is none of", "did you mean \"modern\"?"], |b| {
        b.append("[tls]\nprofile = \"moderne\"\n");
    }),
    case("a weak suite", CONFIG, &["tls.suites[1]: \"TLS_RSA_WITH_AES_128_CBC_SHA\" is not one of TLS_AES_128_GCM_SHA256, "], |b| {
        b.append("[tls]\nsuites = [\"TLS13_AES_128_GCM_SHA256\", \"TLS_RSA_WITH_AES_128_CBC_SHA\"]\n");
    }),
    case(
        "a suite of another version",
        CONFIG,
        &["error[misplaced]", "tls.suites[0]: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is for TLS 1.2"],
        |b| {
            b.append("[tls]\nprofile = \"modern\"\nsuites = [\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]\n");
        },
    ),
    case("a group twice", CONFIG, &["error[duplicate]", "tls.groups[1]: secp256r1 stands here already"], |b| {
        b.append("[tls]\ngroups = [\"secp256r1\", \"prime256v1\"]\n");
    }),
    case("no version that works", CONFIG, &["tls.groups: no version of TLS has both a suite and a group"], |b| {
        b.append("[tls]\nsuites = [\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]\ngroups = [\"X25519MLKEM768\"]\n");
    }),
    case(
        "tickets that outlive their keys",
        CONFIG,
        &["tls.ticket_rotation_s: tickets that live for 604800 s want a rotation of 9450 s"],
        |b| {
            b.append("[tls]\nticket_lifetime_s = 604800\nticket_rotation_s = 3600\n");
        },
    ),
    case("a key for no tickets", CONFIG, &["error[misplaced]", "tls.ticket_key: without tickets"], |b| {
        b.append("[tls]\nticket_lifetime_s = 0\nticket_key = \"t.key\"\n");
        b.write("t.key", "5a".repeat(32));
    }),
    case("a ticket key that is none", KEY, &["error[ticket-key-unusable] t.key: tls.ticket_key: holds neither 32 bytes"], |b| {
        b.append("[tls]\nticket_key = \"t.key\"\n");
        b.write("t.key", "no key");
    }),
    // Clients' certificates.
    case("clients of no authority", CONFIG, &["error[missing-key]", "route[0].client.ca: `ca` is missing"], |b| {
        b.append("[route.client]\nmode = \"optional\"\n");
    }),
    case("clients of no mode", CONFIG, &["route[0].client.mode: `mode` is missing: one of \"optional\", \"required\""], |b| {
        client_authority(b, 90, 30);
        b.append("[route.client]\nca = \"pki/clients.pem\"\n");
    }),
    case("a pattern that is none", CONFIG, &["route[0].client.names[0]: \"a*b\" is not a DNS name"], |b| {
        client_authority(b, 90, 30);
        b.append(CLIENTS);
        b.append("names = [\"a*b\"]\n");
    }),
    case(
        "a leaf for an authority of clients",
        CERTIFICATE,
        &["error[client-ca-no-authority] pki/chain.pem:1: route[0].client.ca: "],
        |b| {
            b.append("[route.client]\nmode = \"required\"\nca = \"pki/chain.pem\"\n");
        },
    ),
    case("no file with authorities", CERTIFICATE, &["error[certificate-unreadable] pki/clients.pem: route[0].client.ca: "], |b| {
        client_authority(b, 90, 30);
        b.append(CLIENTS);
        fs::remove_file(b.path("pki/clients.pem")).expect("removed");
    }),
    case(
        "a certificate for a revocation list",
        CERTIFICATE,
        &["error[crl-unreadable]", "holds no `-----BEGIN X509 CRL-----` block"],
        |b| {
            client_authority(b, 90, 30);
            b.append(CLIENTS);
            b.write("pki/crl.pem", b.read("pki/clients.pem"));
        },
    ),
    case(
        "a revocation list of another of the same name",
        CERTIFICATE,
        &["error[crl-refused] pki/crl.pem:1: ", "is not signed with the key"],
        |b| {
            client_authority(b, 90, 30);
            let list = b.read("pki/crl.pem");
            client_authority(b, 90, 30);
            b.append(CLIENTS);
            b.write("pki/crl.pem", list);
        },
    ),
    case("a revocation list twice", CONFIG, &["error[duplicate] pki/crl.pem:", "a second revocation list of \"CN=leaf\""], |b| {
        client_authority(b, 90, 30);
        b.append(CLIENTS);
        b.write("pki/crl.pem", b.read("pki/crl.pem").repeat(2));
    }),
    case(
        "an authority and a list that are out of date beside an error",
        CONFIG,
        &["warning[client-ca-out-of-date] pki/clients.pem:1: ", "warning[crl-expired] pki/crl.pem:1: "],
        |b| {
            client_authority(b, -1, -1);
            b.append(CLIENTS);
            b.edit("kind", "knid");
        },
    ),
    case("an authority without a list beside an error", CONFIG, &["warning[crl-missing] pki/clients.pem:", "CN=bountybox mint"], |b| {
        client_authority(b, 90, 30);
        b.append(CLIENTS);
        b.write("pki/clients.pem", b.read("pki/clients.pem") + &b.read("pki/ca.pem"));
        b.edit("kind", "knid");
    }),
    // Certificates.
    case("no chain file", CERTIFICATE, &["error[certificate-unreadable] pki/chain.pem: certificate[0].chain: ", "No such file"], |b| {
        fs::remove_file(b.path("pki/chain.pem")).expect("removed");
    }),
    case("a key for a chain", CERTIFICATE, &["certificate-format", "holds no `-----BEGIN CERTIFICATE-----` block"], |b| {
        b.edit("pki/chain.pem", "pki/key.pem");
    }),
    case("DER for PEM", CERTIFICATE, &["certificate-format", "is DER, and PEM is wanted"], |b| {
        b.openssl("x509 -in pki/chain.pem -outform der -out pki/chain.der");
        b.edit("chain.pem", "chain.der");
    }),
    case("damaged base64", CERTIFICATE, &["error[certificate-damaged] pki/chain.pem:1: "], |b| {
        b.write("pki/chain.pem", b.read("pki/chain.pem").replacen("MII", "M!I", 1));
    }),
    case("damaged DER", CERTIFICATE, &["error[certificate-damaged] pki/chain.pem:1: ", "no X.509 certificate"], |b| {
        b.write("pki/chain.pem", b.read("pki/chain.pem").replacen("MII", "AII", 1));
    }),
    case("an expired certificate", CERTIFICATE, &["error[certificate-expired] pki/chain.pem:1: certificate[0].chain: expired at "], |b| {
        self_signed(b, &valid_between(-9, -1));
    }),
    case("a certificate of tomorrow", CERTIFICATE, &["certificate-not-yet-valid", "is valid from"], |b| {
        self_signed(b, &valid_between(1, 90));
    }),
    case("an authority as a leaf", CERTIFICATE, &["certificate-is-authority", "CA:TRUE"], |b| {
        self_signed(b, &authority());
    }),
    case("a certificate for clients", CERTIFICATE, &["certificate-purpose"], |b| self_signed(b, &for_clients())),
    case("a certificate without names", CERTIFICATE, &["certificate-without-names"], |b| {
        self_signed(b, &without_names());
    }),
    case("an unknown critical extension", CERTIFICATE, &["chain-refused", "webpki refuses it"], |b| {
        self_signed(b, &with_unknown_critical_extension());
    }),
    case(
        "a name that no certificate covers",
        CERTIFICATE,
        &["error[route-not-covered] bountybox.toml:15: route[0].sni[0]: no certificate covers a.b.example.org"],
        |b| b.edit("[\"localhost\"]", "[\"a.b.example.org\"]"),
    ),
    case("a chain out of order", CERTIFICATE, &["error[chain-order] pki/chain.pem:", "was issued by certificate 3"], |b| {
        let [leaf, intermediate, root] = chain_of_three(b);
        b.write("pki/chain.pem", leaf + &root + &intermediate);
    }),
    case("a missing intermediate", CERTIFICATE, &["error[chain-gap]", "that was \"CN=intermediate\""], |b| {
        let [leaf, _, root] = chain_of_three(b);
        b.write("pki/chain.pem", leaf + &root);
    }),
    case("an intermediate of the same name and another key", CERTIFICATE, &["chain-signature"], |b| {
        let [_, intermediate, _] = chain_of_three(b);
        let [leaf, _, _] = chain_of_three(b);
        b.write("pki/chain.pem", leaf + &intermediate);
    }),
    case("a SHA-1 signature", CERTIFICATE, &["certificate-weak-signature", "SHA-1"], |b| {
        issued(b, "-sha1", "subjectAltName=DNS:localhost\n");
    }),
    case("an MD5 signature", CERTIFICATE, &["certificate-weak-signature", "MD5"], |b| issued(b, "-md5", "subjectAltName=DNS:localhost\n")),
    // Warnings, beside an error so that the table's rules hold.
    case(
        "a certificate that ends soon",
        CONFIG,
        &["warning[certificate-expires-soon] pki/chain.pem:1: certificate[0].chain: expires at "],
        |b| {
            self_signed(b, &valid_between(-60, 5));
            b.edit("kind", "knid");
        },
    ),
    case("a leaf alone", CONFIG, &["warning[chain-incomplete] pki/chain.pem:1: ", "stands alone, and its issuer \"CN=old\""], |b| {
        issued(b, "-sha256", "subjectAltName=DNS:localhost\nauthorityInfoAccess=caIssuers;URI:http://ca.example/ca.crt\n");
        b.edit("kind", "knid");
    }),
    case("a chain with its root", CONFIG, &["warning[chain-has-root] pki/chain.pem:"], |b| {
        b.write("pki/chain.pem", b.read("pki/chain.pem") + &b.read("pki/ca.pem"));
        b.edit("kind", "knid");
    }),
    // Keys.
    case("no key file", KEY, &["error[key-unreadable] pki/key.pem: certificate[0].key: "], |b| {
        fs::remove_file(b.path("pki/key.pem")).expect("removed");
    }),
    case("a certificate for a key", KEY, &["key-format", "holds no private key"], |b| b.edit("pki/key.pem", "pki/chain.pem")),
    case(
        "another certificate's key",
        KEY,
        &["error[key-mismatch] pki/ca.key.pem:1: certificate[0].key: is not the key of pki/chain.pem"],
        |b| b.edit("pki/key.pem", "pki/ca.key.pem"),
    ),
    case("two keys", KEY, &["key-format", "a second private key"], |b| b.write("pki/key.pem", b.read("pki/key.pem").repeat(2))),
    case("a damaged key", KEY, &["key-format", "pki/key.pem:1: "], |b| {
        b.write("pki/key.pem", b.read("pki/key.pem").replacen("MIG", "M!G", 1));
    }),
    case("a cut-off key", KEY, &["key-format", "the block is damaged"], |b| b.write("pki/key.pem", &b.read("pki/key.pem")[..80])),
    case("an encrypted key", KEY, &["key-encrypted", "advice: decrypt it first"], |b| {
        b.openssl("pkcs8 -topk8 -in pki/ca.key.pem -passout pass:secret -out pki/key.pem");
    }),
    case("a P-521 key", KEY, &["key-refused", "curve"], |b| {
        b.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -keyout pki/key.pem -out pki/chain.pem -subj /CN=x -days 30 -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE");
    }),
    case(
        "an RSA key of 1024 bits",
        SEVERAL,
        &["certificate-weak-key", "has an RSA key of 1024 bits", "error[key-weak] pki/key.pem:1: "],
        |b| {
            b.openssl("req -x509 -newkey rsa:1024 -nodes -keyout pki/key.pem -out pki/chain.pem -subj /CN=x -days 30 -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE");
        },
    ),
    case("a wrong word and a wrong key", SEVERAL, &["unknown-key", "key-mismatch"], |b| {
        b.edit("mode", "moed");
        b.edit("pki/key.pem", "pki/ca.key.pem");
    }),
    case(
        "a readable key beside an error",
        CONFIG,
        &["unknown-key", "warning[key-readable-by-others] pki/key.pem: certificate[0].key: its mode is 0644"],
        |b| {
            b.edit("mode", "moed");
            fs::set_permissions(b.path("pki/key.pem"), fs::Permissions::from_mode(0o644)).expect("changed");
        },
    ),
];
