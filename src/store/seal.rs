//! Encryption of payloads, and keyed digests of what they are found by.
//!
//! Each payload has a data key of its own, wrapped by the gateway's key, so that the key can change without
//! rewriting bodies, and dropping the wrapped key destroys the body (reference: delivery B11). What must stay
//! the same for ever, such as the index, is derived from a root key that the ledger itself keeps, sealed.
//!
//! A payload is packed before it is sealed. How stands beside its own key, under the gateway's: nobody can make
//! one be read as the other.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};

use super::packing::{self, Packing};
use super::trail::hex;
use crate::model::sensitive::Sensitive;

const KEY_BYTES: usize = 32;

/// The gateway's key is not there or does not fit.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no file, and the store is not new: making another key would lose what is stored.
    #[error("{0} is missing, but the store is not new: put the key back that the store was made with")]
    Missing(String),
    /// The file does not hold 32 bytes.
    #[error("{0} must hold exactly 32 random bytes")]
    WrongLength(String),
    /// The file cannot be read or made.
    #[error("{0} cannot be read or made: {1}")]
    File(String, std::io::Error),
    /// The store was made with another key.
    #[error("the store was made with another key: put back the key file that belongs to it")]
    DoesNotFit,
}

/// The gateway's 32 byte key, which seals the keys of everything else.
#[derive(Clone, Debug)]
pub struct GatewayKey(Sensitive<[u8; KEY_BYTES]>);

impl GatewayKey {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Sensitive::new(bytes))
    }

    /// Reads the key file; makes one with mode 0600 when there is none and the store is new.
    pub fn read_or_make(file: &Path, store_is_new: bool) -> Result<Self, KeyError> {
        let name = file.display().to_string();
        match fs::read(file) {
            Ok(bytes) => bytes.try_into().map(Self::new).map_err(|_| KeyError::WrongLength(name)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && store_is_new => {
                Self::make(file).map_err(|error| KeyError::File(name, error))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(KeyError::Missing(name)),
            Err(error) => Err(KeyError::File(name, error)),
        }
    }

    /// The bytes, for deriving other keys.
    pub const fn bytes(&self) -> &Sensitive<[u8; KEY_BYTES]> {
        &self.0
    }

    /// Tells keys apart without telling anything about them: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        hex(&derive(&self.0, b"referral-gateway key id")[..8])
    }

    /// Whole or not at all: whatever cuts it off leaves no key file that is short. One that another process made
    /// meanwhile stands, and is used.
    fn make(file: &Path) -> std::io::Result<Self> {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut draft = file.as_os_str().to_owned();
        draft.push(format!(".{}.new", hex(&random_key()[..8])));
        let made = Self::write_and_link(Path::new(&draft), file);
        // What is left behind where this fails is a key of nothing.
        let _ = fs::remove_file(&draft);
        made?;
        fs::File::open(folder)?.sync_all()?;
        fs::read(file)?.try_into().map(Self::new).map_err(|_| std::io::ErrorKind::InvalidData.into())
    }

    /// A link never takes the place of a file that is there, as a rename would.
    fn write_and_link(draft: &Path, file: &Path) -> std::io::Result<()> {
        let mut handle = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        handle.write_all(&random_key())?;
        handle.sync_all()?;
        match fs::hard_link(draft, file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    }
}

/// The gateway's key, and those that it had before, which open what was sealed then.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// Seals whatever is written from now on.
    pub current: GatewayKey,
    /// Only open.
    pub former: Vec<GatewayKey>,
}

impl KeyRing {
    /// A ring of one key.
    pub const fn of(current: GatewayKey) -> Self {
        Self { current, former: Vec::new() }
    }

    /// The present key first.
    pub(super) fn all(&self) -> impl Iterator<Item = &GatewayKey> {
        std::iter::once(&self.current).chain(&self.former)
    }
}

/// The ledger's own key, of which its index and the trail's links are derived. It never changes.
pub(super) struct RootKey(Sensitive<[u8; KEY_BYTES]>);

impl RootKey {
    /// A new one.
    pub(super) fn make() -> Self {
        Self(Sensitive::new(random_key()))
    }

    /// As it is stored, under a key of the gateway.
    pub(super) fn sealed(&self, key: &GatewayKey) -> Vec<u8> {
        seal_with(&key.cipher(), self.0.reveal(), ROOT)
    }

    /// None: it was sealed under another key, or is damaged.
    pub(super) fn open(stored: &[u8], key: &GatewayKey) -> Option<Self> {
        let root = open_with(&key.cipher(), stored, ROOT)?;
        Some(Self(Sensitive::new(root.try_into().ok()?)))
    }

    pub(super) fn derive(&self, label: &[u8]) -> [u8; KEY_BYTES] {
        derive(&self.0, label)
    }
}

/// What the root key belongs to.
const ROOT: &str = "root";

impl GatewayKey {
    fn cipher(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.reveal()).expect("32 bytes fit AES-256")
    }
}

/// Seals and opens payloads, and makes the keyed digests of an index.
pub struct Sealer {
    /// By their ids, the present key first.
    wrapping: Vec<(String, RandomizedNonceKey)>,
    index: hmac::Key,
    notes: RandomizedNonceKey,
}

