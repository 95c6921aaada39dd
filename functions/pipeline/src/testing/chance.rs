//! Seeded chance, and what goes wrong by it. One seed gives one course of events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::account::Fault;

/// A stream of numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// True so many times in a thousand.
    pub(crate) fn happens(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }
}

fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// How the look-up by our keys lags behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lag {
    /// Every record shows after its own time, at most this long.
    Each(Duration),
    /// All records show so long after their effect: in the order of their effects.
    Ordered(Duration),
}

impl Lag {
    /// The longest time until a record shows.
    pub(crate) fn longest(self) -> Duration {
        match self {
            Self::Each(lag) | Self::Ordered(lag) => lag,
        }
    }
}

/// What goes wrong at the destination and the store, in thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    chance: Chance,
    seed: u64,
    /// Kinds of faults that this weather has, with their share of the writes.
    kinds: Vec<(&'static str, u64)>,
    store_permille: u64,
    pub(crate) lag: Lag,
    /// How often each kind has struck.
    pub(crate) fired: BTreeMap<&'static str, u64>,
}

const KINDS: [(&str, u64); 6] = [
    ("not_sent", 20),
    ("answer_lost", 20),
    ("vanished", 15),
    ("applied_late", 20),
    ("ticket_in_part", 10),
    ("refused", 2),
];

impl Weather {
    /// Nothing goes wrong, and everything shows at once.
    pub(crate) fn fair() -> Self {
        Self {
            chance: Chance::new(0),
            seed: 0,
            kinds: Vec::new(),
            store_permille: 0,
            lag: Lag::Ordered(Duration::ZERO),
            fired: BTreeMap::new(),
        }
    }

    /// A random subset of the kinds: all of them at once would hide what few of them do.
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x77ea_7437);
        let kinds = KINDS.into_iter().filter(|_| chance.happens(600)).collect();
        let store_permille = if chance.happens(500) { 15 } else { 0 };
        let lag = match chance.below(4) {
            0 => Lag::Ordered(Duration::ZERO),
            1 => Lag::Ordered(Duration::from_secs(chance.below(600))),
            _ => Lag::Each(Duration::from_secs(10 + chance.below(20))),
        };
        Self { chance, seed, kinds, store_permille, lag, fired: BTreeMap::new() }
    }

    /// The same without one kind.
    pub(crate) fn without(mut self, kind: &str) -> Self {
        self.kinds.retain(|(held, _)| *held != kind);
        self
    }

    fn strike(&mut self, kind: &'static str) {
        *self.fired.entry(kind).or_default() += 1;
    }

    /// What goes wrong with a write; `is_ticket` ones can arrive in part.
    pub(crate) fn write_fault(&mut self, is_ticket: bool) -> Option<Fault> {
        let kinds = self.kinds.clone();
        let struck = kinds.into_iter().find(|(_, permille)| self.chance.happens(*permille));
        let (kind, _) = struck.filter(|(kind, _)| *kind != "ticket_in_part" || is_ticket)?;
        self.strike(kind);
        Some(match kind {
            "not_sent" => Fault::NotSent,
            "answer_lost" => Fault::AnswerLost,
            "vanished" => Fault::Vanished,
            // Half of them at the very end of a request's life, where the waits have to hold.
            "applied_late" if self.chance.happens(500) => Fault::Late(75 + self.chance.below(14)),
            "applied_late" => Fault::Late(1 + self.chance.below(75)),
            "ticket_in_part" => Fault::Partial,
            _ => Fault::Refused,
        })
    }

    /// Whether the store fails, and whether the object is there all the same.
    pub(crate) fn store_fault(&mut self) -> Option<bool> {
        if !self.chance.happens(self.store_permille) {
            return None;
        }
        let is_there = self.chance.happens(500);
        self.strike(if is_there { "store_answer_lost" } else { "store_failed" });
        Some(is_there)
    }

    /// How long after its effect a record shows.
    pub(crate) fn lag_of(&self, id: u64) -> Duration {
        match self.lag {
            Lag::Ordered(lag) => lag,
            Lag::Each(longest) => {
                let thousandths = mixed(self.seed ^ id.wrapping_mul(0x2545_f491_4f6c_dd1d)) % 1_001;
                longest * u32::try_from(thousandths).unwrap_or(1_000) / 1_000
            }
        }
    }
}
