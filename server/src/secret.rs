//! Secrets that prove who somebody is: tokens, one-time codes, passwords. Only hashes of them are stored.

use crate::Error;
use crate::env::Random;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carboy_protocol::PlantId;
use sha2::{Digest, Sha256};

/// Crockford's base 32: no I, L, O and U, which people misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters in a one-time code: 40 bits, good for minutes and few guesses.
const CODE_LENGTH: usize = 8;

/// Bytes of a token: the plant (so that a sharded store knows where to look), then 32 random ones.
const TOKEN_LENGTH: usize = 16 + 32;

pub(crate) fn random_bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    random.fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// A new token for `plant` and the hash to store.
pub(crate) fn new_token(random: &dyn Random, plant: PlantId) -> Result<(String, [u8; 32]), Error> {
    let mut bytes = [0; TOKEN_LENGTH];
    bytes[..16].copy_from_slice(plant.as_bytes());
    bytes[16..].copy_from_slice(&random_bytes::<32>(random)?);
    Ok((URL_SAFE_NO_PAD.encode(bytes), hash("token", &bytes)))
}

/// The plant and the stored hash of a token; `None` if it is not one.
pub(crate) fn read_token(token: &str) -> Option<(PlantId, [u8; 32])> {
    let bytes: [u8; TOKEN_LENGTH] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
    let mut plant = [0; 16];
    plant.copy_from_slice(&bytes[..16]);
    Some((PlantId::from_bytes(plant), hash("token", &bytes)))
}

/// A random text for the sign-in form of a browser that has no session yet.
pub(crate) fn new_form_token(random: &dyn Random) -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>(random)?))
}

/// What the forms of the session with this token carry, so that no other site can send them.
pub(crate) fn csrf_token(session: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash("csrf", session.as_bytes()))
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ.
pub(crate) fn same_secret(left: &str, right: &str) -> bool {
    hash("same", left.as_bytes()) == hash("same", right.as_bytes())
}

/// A new one-time code, as people read it, and the hash to store.
pub(crate) fn new_code(random: &dyn Random) -> Result<(String, [u8; 32]), Error> {
    let bytes = random_bytes::<CODE_LENGTH>(random)?;
    let mut code: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let hash = hash("code", code.as_bytes());
    code.insert(CODE_LENGTH / 2, '-');
    Ok((code, hash))
}

/// The stored hash of a code as somebody typed it: in small letters, with spaces, with O for 0.
pub(crate) fn hash_code(typed: &str) -> [u8; 32] {
    let code: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    hash("code", code.as_bytes())
}

/// How a new password is hashed: Argon2id with 19 MiB, two passes, one lane, which is what OWASP's Password Storage
/// Cheat Sheet asks for at least.
fn argon2() -> Result<Argon2<'static>, Error> {
    let params =
        Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| Error::Password(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A salted hash of a password as a PHC string, which says how it was made.
pub(crate) fn hash_password(random: &dyn Random, password: &str) -> Result<String, Error> {
    let salt = random_bytes::<16>(random)?;
    let hash: Result<PasswordHash, _> = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| Error::Password(error.to_string()))?.to_string())
}

/// Whether `password` is the one that was hashed.
pub(crate) fn verify_password(password: &str, stored: &str) -> Result<bool, Error> {
    let stored = PasswordHash::new(stored).map_err(|error| Error::Password(error.to_string()))?;
    match argon2()?.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Password(error.to_string())),
    }
}

/// What a brake on attempts is stored under: neither logins nor addresses are to be read there.
pub(crate) fn brake_key(purpose: &str, value: &str) -> [u8; 32] {
    hash(&format!("brake {purpose}"), value.as_bytes())
}

/// SHA-256 with the use in front, so that one kind of secret never passes for another.
fn hash(purpose: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(format!("carboy {purpose} 1\n")).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::SystemRandom;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let (code, stored) = new_code(&SystemRandom).unwrap();
        let spaced = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(hash_code(&code), stored);
        assert_eq!(hash_code(&format!(" {spaced}\n")), stored);
        assert_ne!(hash_code(&code[1..]), stored);
    }

    #[test]
    fn a_token_names_its_plant_and_any_change_is_another_token() {
        let plant = PlantId::from_bytes([7; 16]);
        let (token, stored) = new_token(&SystemRandom, plant).unwrap();
        assert_eq!(read_token(&token), Some((plant, stored)));
        assert_eq!(read_token(&token[1..]), None);
        let other = if token.ends_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{other}", &token[..token.len() - 1]);
        assert_ne!(read_token(&changed), Some((plant, stored)));
    }

    #[test]
    fn a_password_is_recognised_and_another_one_is_not() {
        let stored = hash_password(&SystemRandom, "well water").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify_password("well water", &stored).unwrap());
        assert!(!verify_password("Well water", &stored).unwrap());
        assert!(verify_password("well water", "no hash").is_err());
    }
}