/// A payload as it is stored.
pub(super) struct Sealed {
    /// Which key of the gateway wrapped the payload's own key.
    pub(super) key_id: String,
    pub(super) wrapped_key: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    /// How long it is in plain, where that is recorded beside it.
    pub(super) plain_bytes: Option<u64>,
}

impl Sealer {
    /// A sealer under these keys.
    pub(super) fn new(keys: &KeyRing, root: &RootKey) -> Self {
        Self {
            wrapping: keys.all().map(|key| (key.id(), key.cipher())).collect(),
            index: hmac::Key::new(hmac::HMAC_SHA256, &root.derive(b"referral-gateway index")),
            notes: RandomizedNonceKey::new(&AES_256_GCM, &root.derive(b"referral-gateway notes"))
                .expect("32 bytes fit AES-256"),
        }
    }

    /// A digest that finds equal values without telling them.
    pub(super) fn index(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.index);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }

    /// Seals a payload. `bound_to` names what it belongs to: under another name it does not open.
    pub(super) fn seal(&self, plain: &[u8], bound_to: &str) -> Sealed {
        let data_key = random_key();
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &data_key).expect("32 bytes fit AES-256");
        let smaller = packing::packed(plain);
        let packing = if smaller.is_some() { Packing::Zstandard } else { Packing::None };
        let (key_id, wrapping) = self.current();
        Sealed {
            key_id: key_id.clone(),
            wrapped_key: seal_with(wrapping, &[&data_key[..], &[packing as u8]].concat(), bound_to),
            ciphertext: seal_with(&cipher, smaller.as_deref().unwrap_or(plain), bound_to),
            plain_bytes: Some(plain.len() as u64),
        }
    }

    /// Opens a payload. None: it is damaged, belongs to something else, is longer than it may be, or its key is
    /// not ours.
    pub(super) fn open(&self, sealed: &Sealed, bound_to: &str) -> Option<Vec<u8>> {
        let unwrapped = self.unwrapped(&sealed.key_id, &sealed.wrapped_key, bound_to)?;
        let (data_key, packing) = unwrapped.split_at_checked(KEY_BYTES)?;
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, data_key).ok()?;
        let opened = open_with(&cipher, &sealed.ciphertext, bound_to)?;
        let packing = match packing {
            // Sealed before anything was packed.
            [] => Packing::None,
            [number] => Packing::from_number(*number)?,
            _ => return None,
        };
        match packing {
            Packing::None => Some(opened),
            Packing::Zstandard => packing::unpacked(&opened, sealed.plain_bytes),
        }
    }

    /// Seals something short that is not kept for long, under a key of the ledger's own that never changes.
    pub(super) fn seal_note(&self, plain: &str, bound_to: &str) -> Vec<u8> {
        seal_with(&self.notes, plain.as_bytes(), bound_to)
    }

    /// Opens such a note. None: it is damaged, or belongs to something else.
    pub(super) fn open_note(&self, sealed: &[u8], bound_to: &str) -> Option<String> {
        String::from_utf8(open_with(&self.notes, sealed, bound_to)?).ok()
    }

    /// A payload's own key under the gateway's present key. None: it cannot be opened.
    pub(super) fn wrapped_anew(&self, key_id: &str, wrapped_key: &[u8], bound_to: &str) -> Option<Vec<u8>> {
        let data_key = self.unwrapped(key_id, wrapped_key, bound_to)?;
        Some(seal_with(&self.current().1, &data_key, bound_to))
    }

    /// The id of the gateway's present key.
    pub(super) fn current_key(&self) -> &str {
        &self.current().0
    }

    fn current(&self) -> &(String, RandomizedNonceKey) {
        self.wrapping.first().expect("a ring has a present key")
    }

    fn unwrapped(&self, key_id: &str, wrapped_key: &[u8], bound_to: &str) -> Option<Vec<u8>> {
        let (_, wrapping) = self.wrapping.iter().find(|(id, _)| id == key_id)?;
        open_with(wrapping, wrapped_key, bound_to)
    }
}

fn seal_with(cipher: &RandomizedNonceKey, plain: &[u8], bound_to: &str) -> Vec<u8> {
    let mut body = plain.to_vec();
    let nonce = cipher
        .seal_in_place_append_tag(Aad::from(bound_to.as_bytes()), &mut body)
        .expect("AES-GCM seals anything below 64 GiB");
    let mut out = nonce.as_ref().to_vec();
    out.append(&mut body);
    out
}

fn open_with(cipher: &RandomizedNonceKey, sealed: &[u8], bound_to: &str) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = body.to_vec();
    let plain = cipher.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut body).ok()?.len();
    body.truncate(plain);
    Some(body)
}

fn derive(key: &Sensitive<[u8; KEY_BYTES]>, label: &[u8]) -> [u8; KEY_BYTES] {
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.reveal());
    let mut out = [0; KEY_BYTES];
    let labels = [label];
    let okm = pseudorandom.expand(&labels, hkdf::HKDF_SHA256).expect("one block can always be derived");
    okm.fill(&mut out).expect("the length is that of one block");
    out
}

