//! Who was who at LeadDesk, and who is who, over all contacts of two readings.
//!
//! Contacts whose cards are as they were are read once and count for both. Deliberately absent: what follows from it
//! (see [`changed`](super::changed)).

use std::collections::BTreeSet;
use std::sync::Arc;

use migration::contact_point::Region;
use migration::leaddesk::ContactId;
use migration::person::{ContactIdentity, Normalised, Persons, Resolver};
use snapshot::Key;
use snapshot::tables::SourceContact;

use super::differing::Differing;
use super::error::TransformError;
use super::records;
use crate::archive;
use crate::context::Context;
use crate::extract::since::Since;
use crate::wish;

/// What identifies somebody.
const IDENTIFYING: [&str; 6] =
    ["phone_raw", "phone_e164", "phones_joined", "first_name", "last_name", "email_normalized"];

/// Who was who, and who is who.
pub(super) struct Both {
    old: Persons,
    pub(super) new: Arc<Persons>,
    /// Where local numbers are read.
    pub(super) region: Region,
}

impl Both {
    /// Everybody who belongs, or belonged, to a person of one of these.
    pub(super) fn closure(&self, seeds: impl IntoIterator<Item = ContactId>) -> BTreeSet<ContactId> {
        let mut open: Vec<ContactId> = seeds.into_iter().collect();
        let mut all = BTreeSet::new();
        while let Some(contact) = open.pop() {
            if !all.insert(contact) {
                continue;
            }
            for persons in [&self.old, &*self.new] {
                let members = persons.person_of(contact).map(|person| persons.members(person));
                open.extend(members.into_iter().flatten().filter(|member| !all.contains(member)));
            }
        }
        all
    }
}

/// Resolves both readings.
pub(super) async fn is_who(
    ctx: &Context,
    since: &Since,
    differing: &Differing,
) -> Result<Both, TransformError> {
    let region = ctx.mapping.region;
    let new = archive::open::<SourceContact>(ctx, &ctx.run, ctx.pass).await?.with_only(&IDENTIFYING)?;
    let before = since.open::<SourceContact>().await?.with_only(&IDENTIFYING)?;
    let (contacts, cards) = (differing.contacts.clone(), differing.cards.clone());
    tokio::task::spawn_blocking(move || {
        let (mut same, mut changed) = (Resolver::new(), Vec::new());
        for row in new {
            let Some(identity) = identity(row?, region) else { continue };
            if cards.contains(&identity.id) {
                changed.push(identity);
            } else {
                same.add(identity);
            }
        }
        let (mut old_side, mut new_side) = (same.clone(), same);
        changed.into_iter().for_each(|identity| new_side.add(identity));
        let keys: BTreeSet<Key> = contacts.iter().map(|contact| wish::parent(&contact.to_string())).collect();
        for row in before.only(&keys)? {
            if let Some(identity) = identity(row?, region) {
                old_side.add(identity);
            }
        }
        Ok(Both { old: old_side.finish(), new: Arc::new(new_side.finish()), region })
    })
    .await?
}

fn identity(row: SourceContact, region: Region) -> Option<ContactIdentity> {
    // Further numbers come first only where there is no primary one.
    let phone = row.phone_raw.as_ref().and_then(|_| row.phone_e164.clone());
    let normalised = Normalised { email: row.email_normalized.clone(), phone };
    let contact = records::contact(row, Vec::new()).ok()?;
    Some(ContactIdentity::of_normalised(&contact, normalised, region))
}
