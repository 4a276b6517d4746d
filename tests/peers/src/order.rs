//! What a certificate is to be like.

/// One certificate with its chain. What is right is a matter of the place that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// How it hangs together with the authority.
    pub path: Path,
    /// `extKeyUsage`.
    pub extended_key_usage: ExtendedKeyUsage,
    /// `keyUsage`.
    pub key_usage: KeyUsage,
    /// Its dates.
    pub validity: Validity,
    /// Whose it is.
    pub named: Named,
    /// What is spoilt after all is signed.
    pub tamper: Tamper,
}

impl Order {
    /// A client's certificate with nothing wrong.
    #[must_use]
    pub fn for_client(name: &str) -> Self {
        Self::of(ExtendedKeyUsage::Client, name)
    }

    /// A server's certificate with nothing wrong.
    #[must_use]
    pub fn for_server(name: &str) -> Self {
        Self::of(ExtendedKeyUsage::Server, name)
    }

    fn of(extended_key_usage: ExtendedKeyUsage, name: &str) -> Self {
        Self {
            path: Path::Direct,
            extended_key_usage,
            key_usage: KeyUsage::Sign,
            validity: Validity::Now,
            named: Named::Dns(name.into()),
            tamper: Tamper::Nothing,
        }
    }
}

/// How a certificate hangs together with the authority that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// The authority has signed it.
    Direct,
    /// An authority below has, which is shown.
    Intermediate,
    /// One below has whose basic constraints say that it is no authority.
    NotAnAuthority,
    /// One below has that has no basic constraints.
    Unconstrained,
    /// It has signed itself.
    SelfSigned,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Direct, Self::Intermediate, Self::NotAnAuthority, Self::Unconstrained, Self::SelfSigned];

    /// Whether a second certificate is shown.
    #[must_use]
    pub fn has_issuer(self) -> bool {
        matches!(self, Self::Intermediate | Self::NotAnAuthority | Self::Unconstrained)
    }
}

/// `extKeyUsage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtendedKeyUsage {
    /// There is none.
    Absent,
    /// clientAuth
    Client,
    /// serverAuth
    Server,
    /// clientAuth and serverAuth
    Both,
    /// anyExtendedKeyUsage
    Any,
    /// clientAuth and anyExtendedKeyUsage
    ClientAndAny,
    /// serverAuth and anyExtendedKeyUsage
    ServerAndAny,
    /// emailProtection
    Other,
}

impl ExtendedKeyUsage {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Absent, Self::Client, Self::Server, Self::Both, Self::Any, Self::ClientAndAny, Self::ServerAndAny, Self::Other];
}

/// `keyUsage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUsage {
    /// There is none.
    Absent,
    /// digitalSignature
    Sign,
    /// keyEncipherment
    Encipher,
    /// keyCertSign
    SignCertificates,
    /// digitalSignature and keyCertSign
    SignAll,
}

impl KeyUsage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Absent, Self::Sign, Self::Encipher, Self::SignCertificates, Self::SignAll];
}

/// Dates, far enough from today for any clock of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// 2020 to 2090.
    Now,
    /// 2020 to 2021.
    Past,
    /// 2090 to 2095.
    Future,
}

impl Validity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Now, Self::Past, Self::Future];
}

/// Whose a certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This DNS name, or wildcard, in `subjectAltName`; it is not in the subject.
    Dns(String),
    /// This name in the subject alone.
    CommonName(String),
}

/// What is spoilt after all is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    /// Nothing is.
    Nothing,
    /// The last bit of the signature of the certificate.
    Signature,
    /// A bit of its serial number.
    Content,
    /// The last bit of the signature of the issuer that is shown, if one is.
    IssuerSignature,
}

impl Tamper {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Signature, Self::Content, Self::IssuerSignature];
}
