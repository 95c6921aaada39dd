//! Generates an account from its shape, in one pass per table.
//!
//! Deliberately absent: texts. Records hold what cannot be computed from a position; the rest is computed when asked for,
//! so that an account of a million records starts at once and stays small.

use std::collections::{BTreeMap, BTreeSet};

use crate::generate::account::Account;
use crate::generate::call::{CallRecord, NO_CONTACT, NONE, Recording};
use crate::generate::chance::{Chance, Stream, narrow, small};
use crate::generate::contact::{ContactRecord, NO_LIST};
use crate::generate::index::{Grouped, Index, by_list};
use crate::generate::organisation::{BlacklistEntry, Organisation};
use crate::generate::phone;
use crate::generate::shape::{Shape, ShapeError};
use crate::generate::stamp::Stamp;
use crate::generate::trouble;

/// Working days over which calls are spread: 76 weeks from Monday 2024-09-02.
const CALL_DAYS: u32 = 380;
/// Seconds of a working day, 9:00 to 20:00.
const WORKDAY_SECONDS: u32 = 11 * 3600;
const WORKDAY_OPENS: u32 = 9 * 3600;

/// A repeated person is drawn from so many contacts before.
const REPEAT_REACH: u32 = 400;

impl Account {
    /// The account of a shape; equal shapes give equal accounts.
    ///
    /// # Errors
    /// When the shape contradicts itself, or is too small for the trouble it wishes.
    pub fn generate(shape: Shape) -> Result<Self, ShapeError> {
        shape.check()?;
        let organisation = Organisation::generate(&shape);
        let mut account = Self {
            shape,
            organisation,
            blacklist: Vec::new(),
            contacts: Vec::new(),
            texts: BTreeMap::new(),
            phone_updates: BTreeMap::new(),
            calls: Vec::new(),
            comments: BTreeMap::new(),
            short_rows: BTreeSet::new(),
            persons: 0,
            index: Index::default(),
            planted: Vec::new(),
        };
        account.add_contacts();
        if account.shape.trouble {
            trouble::plant_contacts(&mut account);
        }
        account.add_memberships();
        account.add_calls();
        account.calls.sort_by_key(|call| (call.created_at, call.sequence));
        account.refresh();
        account.finalise();
        account.add_blacklist();
        if account.shape.trouble {
            trouble::record(&mut account);
        }
        Ok(account)
    }

    fn add_contacts(&mut self) {
        let seed = self.shape.seed;
        let lists = small(self.organisation.lists.len());
        let fixed = if self.shape.trouble { trouble::RESERVED } else { 0 };
        self.contacts.reserve_exact(self.shape.contacts as usize);
        for position in 0..self.shape.contacts {
            let mut chance = Chance::of(seed, Stream::Memberships, u64::from(position));
            let mut list = small(chance.below(u32::from(lists)) as usize);
            let again = position > fixed && chance.per_mille(self.shape.repeats_permille);
            let back = chance.between(1, (position - fixed.min(position)).clamp(1, REPEAT_REACH));
            let person = if again {
                let earlier = self.contacts[(position - back) as usize];
                if earlier.lists[0] == list {
                    list = (list + 1) % lists;
                }
                earlier.person
            } else {
                self.persons += 1;
                self.persons - 1
            };
            let phones = match chance.below(100) {
                0..84 => 1,
                84..96 => 2,
                _ => 3,
            };
            self.contacts.push(ContactRecord {
                person,
                updated_at: working_time(chance.below(CALL_DAYS * WORKDAY_SECONDS)),
                lists: [list, NO_LIST],
                finalised: [false; 2],
                phones,
                alive: true,
            });
        }
    }

