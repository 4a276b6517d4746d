//! What whoever is let in at a door gets: two keys, and what they are. `docs/ceremony.md` shows it.

use arbiter::Digest;
use arbiter::wallet::Network;
use keys::Secret;

use crate::ed25519::Ed25519;
use crate::wallet::Wallet;

/// The prize's text: lines for people, and keys in the forms that openssl and wallets read.
pub(crate) fn text(manifest: &Digest, auth: &Ed25519, wallet: &Wallet, network: Network) -> Secret<Vec<u8>> {
    let (auth, key, wif) = (auth.pem(), wallet.pem(), wallet.wif(network));
    let parts: [&str; 9] = [
        "bountybox-prize 1\nmanifest ",
        &manifest.to_string(),
        "\nThis key is the flag of auth: sign a claim with it, as docs/arbiter.md says.\n",
        auth.expose(),
        "This key is the flag of wallet, and what lies at its addresses is yours.\n",
        key.expose(),
        "The same for wallets, as wpkh(KEY) and tr(KEY):\n",
        wif.expose(),
        "\n",
    ];
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
    Secret::new(text)
}