fn random_key() -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(current: u8, former: &[u8]) -> Sealer {
        let former = former.iter().map(|byte| GatewayKey::new([*byte; 32])).collect();
        Sealer::new(&KeyRing { current: GatewayKey::new([current; 32]), former }, &RootKey::make())
    }

    #[test]
    fn a_payload_opens_only_under_the_name_it_was_sealed_for() {
        let ours = sealer(7, &[]);

        let sealed = ours.seal(b"Jane Canary", "ref-1|lakeside");

        assert_eq!(ours.open(&sealed, "ref-1|lakeside").unwrap(), b"Jane Canary");
        assert!(ours.open(&sealed, "ref-1|northside").is_none());
        assert!(sealer(8, &[]).open(&sealed, "ref-1|lakeside").is_none());
        assert!(!sealed.ciphertext.windows(4).any(|window| window == b"Jane"));
    }

    #[test]
    fn what_a_former_key_sealed_opens_and_can_be_wrapped_under_the_present_one() {
        let mut sealed = sealer(7, &[]).seal(b"Jane Canary", "ref-1");
        let both = sealer(8, &[7]);

        assert_eq!(both.open(&sealed, "ref-1").unwrap(), b"Jane Canary");
        sealed.wrapped_key = both.wrapped_anew(&sealed.key_id, &sealed.wrapped_key, "ref-1").unwrap();
        sealed.key_id = both.current_key().to_owned();

        assert_eq!(sealer(8, &[]).open(&sealed, "ref-1").unwrap(), b"Jane Canary");
        assert!(sealer(7, &[]).open(&sealed, "ref-1").is_none());
    }

    #[test]
    fn a_payload_is_packed_where_that_makes_it_smaller_and_opens_as_it_was() {
        let ours = sealer(7, &[]);
        let repeating = b"{\"resourceType\":\"Observation\"}".repeat(100);

        let packed = ours.seal(&repeating, "ref-1");
        let short = ours.seal(b"{}", "ref-1");

        assert!(packed.ciphertext.len() * 10 < repeating.len(), "{}", packed.ciphertext.len());
        assert_eq!(short.ciphertext.len(), 2 + 28);
        assert_eq!(ours.open(&packed, "ref-1").unwrap(), repeating);
        assert_eq!(ours.open(&short, "ref-1").unwrap(), b"{}");
    }

    #[test]
    fn what_is_longer_than_recorded_does_not_open() {
        let ours = sealer(7, &[]);
        let sealed = ours.seal(&[b'x'; 4096], "ref-1");

        assert!(ours.open(&Sealed { plain_bytes: Some(4095), ..sealed }, "ref-1").is_none());
    }

    #[test]
    fn a_payload_that_was_sealed_before_anything_was_packed_opens() {
        let ours = sealer(7, &[]);
        let data_key = random_key();
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &data_key).unwrap();
        let sealed = Sealed {
            key_id: ours.current_key().to_owned(),
            wrapped_key: seal_with(&ours.current().1, &data_key, "ref-1"),
            ciphertext: seal_with(&cipher, b"Jane Canary", "ref-1"),
            plain_bytes: Some(11),
        };

        assert_eq!(ours.open(&sealed, "ref-1").unwrap(), b"Jane Canary");
    }

    #[test]
    fn a_note_opens_only_under_the_name_it_was_sealed_for() {
        let ours = sealer(7, &[]);

        let sealed = ours.seal_note("https://lakeside.example/jobs/7", "dlv-1");

        assert_eq!(ours.open_note(&sealed, "dlv-1").as_deref(), Some("https://lakeside.example/jobs/7"));
        assert_eq!(ours.open_note(&sealed, "dlv-2"), None);
    }

    #[test]
    fn a_key_is_made_once_and_only_for_a_new_store() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/gateway.key");

        assert!(matches!(GatewayKey::read_or_make(&file, false), Err(KeyError::Missing(_))));
        let made = GatewayKey::read_or_make(&file, true).unwrap();
        let read = GatewayKey::read_or_make(&file, false).unwrap();

        assert_eq!(made.bytes(), read.bytes());
    }

    #[test]
    fn a_key_file_that_is_there_is_never_replaced_and_no_draft_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.key");
        fs::write(&file, [7; 32]).unwrap();

        let made = GatewayKey::make(&file).unwrap();

        assert_eq!(made.bytes(), &Sensitive::new([7; 32]));
        assert_eq!(fs::read(&file).unwrap(), [7; 32]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_who_make_a_key_at_the_same_time_have_the_same_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.key");
        let make = || GatewayKey::read_or_make(&file, true).unwrap().id();

        let ids: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            makers.into_iter().map(|it| it.join().unwrap()).collect()
        });

        assert!(ids.iter().all(|it| *it == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_short_key_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.key");
        fs::write(&file, "short").unwrap();

        assert!(matches!(GatewayKey::read_or_make(&file, true), Err(KeyError::WrongLength(_))));
        assert_eq!(fs::read(&file).unwrap(), b"short");
    }
}
