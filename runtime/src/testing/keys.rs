//! The issuer's RSA key: signs ID tokens, verifies them, and is published as a JSON Web Key Set.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::error::Error;

/// A 2048-bit RSA key and its name in token headers.
pub(super) struct SigningKey {
    pair: RsaKeyPair,
    id: String,
}

impl SigningKey {
    /// The process's key, made at the first call.
    ///
    /// One for all fakes, as Google has one set of keys for all services; and making one takes a moment.
    pub(super) fn shared() -> Result<&'static Self, Error> {
        static KEY: OnceLock<SigningKey> = OnceLock::new();
        if let Some(key) = KEY.get() {
            return Ok(key);
        }
        // Two threads may both come here; one key wins and the other is dropped unused.
        let key = Self::generate()?;
        Ok(KEY.get_or_init(|| key))
    }

    fn generate() -> Result<Self, Error> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|error| {
            Error::caused_by("cannot make an RSA key for signing ID tokens", error)
        })?;
        let id = hex(digest(&SHA256, pair.public_key().as_ref()).as_ref());
        // Google's key ids are 40 hexadecimal digits.
        let id = id.chars().take(40).collect();
        Ok(Self { pair, id })
    }

    /// The key's id, `kid`.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The RS256 signature (RSASSA-PKCS1-v1_5 with SHA-256) of `message`.
    #[expect(
        clippy::expect_used,
        reason = "signing has no input that can be wrong: the key is whole and the buffer has its length"
    )]
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .expect("a whole RSA key signs any message");
        signature
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(message, signature)
            .is_ok()
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    pub(super) fn key_set(&self) -> String {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "keys": [{
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": self.id,
                "n": number(public.modulus().big_endian_without_leading_zero()),
                "e": number(public.exponent().big_endian_without_leading_zero()),
            }]
        })
        .to_string()
    }
}

/// A name for a token that can be shown: 16 hexadecimal digits of its SHA-256.
pub(super) fn fingerprint(token: &str) -> String {
    hex(&digest(&SHA256, token.as_bytes()).as_ref()[..8])
}

/// The 21-digit account id that stands for `email` in the `sub` claim; always the same for the same address.
pub(super) fn subject_of(email: &str) -> String {
    let digest = digest(&SHA256, email.as_bytes());
    let number = digest
        .as_ref()
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    format!("1{:020}", number % 10_u128.pow(20))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{SigningKey, fingerprint, subject_of};

    #[test]
    fn a_signature_fits_its_message_alone() {
        let key = SigningKey::shared().unwrap();
        let mut signature = key.sign(b"message");
        assert!(key.verify(b"message", &signature));
        assert!(!key.verify(b"massage", &signature));
        signature[0] ^= 1;
        assert!(!key.verify(b"message", &signature));
        assert!(!key.verify(b"message", b""));
    }

    #[test]
    fn subjects_have_21_digits_and_follow_the_address() {
        let subject = subject_of("caller@project.iam.gserviceaccount.com");
        assert_eq!(subject.len(), 21);
        assert!(subject.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(
            subject,
            subject_of("caller@project.iam.gserviceaccount.com")
        );
        assert_ne!(subject, subject_of("other@project.iam.gserviceaccount.com"));
    }

    #[test]
    fn a_fingerprint_does_not_show_the_token() {
        assert_eq!(fingerprint("token").len(), 16);
        assert_ne!(fingerprint("token"), fingerprint("tokem"));
    }
}
