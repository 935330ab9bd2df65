//! Making what is sealed smaller (reference: delivery B11). What a packed payload tells beside its cipher is its
//! length, and nobody mixes what they choose with a secret of ours in one payload.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::get_frame_content_size;

/// The quickest that still finds what FHIR repeats: keys, systems, references.
const LEVEL: i32 = 1;

/// What is larger is never packed, so what claims to be larger is no work of ours.
const LARGEST: u64 = 64 * 1024 * 1024;

/// How a payload was made ready for sealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// It was left as it is.
    None = 0,
    /// One frame of Zstandard (RFC 8878) that says how long the payload is.
    Zstandard = 1,
}

impl Packing {
    /// None: a later version of the gateway packs in a way that this one does not know.
    pub(super) const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Zstandard),
            _ => None,
        }
    }
}

thread_local! {
    // Making one costs more than packing a small referral with it. Without memory for it nothing is packed.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
}

/// A payload made smaller; none: it does not get smaller, and stays as it is.
pub(super) fn packed(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() as u64 > LARGEST {
        return None;
    }
    let mut smaller = vec![0; plain.len()];
    let length =
        COMPRESSOR.with_borrow_mut(|it| it.as_mut()?.compress_to_buffer(plain, &mut smaller).ok())?;
    smaller.truncate(length);
    (length < plain.len()).then_some(smaller)
}

/// A payload as it was. None: it is no frame of ours, or not of `plain_bytes` where its length is known.
pub(super) fn unpacked(packed: &[u8], plain_bytes: Option<u64>) -> Option<Vec<u8>> {
    let claimed = get_frame_content_size(packed).ok().flatten()?;
    if claimed > LARGEST || plain_bytes.is_some_and(|recorded| recorded != claimed) {
        return None;
    }
    // What comes out is never longer than what was claimed, whatever the frame holds.
    let plain = Decompressor::new().ok()?.decompress(packed, usize::try_from(claimed).ok()?).ok()?;
    (plain.len() as u64 == claimed).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_gets_smaller_and_comes_back_as_it_was() {
        let plain = br#"{"system":"http://loinc.org","code":"57133-1"}"#.repeat(40);

        let smaller = packed(&plain).unwrap();

        assert!(smaller.len() * 4 < plain.len(), "{}", smaller.len());
        assert_eq!(unpacked(&smaller, Some(plain.len() as u64)).unwrap(), plain);
        assert_eq!(unpacked(&smaller, None).unwrap(), plain);
    }

    #[test]
    fn what_does_not_get_smaller_is_left_as_it_is() {
        let random: Vec<u8> =
            (0..4096_u64).map(|it| (it.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
        let mut mixed = random.clone();
        aws_lc_rs::rand::fill(&mut mixed).unwrap();

        assert_eq!(packed(b""), None);
        assert_eq!(packed(b"{}"), None);
        assert_eq!(packed(&mixed), None);
    }

    #[test]
    fn a_frame_that_would_become_larger_than_recorded_is_not_unpacked() {
        let smaller = packed(&vec![b'x'; 1 << 20]).unwrap();
        let bomb = zstd::bulk::compress(&vec![b'x'; 65 << 20], LEVEL).unwrap();

        assert!(bomb.len() < 16 << 10);
        assert_eq!(unpacked(&smaller, Some(4096)), None);
        assert_eq!(unpacked(&bomb, None), None);
        assert_eq!(unpacked(&bomb, Some(65 << 20)), None);
    }

    #[test]
    fn what_is_no_whole_frame_of_ours_is_not_unpacked() {
        let smaller = packed(&[b'x'; 4096]).unwrap();
        let two_frames = [smaller.clone(), smaller.clone()].concat();

        for broken in [&b""[..], b"no frame", &smaller[..smaller.len() - 1], &two_frames] {
            assert_eq!(unpacked(broken, Some(4096)), None, "{} bytes", broken.len());
        }
    }
}
