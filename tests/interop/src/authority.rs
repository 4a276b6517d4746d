//! Certificates for the tests, made by OpenSSL and not by our own mint: a root, an intermediate, servers of three kinds of key, and clients.
//!
//! The peers are told the root alone, so a handshake succeeds only where the box sends the whole chain.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use std::fs;
use std::path::{Path, PathBuf};

use e2e::Outcome;
use tempfile::TempDir;

use crate::command;

/// Kinds of keys that a server certificate may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl Key {
    pub(crate) const ALL: [Self; 3] = [Self::Rsa, Self::Ecdsa, Self::Ed25519];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
            Self::Ed25519 => "ed25519",
        }
    }

    fn newkey(self) -> &'static [&'static str] {
        match self {
            Self::Rsa => &["-newkey", "rsa:2048"],
            Self::Ecdsa => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Self::Ed25519 => &["-newkey", "ed25519"],
        }
    }
}

/// A certificate chain (leaf first, without the root) and its key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    /// Both again as PKCS#12, for Java; the password is [`PASSWORD`].
    pub(crate) store: PathBuf,
}

/// Java wants one. It guards nothing: the keys live as long as the test.
pub(crate) const PASSWORD: &str = "interop";

impl Identity {
    /// The leaf's DER in base64, on one line.
    pub(crate) fn leaf(&self) -> Outcome<String> {
        first_certificate(&fs::read_to_string(&self.chain)?).ok_or_else(|| "no certificate in the chain".into())
    }

    /// Each certificate's DER in base64, leaf first.
    pub(crate) fn certificates(&self) -> Outcome<Vec<String>> {
        Ok(certificates(&fs::read_to_string(&self.chain)?))
    }
}

/// The base64 of the first certificate in a PEM text, on one line.
pub(crate) fn first_certificate(pem: &str) -> Option<String> {
    certificates(pem).into_iter().next()
}

/// The base64 of every certificate in a PEM text.
pub(crate) fn certificates(pem: &str) -> Vec<String> {
    let blocks = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    blocks.filter_map(|block| Some(block.split_once("-----END CERTIFICATE-----")?.0.split_whitespace().collect())).collect()
}

/// A root with what it signed. Its files go with it.
#[derive(Debug)]
pub(crate) struct Authority {
    dir: TempDir,
    /// Stands before the issuers' common names.
    name: &'static str,
}

/// What a leaf is for.
#[derive(Debug, Clone, Copy)]
enum Use {
    Server,
    Client,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "serverAuth",
            Self::Client => "clientAuth",
        })
    }
}

impl Authority {
    /// Makes root, intermediate and one server of each kind of key, all for `localhost`. Authorities of one name have issuers of the same names, but
    /// never the same keys.
    pub(crate) fn new(name: &'static str) -> Outcome<Self> {
        let authority = Self { dir: tempfile::tempdir()?, name };
        authority.issuer("root", None)?;
        authority.issuer("issuing", Some("root"))?;
        for key in Key::ALL {
            let extensions = "subjectAltName=DNS:localhost,DNS:*.example.test,IP:127.0.0.1";
            authority.leaf(key.name(), key.name(), key, Use::Server, extensions)?;
        }
        Ok(authority)
    }

