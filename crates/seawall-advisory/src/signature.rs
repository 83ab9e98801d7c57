//! Ed25519 keys and signatures of database files (RFC 8032).
//!
//! What is signed is [`CONTEXT`] followed by the SHA-256 that names the content, so a signature
//! made for anything else is never one of a database.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;

const CONTEXT: &[u8] = b"seawall advisory database\n";
const SECRET_PREFIX: &str = "seawall-secret-key:";
const PUBLIC_PREFIX: &str = "seawall-public-key:";

/// Signs databases. Its text form is `seawall-secret-key:` and 64 hexadecimal digits.
pub struct SecretKey(SigningKey);

/// Says who signed a database. Its text form is `seawall-public-key:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text that is no key, or a machine without randomness.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Wrong prefix, length or digits, or not a point of the curve.
    #[error("not a key: expected `{expected}` followed by 64 hexadecimal digits")]
    Malformed {
        /// The prefix that was expected.
        expected: &'static str,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness(#[source] getrandom::Error),
}

impl SecretKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// There is none.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::NoRandomness)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key that others need to check signatures of this one.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The text form, to be kept in a file that only its owner can read. Not `Display`, so that it
    /// is not logged by accident.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", hex::encode(self.0.to_bytes()))
    }

    pub(crate) fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        self.0.sign(&message(digest)).to_bytes()
    }
}

impl PublicKey {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Strict: small-order keys and non-canonical signatures are refused.
    pub(crate) fn verifies(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        self.0
            .verify_strict(&message(digest), &Signature::from_bytes(signature))
            .is_ok()
    }
}

fn message(digest: &[u8; 32]) -> Vec<u8> {
    [CONTEXT, digest].concat()
}

fn key_bytes(text: &str, expected: &'static str) -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    text.trim()
        .strip_prefix(expected)
        .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
        .map(|()| bytes)
        .ok_or(KeyError::Malformed { expected })
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        key_bytes(text, SECRET_PREFIX).map(|seed| Self(SigningKey::from_bytes(&seed)))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = key_bytes(text, PUBLIC_PREFIX)?;
        Self::from_bytes(&bytes).ok_or(KeyError::Malformed {
            expected: PUBLIC_PREFIX,
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", hex::encode(self.0.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_from_their_text() {
        let secret = SecretKey::generate().unwrap();
        let again: SecretKey = secret.to_secret_text().parse().unwrap();
        assert_eq!(again.public(), secret.public());
        let public: PublicKey = format!("{}\n", secret.public()).parse().unwrap();
        assert_eq!(public, secret.public());
        for wrong in ["", "seawall-public-key:", "seawall-public-key:zz", "ab"] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
    }
}
