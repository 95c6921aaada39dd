//! Which records people compare by hand, and what their judgement says of all the others.
//!
//! Chance comes from a seed, so that anybody can draw the same records again. Deliberately absent: the comparison.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

/// Records of one check, at the least: fewer say next to nothing.
pub const RECORDS_MIN: usize = 20;
/// Records of one check, at the most: nobody compares more with care.
pub const RECORDS_MAX: usize = 30;
/// Share of all such checks whose bound holds.
const CONFIDENCE: f64 = 0.95;
/// Halvings of the interval: far below what is printed.
const HALVINGS: u32 = 60;

/// Something of which at least one record is drawn; in the order in which room is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stratum {
    /// A kind of trouble, by its code or word.
    Trouble(String),
    /// A kind of record.
    Object(String),
    /// An office.
    Office(String),
    /// A month.
    Month(String),
}

impl std::fmt::Display for Stratum {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trouble(name) => write!(out, "trouble {name}"),
            Self::Object(name) => write!(out, "object {name}"),
            Self::Office(name) => write!(out, "office {name}"),
            Self::Month(name) => write!(out, "month {name}"),
        }
    }
}

/// Kind and id of a record.
pub type Name = (String, String);

#[derive(Debug, Clone)]
struct Kept {
    place: u64,
    name: Name,
    strata: Vec<Stratum>,
}

/// Draws records from a stream, in memory that does not grow with it.
#[derive(Debug)]
pub struct Sampler {
    seed: u64,
    size: usize,
    first: BTreeMap<Stratum, Kept>,
    lowest: BTreeMap<(u64, Name), Vec<Stratum>>,
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The records with what they stand for, in order.
    pub records: BTreeMap<Name, Vec<Stratum>>,
    /// What there was no room for.
    pub uncovered: Vec<Stratum>,
}

impl Sampler {
    /// A sampler; the size is kept within what people can compare.
    #[must_use]
    pub fn new(seed: u64, size: usize) -> Self {
        let size = size.clamp(RECORDS_MIN, RECORDS_MAX);
        Self { seed, size, first: BTreeMap::new(), lowest: BTreeMap::new() }
    }

    /// Takes a record into account. The same record twice, with other strata, is fine.
    pub fn offer(&mut self, name: &Name, strata: &[Stratum]) {
        let place = self.place(name);
        for stratum in strata {
            if self.first.get(stratum).is_none_or(|kept| (place, name) < (kept.place, &kept.name)) {
                let kept = Kept { place, name: name.clone(), strata: strata.to_vec() };
                self.first.insert(stratum.clone(), kept);
            }
        }
        self.lowest.insert((place, name.clone()), strata.to_vec());
        if self.lowest.len() > self.size {
            self.lowest.pop_last();
        }
    }

    fn place(&self, (object, id): &Name) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(object.as_bytes())
            .chain_update([0])
            .chain_update(id.as_bytes())
            .finalize();
        digest.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
    }

    /// One record of each stratum as far as there is room, then others by chance.
    #[must_use]
    pub fn draw(self) -> Drawn {
        let mut records: BTreeMap<Name, Vec<Stratum>> = BTreeMap::new();
        let mut covered: BTreeSet<Stratum> = BTreeSet::new();
        let mut uncovered = Vec::new();
        for (stratum, kept) in self.first {
            if covered.contains(&stratum) {
                continue;
            }
            if records.len() == self.size {
                uncovered.push(stratum);
                continue;
            }
            covered.extend(kept.strata.iter().cloned());
            records.insert(kept.name, kept.strata);
        }
        for ((_, name), strata) in self.lowest {
            if records.len() == self.size {
                break;
            }
            records.entry(name).or_insert(strata);
        }
        Drawn { records, uncovered }
    }
}

