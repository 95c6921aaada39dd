//! Which records a trial run moves: a small set that shows everything at least once, chosen again by the same seed.
//!
//! Rules are applied one after the other, most important first: the kinds of trouble by how often they occur, then kinds of
//! records, offices, months. Of the records that show what is missing, the one is taken that shows most of what else is
//! missing; the seed decides between equals, and fills what room is left. Deliberately absent: what a record needs to be
//! written (its customer, its team), which the caller takes along.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::spot_check::Stratum;

/// Records of one sample, at the most: more is no sample but a run.
pub const RECORDS_MAX: usize = 10_000;

/// A record with its place in the order that the seed gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    place: u64,
    key: String,
}

/// Takes all records in a stream; memory grows with the number of different combinations, not with the records.
#[derive(Debug)]
pub struct Chooser {
    seed: u64,
    size: usize,
    /// Number of each stratum, and records that show it.
    strata: BTreeMap<Stratum, (usize, u64)>,
    /// The first record of each combination of strata. A second one of the same combination would show nothing new.
    combinations: BTreeMap<BTreeSet<usize>, Place>,
    /// The first records of all, to fill up with.
    lowest: BTreeSet<(Place, BTreeSet<usize>)>,
    records: u64,
}

/// What a stratum is in the full set and in the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The stratum.
    pub stratum: Stratum,
    /// Records of the full set that show it.
    pub of: u64,
    /// Records of the sample that show it.
    pub chosen: u64,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Keys of the records, in order.
    pub keys: BTreeSet<String>,
    /// Every stratum of the full set, in order.
    pub strata: Vec<Shown>,
    /// Records of the full set.
    pub records: u64,
    /// The smallest sample by these rules that shows every stratum.
    pub size_needed: usize,
}

impl Chosen {
    /// Strata that no record of the sample shows.
    pub fn missing(&self) -> impl Iterator<Item = &Shown> {
        self.strata.iter().filter(|shown| shown.chosen == 0)
    }
}

impl Chooser {
    /// A chooser of at most so many records.
    #[must_use]
    pub fn new(seed: u64, size: usize) -> Self {
        Self {
            seed,
            size: size.min(RECORDS_MAX),
            strata: BTreeMap::new(),
            combinations: BTreeMap::new(),
            lowest: BTreeSet::new(),
            records: 0,
        }
    }

    /// Takes a record into account. Each key comes once.
    pub fn offer(&mut self, key: &str, strata: impl IntoIterator<Item = Stratum>) {
        self.records += 1;
        let mut shows = BTreeSet::new();
        for stratum in strata {
            let number = self.strata.len();
            let held = self.strata.entry(stratum).or_insert((number, 0));
            if shows.insert(held.0) {
                held.1 += 1;
            }
        }
        let place = Place { place: self.place(key), key: key.to_owned() };
        match self.combinations.get_mut(&shows) {
            Some(first) if *first <= place => {}
            Some(first) => *first = place.clone(),
            None => drop(self.combinations.insert(shows.clone(), place.clone())),
        }
        self.lowest.insert((place, shows));
        if self.lowest.len() > self.size {
            self.lowest.pop_last();
        }
    }

    fn place(&self, key: &str) -> u64 {
        let digest =
            Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(key.as_bytes()).finalize();
        digest.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
    }

    /// Strata by number, in the order in which room is given to them.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<(u8, u64, &Stratum, usize)> = self
            .strata
            .iter()
            .map(|(stratum, (number, of))| (rank(stratum), *of, stratum, *number))
            .collect();
        order.sort_by(|left, right| {
            let by_rank = left.0.cmp(&right.0);
            by_rank.then(right.1.cmp(&left.1)).then(left.2.cmp(right.2))
        });
        order.into_iter().map(|(_, _, _, number)| number).collect()
    }

    /// Combinations that show everything, in the order in which they are taken.
    fn cover(&self) -> Vec<(&Place, &BTreeSet<usize>)> {
        let order = self.order();
        let mut showing: BTreeMap<usize, Vec<(&Place, &BTreeSet<usize>)>> = BTreeMap::new();
        for (shows, place) in &self.combinations {
            for number in shows {
                showing.entry(*number).or_default().push((place, shows));
            }
        }
        let mut missing: BTreeSet<usize> = order.iter().copied().collect();
        let mut taken = Vec::new();
        for number in order {
            if !missing.contains(&number) {
                continue;
            }
            let news = |shows: &BTreeSet<usize>| shows.iter().filter(|shown| missing.contains(shown)).count();
            let best = showing
                .get(&number)
                .into_iter()
                .flatten()
                .max_by(|left, right| news(left.1).cmp(&news(right.1)).then_with(|| right.0.cmp(left.0)));
            if let Some(&(place, shows)) = best {
                missing.retain(|shown| !shows.contains(shown));
                taken.push((place, shows));
            }
        }
        taken
    }

    /// Chooses.
    #[must_use]
    pub fn choose(self) -> Chosen {
        let cover = self.cover();
        let size_needed = cover.len();
        let mut chosen: BTreeMap<&str, &BTreeSet<usize>> =
            cover.into_iter().take(self.size).map(|(place, shows)| (place.key.as_str(), shows)).collect();
        for (place, shows) in &self.lowest {
            if chosen.len() == self.size {
                break;
            }
            chosen.entry(place.key.as_str()).or_insert(shows);
        }
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for number in chosen.values().copied().flatten() {
            *counts.entry(*number).or_default() += 1;
        }
        let shown = |(stratum, (number, of)): (&Stratum, &(usize, u64))| Shown {
            stratum: stratum.clone(),
            of: *of,
            chosen: counts.get(number).copied().unwrap_or(0),
        };
        Chosen {
            strata: self.strata.iter().map(shown).collect(),
            records: self.records,
            size_needed,
            keys: chosen.into_keys().map(str::to_owned).collect(),
        }
    }
}

/// Kinds of strata in the order in which room is given to them.
fn rank(stratum: &Stratum) -> u8 {
    match stratum {
        Stratum::Trouble(_) => 0,
        Stratum::Object(_) => 1,
        Stratum::Office(_) => 2,
        Stratum::Month(_) => 3,
    }
}
