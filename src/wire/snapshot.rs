//! An engine's state in messages: compressed, cut into parts, and whole again.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::{Wrong, v1};

/// No part is longer, bytes: plans of the same second are not to wait for one.
const PART_BYTES: usize = 1 << 20;
/// No state is longer, bytes. A city of 100 000 junctions takes about 1 GB.
const STATE_BYTES_MAX: u64 = 8 << 30;

/// The parts of a state as it was at `now_ms`, for that slot of the two.
pub fn parts(now_ms: i64, provenance: &v1::Provenance, slot: u32, state: &[u8]) -> Vec<v1::EngineSnapshot> {
    // Writing to memory fails for want of memory alone.
    let packed = zstd::encode_all(state, 1).unwrap_or_default();
    let sha256 = Sha256::digest(&packed).to_vec();
    let chunks = packed.chunks(PART_BYTES);
    let parts = u32::try_from(chunks.len()).unwrap_or(0);
    (0..)
        .zip(chunks)
        .map(|(part, chunk)| v1::EngineSnapshot {
            now_ms,
            provenance: Some(provenance.clone()),
            part,
            parts,
            state: chunk.to_vec(),
            state_sha256: sha256.clone(),
            slot,
        })
        .collect()
}

/// The state that these parts, in order, make.
///
/// # Errors
/// When one is missing or broken.
pub fn whole(parts: &[v1::EngineSnapshot]) -> Result<Vec<u8>, Wrong> {
    let first = parts.first().ok_or_else(|| Wrong::missing("part"))?;
    let fits = |(row, part): (u32, &v1::EngineSnapshot)| part.part == row && part.state_sha256 == first.state_sha256;
    if parts.len() != first.parts as usize || !(0..).zip(parts).all(fits) {
        return Err(Wrong::new("part", parts.len(), format!("parts are not the {} that belong together", first.parts)));
    }
    let packed: Vec<u8> = parts.iter().flat_map(|part| &part.state).copied().collect();
    if Sha256::digest(&packed).as_slice() != first.state_sha256 {
        return Err(Wrong::new("state", packed.len(), "bytes do not have the digest that they should"));
    }
    let mut state = Vec::new();
    let read =
        zstd::Decoder::new(packed.as_slice()).and_then(|unpack| unpack.take(STATE_BYTES_MAX).read_to_end(&mut state));
    read.map_err(|e| Wrong::new("state", packed.len(), format!("bytes cannot be unpacked: {e}")))?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_several_parts_is_whole_again_and_a_broken_one_is_told() {
        // What does not compress.
        let state: Vec<u8> = (0..PART_BYTES as u64 / 20).flat_map(|i| Sha256::digest(i.to_le_bytes())).collect();
        let parts = parts(7, &v1::Provenance::default(), 0, &state);
        assert!(parts.len() > 1);
        assert_eq!(whole(&parts).as_ref(), Ok(&state));
        assert!(whole(&parts[1..]).is_err() && whole(&[]).is_err());
        let mut broken = parts;
        broken[0].state[100] ^= 1;
        assert!(whole(&broken).is_err());
    }
}
