//! A generated person: what the same human being shows in every list.
//!
//! Deliberately absent: contact ids and lists. LeadDesk knows no persons, only contacts; a person here is what several
//! contacts have in common, and nothing of it is served as such.

use crate::generate::chance::{Chance, Stream};
use crate::generate::phone;
use crate::generate::words::{self, LANGUAGES, Words};

/// Lines that are set aside for each person.
const LINES: u64 = 3;

/// The number of a person; equal numbers of one seed are the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) seed: u64,
    pub(crate) number: u32,
}

impl Person {
    fn chance(self) -> Chance {
        Chance::of(self.seed, Stream::Person, u64::from(self.number))
    }

    pub(crate) fn words(self) -> &'static Words {
        let language = match self.chance().below(1000) {
            0..550 => 0,
            550..700 => 1,
            700..800 => 2,
            800..900 => 3,
            _ => 4,
        };
        LANGUAGES[language]
    }

    /// Given and family name.
    pub(crate) fn name(self) -> (String, String) {
        let words = self.words();
        let mut chance = self.chance();
        chance.draw();
        let given = (*chance.pick(words.given)).to_owned();
        let family = format!("{}{}", chance.pick(words.family_heads), chance.pick(words.family_tails));
        (given, family)
    }

    /// The one address of the person, if there is one; no two persons have the same.
    pub(crate) fn email(self) -> Option<String> {
        let mut chance = Chance::of(self.seed ^ 1, Stream::Person, u64::from(self.number));
        if !chance.per_mille(780) {
            return None;
        }
        let (given, family) = self.name();
        let domain = chance.pick(self.words().domains);
        Some(format!("{}.{}{}@{domain}", words::ascii_fold(&given), words::ascii_fold(&family), self.number))
    }

    /// The raw form of one of the person's lines; the first line of some is that of somebody else in the household.
    pub(crate) fn phone(self, slot: u8, style: u32) -> String {
        let owner = if slot == 0 { self.household() } else { self };
        let index = u64::from(owner.number) * LINES + u64::from(slot);
        let (country, national) = phone::line(owner.words().code, self.seed, index);
        phone::raw(country, &national, style)
    }

    /// The person whose line the household shares: oneself for most.
    fn household(self) -> Self {
        if !self.shares_line() || self.number == 0 {
            return self;
        }
        let neighbour = Self { number: self.number - 1, ..self };
        // Chains are cut, so that no line belongs to more than two people.
        if neighbour.shares_line() { self } else { neighbour }
    }

    fn shares_line(self) -> bool {
        Chance::of(self.seed, Stream::Household, u64::from(self.number)).per_mille(40)
    }
}