/// The greatest share of wrong records that a sample still allows with 95 % confidence (one-sided, exact binomial, Clopper
/// and Pearson). With none wrong it is about three divided by the number of records.
#[must_use]
pub fn share_wrong_max(judged: u32, wrong: u32) -> f64 {
    if wrong >= judged {
        return 1.0;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if at_most(judged, wrong, middle) > 1.0 - CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Probability of at most so many wrong ones, when each is wrong with this probability.
fn at_most(judged: u32, wrong: u32, share: f64) -> f64 {
    let right = 1.0 - share;
    let mut term = right.powi(i32::try_from(judged).unwrap_or(i32::MAX));
    let mut sum = term;
    for number in 1..=wrong {
        term *= f64::from(judged - number + 1) / f64::from(number) * share / right;
        sum += term;
    }
    sum
}

/// What a tally says and does not say, in plain words.
#[must_use]
pub fn meaning(judged: u32, wrong: u32, unsure: u32) -> Vec<String> {
    if judged == 0 {
        return vec!["Nobody has judged a record yet, which says nothing about any of them".to_owned()];
    }
    let mut lines = vec![format!("{wrong} of {judged} judged records were wrong")];
    let percent = share_wrong_max(judged, wrong) * 100.0;
    lines.push(format!(
        "With 95 % confidence at most {percent:.1} % of records drawn by chance are wrong; it could be none, and it could be that \
         many"
    ));
    if wrong == 0 {
        lines.push(
            "A clean sample does not say that everything is right: it says that large mistakes are unlikely"
                .to_owned(),
        );
    } else {
        lines.push(
            "Each wrong record is worth a look for its cause: others of its kind will be wrong as well"
                .to_owned(),
        );
    }
    if unsure > 0 {
        lines.push(match unsure {
            1 => "1 record was left unsure and is not counted".to_owned(),
            _ => format!("{unsure} records were left unsure and are not counted"),
        });
    }
    lines.push(
        "Part of the records were drawn because they are unusual, not by chance: the figure tends to be worse than the whole"
            .to_owned(),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(object: &str, id: u32) -> Name {
        (object.to_owned(), id.to_string())
    }

    fn world(seed: u64) -> Sampler {
        let mut sampler = Sampler::new(seed, 25);
        for id in 0..5_000 {
            let mut strata =
                vec![Stratum::Object("call".to_owned()), Stratum::Month(format!("2026-{:02}", id % 12 + 1))];
            if id == 4_321 {
                strata.push(Stratum::Trouble("CUS102".to_owned()));
            }
            if id % 1_000 == 7 {
                strata.push(Stratum::Office("North".to_owned()));
            }
            sampler.offer(&name("call", id), &strata);
        }
        sampler.offer(&name("agent", 1), &[Stratum::Object("agent".to_owned())]);
        sampler
    }

    #[test]
    fn every_stratum_has_a_record_and_a_seed_draws_the_same_again() {
        let drawn = world(1).draw();
        assert_eq!(drawn.records.len(), 25);
        assert_eq!(drawn.uncovered, []);
        let covered: BTreeSet<&Stratum> = drawn.records.values().flatten().collect();
        assert_eq!(covered.len(), 1 + 2 + 1 + 12);
        assert!(drawn.records.contains_key(&name("call", 4_321)));
        assert_eq!(drawn, world(1).draw());
        assert_ne!(drawn, world(2).draw());
    }

    #[test]
    fn trouble_comes_first_and_what_has_no_room_is_named() {
        let mut sampler = Sampler::new(1, 1);
        for id in 0..25 {
            sampler.offer(&name("call", id), &[Stratum::Month(format!("month {id:02}"))]);
        }
        sampler.offer(&name("call", 99), &[Stratum::Trouble("X".to_owned())]);
        let drawn = sampler.draw();
        assert_eq!(drawn.records.len(), RECORDS_MIN);
        assert!(drawn.records.contains_key(&name("call", 99)));
        assert_eq!(drawn.uncovered.len(), 6);
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        // One-sided 95 % Clopper-Pearson bounds: 1 - 0.05^(1/n) for none wrong.
        for (judged, wrong, expected) in
            [(30, 0, 0.0950), (20, 0, 0.1391), (30, 1, 0.1486), (30, 3, 0.2386), (10, 10, 1.0), (1, 0, 0.95)]
        {
            let bound = share_wrong_max(judged, wrong);
            assert!((bound - expected).abs() < 0.0006, "{judged} {wrong}: {bound}");
        }
        assert!((share_wrong_max(1_000, 0) - 3.0 / 1_000.0).abs() < 0.000_1, "the rule of three");
    }

    #[test]
    fn nothing_judged_says_nothing() {
        assert_eq!(meaning(0, 0, 5).len(), 1);
        let clean = meaning(30, 0, 0).join("; ");
        assert!(clean.contains("at most 9.5 %") && clean.contains("does not say"), "{clean}");
        assert!(meaning(30, 2, 1).join("; ").contains("1 record was left unsure"));
    }
}