    /// The root: what peers trust.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("root.pem")
    }

    /// The server's chain and key.
    pub(crate) fn server(&self, key: Key) -> Identity {
        self.identity(key.name())
    }

    /// A client's chain and key with the common name `name` and the DNS name `name.clients.test`.
    pub(crate) fn client(&self, name: &str) -> Outcome<Identity> {
        let extensions = format!("subjectAltName=DNS:{name}.clients.test");
        let stem = self.stem(name);
        self.leaf(&stem, name, Key::Ecdsa, Use::Client, &extensions)?;
        let identity = self.identity(&stem);
        let arguments = ["pkcs12", "-export", "-passout", &format!("pass:{PASSWORD}"), "-in"];
        let [chain, key, store] = [&identity.chain, &identity.key, &identity.store].map(|path| path.display().to_string());
        openssl(&[&arguments[..], &[&chain, "-inkey", &key, "-out", &store]].concat())?;
        Ok(identity)
    }

    /// The lists of both issuers; the intermediate's has `revoked` on it, the root's is empty.
    pub(crate) fn revocations(&self, revoked: &Identity) -> Outcome<[PathBuf; 2]> {
        Ok([self.list("issuing", Some(revoked))?, self.list("root", None)?])
    }

    fn list(&self, issuer: &str, revoked: Option<&Identity>) -> Outcome<PathBuf> {
        let stem = self.stem(issuer);
        let [index, number, config, list] = ["index", "number", "cnf", "crl"].map(|end| self.path(&format!("{stem}.{end}")));
        fs::write(&index, "")?;
        fs::write(&number, "01\n")?;
        let section = format!("database={}\ncrlnumber={}\ndefault_md=sha256\ndefault_crl_days=30\n", index.display(), number.display());
        fs::write(&config, format!("[ca]\ndefault_ca=x\n[x]\n{section}crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid:always\n"))?;
        let [signer, key] = ["pem", "key"].map(|end| self.path(&format!("{issuer}.{end}")).display().to_string());
        let (config, out) = (config.display().to_string(), list.display().to_string());
        let common = ["ca", "-config", &config, "-cert", &signer, "-keyfile", &key];
        if let Some(revoked) = revoked {
            openssl(&[&common[..], &["-revoke", &revoked.chain.display().to_string()]].concat())?;
        }
        openssl(&[&common[..], &["-gencrl", "-out", &out]].concat())?;
        Ok(list)
    }

    /// A name for files that no other trial at the same time has.
    fn stem(&self, name: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    fn identity(&self, name: &str) -> Identity {
        let path = |end: &str| self.path(&format!("{name}.{end}"));
        Identity { chain: path("chain"), key: path("key"), store: path("p12") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issuer(&self, name: &str, by: Option<&str>) -> Outcome {
        let extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"];
        self.make(name, &format!("{} {name}", self.name), Key::Ecdsa, by, &extensions, "3650")
    }

    fn leaf(&self, name: &str, subject: &str, key: Key, purpose: Use, names: &str) -> Outcome {
        let purpose = format!("extendedKeyUsage={purpose}");
        // As public authorities have it for RSA; NSS takes it for no server's without.
        let usage = if key == Key::Rsa { "digitalSignature,keyEncipherment" } else { "digitalSignature" };
        let usage = format!("keyUsage=critical,{usage}");
        let extensions = ["basicConstraints=critical,CA:FALSE", &usage, &purpose, names];
        self.make(name, subject, key, Some("issuing"), &extensions, "90")?;
        let chain = fs::read_to_string(self.path(&format!("{name}.pem")))? + &fs::read_to_string(self.path("issuing.pem"))?;
        Ok(fs::write(self.path(&format!("{name}.chain")), chain)?)
    }

    fn make(&self, name: &str, subject: &str, key: Key, by: Option<&str>, extensions: &[&str], days: &str) -> Outcome {
        let path = |name: &str, end: &str| self.path(&format!("{name}.{end}")).display().to_string();
        let (subject, out, keyout) = (format!("/CN={subject}"), path(name, "pem"), path(name, "key"));
        let signer = by.map(|by| (path(by, "pem"), path(by, "key")));
        let mut arguments = vec!["req", "-x509", "-nodes", "-sha256", "-config", "/dev/null", "-days", days, "-subj", &subject];
        arguments.extend(["-out", &out, "-keyout", &keyout]);
        arguments.extend(key.newkey());
        if let Some((certificate, key)) = &signer {
            arguments.extend(["-CA", certificate, "-CAkey", key]);
        }
        arguments.extend(extensions.iter().flat_map(|extension| ["-addext", *extension]));
        openssl(&arguments)
    }
}

fn openssl(arguments: &[&str]) -> Outcome {
    command::check(Path::new("openssl"), arguments).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_found_in_order_and_on_one_line() {
        let pem = "x\n-----BEGIN CERTIFICATE-----\nAB\nCD\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nEF\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(pem), ["ABCD", "EF"]);
        assert_eq!(first_certificate("-----BEGIN CERTIFICATE-----\nAB\n"), None);
    }
}
