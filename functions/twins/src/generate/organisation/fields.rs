//! Labels of the 35 slots, per campaign, and the values that people put into them.

use crate::generate::chance::Chance;
use crate::generate::organisation::{Content, FieldDefinition, FieldKind};

/// Slots on a contact (facts: `other1` to `other35`).
pub(crate) const SLOTS: usize = 35;

/// Campaigns after the first two label only so many slots.
const USUAL_SLOTS: usize = 6;

const CHOICES: [&str; 3] = ["Gold", "Silver", "Bronze"];
const YES_NO: [&str; 2] = ["kyllä", "ei"];

const LABELS: [(&str, Content); SLOTS] = [
    ("Customer number", Content::Number),
    ("Consent SMS", Content::YesNo),
    ("Contract end", Content::Date),
    ("Segment", Content::Choice),
    ("Contact person", Content::Words),
    ("Import data", Content::Nested),
    ("Invoice reference", Content::Number),
    ("Delivery notes", Content::Words),
    ("First order", Content::Date),
    ("Newsletter", Content::YesNo),
    ("Meter number", Content::Number),
    ("Sopimustyyppi", Content::Choice),
    ("Lisätieto", Content::Words),
    ("Laskutusjakso", Content::Number),
    ("Avtalsnummer", Content::Number),
    ("Anmärkning", Content::Words),
    ("Förnyelse", Content::Date),
    ("Kundklass", Content::Choice),
    ("E-faktura", Content::YesNo),
    ("Vertragsnummer", Content::Number),
    ("Größe", Content::Number),
    ("Bemerkung", Content::Words),
    ("Kündigung", Content::Date),
    ("Lepingu nr", Content::Number),
    ("Märkus", Content::Words),
    ("Aegub", Content::Date),
    ("Previous supplier", Content::Words),
    ("Households", Content::Number),
    ("Rooms", Content::Number),
    ("Heating", Content::Choice),
    ("Owner", Content::YesNo),
    ("Moved in", Content::Date),
    ("Referral", Content::Words),
    ("Score", Content::Number),
    ("Source file", Content::Words),
];

/// Per campaign its labels. The second campaign shifts them all by one slot, so that every slot means something else
/// there and every label stands on another slot.
pub(super) fn definitions(campaigns: usize) -> Vec<Vec<FieldDefinition>> {
    (0..campaigns)
        .map(|campaign| {
            let labelled = if campaign < 2 { SLOTS } else { USUAL_SLOTS };
            (1_u8..).take(labelled).map(|slot| definition(slot, usize::from(slot) - 1 + campaign)).collect()
        })
        .collect()
}

fn definition(slot: u8, label: usize) -> FieldDefinition {
    let (label, content) = LABELS[label % SLOTS];
    let (kind, values): (_, &'static [&'static str]) = match content {
        Content::Number => (FieldKind::Number, &[]),
        Content::Choice => (FieldKind::Dropdown, &CHOICES),
        Content::YesNo => (FieldKind::Dropdown, &YES_NO),
        Content::Date | Content::Words | Content::Nested => (FieldKind::Text, &[]),
    };
    FieldDefinition { slot, label, kind, values, content }
}

/// A value of the field; one in fifty does not fit what the field says, because nothing checks uploads.
pub(crate) fn value_for(field: &FieldDefinition, chance: &mut Chance) -> String {
    if chance.per_mille(20) {
        return (*chance.pick(&["?", "n/a", "tuntematon", "-"])).to_owned();
    }
    match field.content {
        Content::Number => format!("{}", chance.between(1, 99_999)),
        Content::YesNo => (*chance.pick(&YES_NO)).to_owned(),
        Content::Date => format!(
            "{:04}-{:02}-{:02}",
            chance.between(2024, 2028),
            chance.between(1, 12),
            chance.between(1, 28)
        ),
        Content::Choice => (*chance.pick(&CHOICES)).to_owned(),
        Content::Words => format!(
            "{} {}",
            chance.pick(&["tarkista", "kolla", "check", "prüfen", "kontrolli"]),
            chance.between(1, 999)
        ),
        Content::Nested => format!("{{\"batch\":{},\"ok\":true}}", chance.between(1, 99)),
    }
}