    /// Puts as many contacts into a second list as there are more leads than contacts.
    fn add_memberships(&mut self) {
        let surplus = self.shape.leads - self.shape.contacts;
        let reserved = if self.shape.trouble { trouble::RESERVED } else { 0 };
        let free = self.shape.contacts - reserved;
        let (first, free) = if surplus <= free { (reserved, free) } else { (0, self.shape.contacts) };
        let lists = narrow(self.organisation.lists.len());
        for number in 0..surplus {
            let offset = u64::from(number) * u64::from(free) / u64::from(surplus);
            let position = first + u32::try_from(offset).expect("an offset below a 32-bit count");
            let mut chance = Chance::of(self.shape.seed ^ 1, Stream::Memberships, u64::from(position));
            let record = &mut self.contacts[position as usize];
            let step = 1 + chance.below(lists - 1);
            record.lists[1] = small(((u32::from(record.lists[0]) + step) % lists) as usize);
        }
    }

    fn add_calls(&mut self) {
        let all = self.shape.calls;
        let step = (CALL_DAYS * WORKDAY_SECONDS / all.max(1)).max(1);
        let mut sequence = 0;
        self.calls.reserve_exact(all as usize);
        if self.shape.trouble {
            let planted = trouble::calls(self);
            sequence = narrow(planted.len());
            self.calls.extend(planted);
        }
        let spread = u64::from(CALL_DAYS) * u64::from(WORKDAY_SECONDS) - u64::from(step);
        while sequence < all {
            let begin = u64::from(sequence) * spread / u64::from(all);
            let mut chance = Chance::of(self.shape.seed, Stream::Calls, u64::from(sequence));
            let second = u32::try_from(begin).expect("a second of the spread") + chance.below(step);
            let contact = self.draw_contact(sequence, &mut chance);
            self.calls.push(self.draw_call(sequence, contact, working_time(second), &mut chance));
            sequence += 1;
        }
    }

    /// One ordinary call.
    pub(crate) fn draw_call(
        &self,
        sequence: u32,
        contact: u32,
        created_at: Stamp,
        chance: &mut Chance,
    ) -> CallRecord {
        let campaign = self.draw_campaign(contact, chance);
        let answers =
            self.organisation.campaigns.get(usize::from(campaign)).is_some_and(|it| it.kind == "inbound");
        let inbound = chance.per_mille(if answers { 600 } else { 30 });
        let agents = &self.organisation.agents;
        let agent = if agents.is_empty() { NONE } else { *chance.pick(agents) };
        let answered = chance.per_mille(780);
        let longest = if chance.per_mille(80) { 1_800 } else { 300 };
        let talk = if answered { small(chance.between(4, longest) as usize) } else { 0 };
        let phones = if contact == NO_CONTACT { 1 } else { self.contacts[contact as usize].phones };
        let recording = match chance.below(100) {
            _ if !answered => Recording::None,
            0..25 => Recording::None,
            25..28 => Recording::Gone,
            _ => Recording::Kept,
        };
        CallRecord {
            sequence,
            contact,
            created_at,
            // A missed call from outside has nobody who took it.
            agent: if inbound && !answered { NONE } else { agent },
            campaign,
            outcome: if inbound && !answered { NONE } else { self.draw_outcome(campaign, answered, chance) },
            talk,
            slot: u8::try_from(chance.below(u32::from(phones))).expect("a contact has at most three numbers"),
            inbound,
            recording,
        }
    }

    fn draw_contact(&self, sequence: u32, chance: &mut Chance) -> u32 {
        let fixed = if self.shape.trouble { trouble::RESERVED } else { 0 };
        let free = self.shape.contacts.saturating_sub(fixed);
        let (stranger, choice) = (chance.per_mille(25), chance.below(free));
        // Spread evenly: the busiest contact gets this call when its share grows with it.
        let share = |calls: u32| {
            u64::from(calls) * u64::from(self.shape.busiest_calls) / u64::from(self.shape.calls.max(1))
        };
        if free > 0 && share(sequence + 1) > share(sequence) {
            return fixed;
        }
        let reachable = free > 0 && self.contacts[(fixed + choice) as usize].phones > 0;
        if stranger || !reachable { NO_CONTACT } else { fixed + choice }
    }

