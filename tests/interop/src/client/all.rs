//! The list of them.

use super::{Client, botan, curl, gnutls, openssl, program, rustls};
use crate::home::Home::{Here, Sid};
use crate::suite::Version;

/// curl takes no tickets in TLS 1.2.
const ONLY_13: &[Version] = &[Version::Tls13];
const NODE: &[&str] = &["node", "-p", "`Node.js ${process.version} with OpenSSL ${process.versions.openssl}`"];
const PYTHON: &[&str] =
    &[program::PYTHON, "-c", "import platform, ssl; print('Python', platform.python_version(), 'with', ssl.OPENSSL_VERSION)"];
const PACKAGE: [&str; 4] = ["dpkg-query", "-W", "-f", "${Package} ${Version}"];

/// A library does not tell its version; the package does.
const fn package(name: &'static str) -> [&'static str; 5] {
    let [program, what, format, text] = PACKAGE;
    [program, what, format, text, name]
}

const ERLANG: [&str; 5] = package("erlang-ssl");
const NSS: [&str; 5] = package("libnss3");
const WOLFSSL: [&str; 5] = package("libwolfssl-dev");
const MBEDTLS: [&str; 5] = package("libmbedtls-dev");
const BORINGSSL: [&str; 5] = package("android-libboringssl");

/// What most of this system's have in common.
const OLD: Client = Client {
    name: "",
    home: Here,
    program: "",
    version: &[],
    resumes: &Version::BOTH,
    hybrid: false,
    ed25519: &Version::BOTH,
    ask: openssl::ask,
};
/// What most of Debian sid's have in common.
const NEW: Client = Client { home: Sid, hybrid: true, ..OLD };

/// Those of Debian 12 that are tried with certificates of their own, too.
pub(crate) const HERE: [Client; 6] = [
    Client { name: "curl", program: "curl", version: &["curl", "--version"], resumes: ONLY_13, ask: curl::ask, ..OLD },
    Client { name: "openssl", program: "openssl", version: &["openssl", "version"], ask: openssl::ask, ..OLD },
    Client { name: "gnutls", program: "gnutls-cli", version: &["gnutls-cli", "--version"], ask: gnutls::ask, ..OLD },
    Client { name: "java", program: "javac", version: &["javac", "--version"], ask: program::java, ..OLD },
    Client { name: "node", program: "node", version: NODE, ask: program::node, ..OLD },
    Client { name: "python", program: "python3", version: PYTHON, ask: program::python, ..OLD },
];

/// Those of Debian sid, of experimental, and of the crates' registry.
const NEWER: [Client; 15] = [
    Client { name: "curl, sid", program: "curl", version: &["curl", "--version"], resumes: ONLY_13, ask: curl::ask, ..NEW },
    Client { name: "openssl, sid", program: "openssl", version: &["openssl", "version"], ask: openssl::ask, ..NEW },
    Client { name: "openssl, experimental", program: "openssl4", version: &["openssl4", "version"], ask: openssl::ask_4, ..NEW },
    Client { name: "gnutls, sid", program: "gnutls-cli", version: &["gnutls-cli", "--version"], hybrid: false, ask: gnutls::ask, ..NEW },
    Client { name: "java, sid", program: "javac", version: &["javac", "--version"], ask: program::java, ..NEW },
    Client { name: "node, sid", program: "node", version: NODE, ask: program::node, ..NEW },
    Client { name: "python, sid", program: "python3", version: PYTHON, ask: program::python, ..NEW },
    Client { name: "go, sid", program: "go", version: &["go", "version"], ask: program::go, ..NEW },
    Client { name: "erlang, sid", program: "escript", version: &ERLANG, resumes: &[], ed25519: ONLY_13, ask: program::erlang, ..NEW },
    Client { name: "nss, sid", program: "gcc", version: &NSS, ed25519: &[], ask: program::nss, ..NEW },
    Client { name: "botan, sid", program: "botan", version: &["botan", "version"], ed25519: &[], ask: botan::ask, ..NEW },
    Client { name: "wolfssl, sid", program: "gcc", version: &WOLFSSL, ask: program::wolfssl, ..NEW },
    Client { name: "mbedtls, sid", program: "gcc", version: &MBEDTLS, hybrid: false, ed25519: &[], ask: program::mbedtls, ..NEW },
    Client { name: "boringssl of Android, sid", program: "gcc", version: &BORINGSSL, hybrid: false, ask: program::boringssl, ..NEW },
    Client { name: "rustls with aws-lc-rs", version: rustls::VERSION, hybrid: true, ask: rustls::ask, ..OLD },
];

/// Every client of the matrix.
pub(crate) fn all() -> impl Iterator<Item = Client> {
    HERE.into_iter().chain(NEWER)
}
