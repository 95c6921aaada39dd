//! Seeded chance: every draw is a function of the seed, a stream and a record number.
//!
//! Deliberately absent: any state between records. A record can be computed again at any time, alone, and gives the
//! same bytes; that is what lets an account of any size start at once. Not for secrets: the mixing is SplitMix64.

/// Which property a sequence of draws decides, so that adding a draw to one never moves another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Person = 1,
    Household,
    PhoneStyle,
    ContactLinks,
    ContactText,
    ContactFields,
    PhoneUpdates,
    Memberships,
    Calls,
    CallText,
    Organisation,
    Blacklist,
    Conversations,
    Finalised,
    Later,
}

/// One sequence of draws.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    /// The draws of one record in one stream.
    pub(crate) fn of(seed: u64, stream: Stream, record: u64) -> Self {
        let stream = stream as u64;
        Self { state: mix(mix(seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(record)) }
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.draw() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("a product of two 32-bit numbers, shifted by 32, fits 32 bits")
    }

    /// Uniform in `from..=to`.
    pub(crate) fn between(&mut self, from: u32, to: u32) -> u32 {
        from + self.below(to - from + 1)
    }

    /// True in `share` of a thousand draws.
    pub(crate) fn per_mille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(narrow(choices.len())) as usize]
    }
}

/// A count that fits 32 bits; accounts larger than that are refused by the shape.
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("the shape bounds every count far below four billion")
}

/// A count that fits 16 bits, for tables of the organisation.
pub(crate) fn small(count: usize) -> u16 {
    u16::try_from(count).expect("the shape bounds every table of the organisation below 65,535")
}

/// A stable 64-bit hash of text, for look-up tables that must not change between runs.
pub(crate) fn hash_text(text: &str) -> u64 {
    // FNV-1a, then mixed: short, dependency-free, and equal on every machine.
    let folded = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    mix(folded)
}

/// The SplitMix64 finaliser.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_stream_and_record_alone() {
        let first = Chance::of(7, Stream::Person, 3).draw();
        assert_eq!(first, Chance::of(7, Stream::Person, 3).draw());
        for other in [
            Chance::of(8, Stream::Person, 3),
            Chance::of(7, Stream::Calls, 3),
            Chance::of(7, Stream::Person, 4),
        ] {
            assert_ne!(first, other.clone().draw());
        }
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_it() {
        let mut chance = Chance::of(1, Stream::Calls, 0);
        let mut seen = [0_u32; 7];
        for _ in 0..7000 {
            seen[chance.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }
}