    fn draw_campaign(&self, contact: u32, chance: &mut Chance) -> u16 {
        let campaigns = small(self.organisation.campaigns.len());
        if contact == NO_CONTACT {
            return if campaigns == 0 { NONE } else { small(chance.below(u32::from(campaigns)) as usize) };
        }
        let record = &self.contacts[contact as usize];
        let memberships = record.memberships().count();
        let list = record.lists[chance.below(narrow(memberships)) as usize];
        *chance.pick(&self.organisation.lists[usize::from(list)].campaigns)
    }

    fn draw_outcome(&self, campaign: u16, answered: bool, chance: &mut Chance) -> u16 {
        let positions = self.organisation.outcomes_for(campaign);
        let fits = |position: &u16| self.organisation.outcomes[usize::from(*position)].answered == answered;
        let fitting = positions.clone().filter(fits).count();
        positions.filter(fits).nth(chance.below(narrow(fitting)) as usize).unwrap_or(NONE)
    }

    /// Work on a contact has ended where its last call says so, and for some others.
    fn finalise(&mut self) {
        for position in 0..narrow(self.contacts.len()) {
            let last = self.index.calls.of(position as usize).last();
            let ended = last
                .and_then(|call| self.outcome_at(&self.calls[*call as usize]))
                .is_some_and(|it| it.finalises);
            let mut chance = Chance::of(self.shape.seed, Stream::Finalised, u64::from(position));
            self.contacts[position as usize].finalised =
                [ended || chance.per_mille(60), chance.per_mille(300)];
        }
    }

    fn add_blacklist(&mut self) {
        for position in 0..narrow(self.contacts.len()) {
            let mut chance = Chance::of(self.shape.seed, Stream::Blacklist, u64::from(position));
            if !chance.per_mille(10) {
                continue;
            }
            let Some(raw) = self.phones_at(position).into_iter().next() else { continue };
            let number = if chance.per_mille(500) { phone::dialled(&raw) } else { raw };
            let sponsors = &self.organisation.sponsors;
            let scoped = chance.per_mille(300) && !sponsors.is_empty();
            let sponsor = scoped.then(|| chance.pick(sponsors).clone());
            let created_at = working_time(chance.below(CALL_DAYS * WORKDAY_SECONDS));
            self.blacklist.push(BlacklistEntry { number, sponsor, created_at });
        }
    }

    /// Builds the look-up tables anew.
    pub(crate) fn refresh(&mut self) {
        let contacts = narrow(self.contacts.len());
        let mut index = Index {
            lists: by_list(&self.contacts, self.organisation.lists.len()),
            calls: Grouped::new(self.contacts.len(), narrow(self.calls.len()), |call| {
                let contact = self.calls[call as usize].contact;
                (contact < contacts).then_some(contact as usize).into_iter()
            }),
            ..Index::default()
        };
        for position in self.positions() {
            for raw in self.phones_at(position) {
                index.dialled.add(&phone::dialled(&raw), position);
                index.raw.add(&raw, position);
            }
            index.emails.add(&self.email_at(position), position);
            index.sscs.add(&self.ssc_at(position), position);
        }
        for (position, call) in (0..).zip(&self.calls) {
            if call.contact == NO_CONTACT {
                index.strangers.add(&call.stranger_number(self.shape.seed), position);
            }
        }
        for table in
            [&mut index.raw, &mut index.dialled, &mut index.emails, &mut index.sscs, &mut index.strangers]
        {
            table.seal();
        }
        self.index = index;
    }
}

/// The local time after so many seconds of work.
fn working_time(second: u32) -> Stamp {
    let workday = second / WORKDAY_SECONDS;
    let day = workday / 5 * 7 + workday % 5;
    Stamp::civil(2024, 9, 2, 0, 0, 0).plus(day * 86_400 + WORKDAY_OPENS + second % WORKDAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_work_on_weekdays_by_day() {
        for second in (0..CALL_DAYS * WORKDAY_SECONDS).step_by(1_777) {
            let stamp = working_time(second);
            assert!(stamp.weekday() < 5, "{stamp}");
            let time = stamp.to_string()[11..].to_owned();
            assert!(("09:00:00".."20:00:00").contains(&time.as_str()), "{stamp}");
        }
    }
}
