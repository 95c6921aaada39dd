//! Campaigns, calling lists and outcomes.

use std::ops::Range;

use crate::generate::Shape;
use crate::generate::chance::small;
use crate::generate::organisation::people::named;
use crate::generate::organisation::{CallingList, Campaign, Dialer, Office, Outcome};
use crate::generate::stamp::Stamp;

const CAMPAIGN_ID_FIRST: u32 = 101;
const LIST_ID_FIRST: u32 = 2_001;
const OUTCOME_ID_FIRST: u32 = 301;

const CAMPAIGNS: [&str; 5] =
    ["Q4-Outbound-SMS", "Talvi-Uudistus 2025", "Inbound-Palvelu", "Vår-Nykund", "q4-outbound-sms"];

const MODES: [&str; 5] = ["Progressive", "Preview", "Manual", "Contact list", "Agent selection"];

/// The standard outcomes (facts: deal, callback, busy, voicemail, no deal), and whether they end the work and whether
/// the call was answered.
const GLOBAL_OUTCOMES: [(&str, bool, bool); 5] = [
    ("Deal", true, true),
    ("Callback", false, true),
    ("Busy", false, false),
    ("Voicemail", false, false),
    ("No deal", true, true),
];

/// Outcomes that every campaign has on its own, so that their names repeat under different ids.
const CAMPAIGN_OUTCOMES: [(&str, bool, bool); 3] =
    [("Sopimus", true, true), ("Wrong number", true, true), ("Offer sent", false, true)];

/// When `Offer sent` of the first campaign got its present name.
const RENAMED: (u32, u32, u32) = (2025, 6, 1);
const FORMER_NAME: &str = "Tarjous lähetetty";

pub(super) fn campaigns(shape: &Shape, sponsors: &[String], offices: &[Office]) -> Vec<Campaign> {
    (0..shape.campaigns)
        .map(|index| {
            let inbound = index % 4 == 2;
            Campaign {
                id: CAMPAIGN_ID_FIRST + index,
                name: named(&CAMPAIGNS, "Campaign", index),
                kind: if inbound { "inbound" } else { "outbound" },
                disabled: shape.trouble && index + 1 == shape.campaigns,
                sponsor: cycled(sponsors, index).cloned(),
                office: cycled(offices, index).filter(|_| index % 3 != 1).map(|office| office.name.clone()),
                created_at: Stamp::civil(2024, 8, 1 + index % 28, 9, 30, 0),
                dialer: Dialer {
                    modes: if inbound {
                        vec![MODES[2]]
                    } else {
                        MODES.iter().copied().skip(index as usize % 2).step_by(2).collect()
                    },
                    waiting_minutes: 60 * (1 + index % 4),
                    wrap_up_seconds: 15 + 5 * (index % 3),
                    notes: format!("Max ringing time {} s;\n\"Busy\" goes back to the end", 20 + index % 20),
                },
            }
        })
        .collect()
}

fn cycled<T>(table: &[T], index: u32) -> Option<&T> {
    table.get(index as usize % table.len().max(1))
}

pub(super) fn lists(shape: &Shape, offices: &[Office]) -> Vec<CallingList> {
    (0..shape.lists)
        .map(|index| {
            let first = small(index as usize % shape.campaigns.max(1) as usize);
            let second = small((index as usize + 1) % shape.campaigns.max(1) as usize);
            // Lists and campaigns are many to many (facts): every third list is called by two campaigns.
            let campaigns = if index % 3 == 2 && first != second { vec![first, second] } else { vec![first] };
            CallingList {
                id: LIST_ID_FIRST + index,
                name: format!("{} lista {}", named(&CAMPAIGNS, "Campaign", u32::from(first)), index + 1),
                campaigns,
                rounds: 3 + index % 3,
                expiry: (index % 2 == 1).then(|| Stamp::civil(2026, 6 + index % 6, 1, 0, 0, 0)),
                office: cycled(offices, index).filter(|_| index % 4 != 3).map(|office| office.name.clone()),
                gone: false,
            }
        })
        .collect()
}

pub(super) fn outcomes(shape: &Shape, campaigns: &[Campaign]) -> Vec<Outcome> {
    let global = GLOBAL_OUTCOMES.iter().map(|outcome| (None, outcome));
    let own = (0_u16..)
        .zip(campaigns)
        .flat_map(|(position, _)| CAMPAIGN_OUTCOMES.iter().map(move |outcome| (Some(position), outcome)));
    (OUTCOME_ID_FIRST..)
        .zip(global.chain(own))
        .map(|(id, (campaign, (name, finalises, answered)))| {
            let renamed = shape.trouble && campaign == Some(0) && *name == "Offer sent";
            let (year, month, day) = RENAMED;
            Outcome {
                id,
                name: (*name).to_owned(),
                campaign,
                finalises: *finalises,
                kind: if *answered { "reached" } else { "not reached" },
                former_name: renamed
                    .then(|| (Stamp::civil(year, month, day, 0, 0, 0), FORMER_NAME.to_owned())),
                answered: *answered,
            }
        })
        .collect()
}

/// Positions of the global outcomes, which stand first.
pub(super) fn global_outcomes() -> Range<u16> {
    0..small(GLOBAL_OUTCOMES.len())
}

/// Positions of a campaign's own outcomes, which follow campaign by campaign; empty without campaign.
pub(super) fn own_outcomes(campaign: u16) -> Range<u16> {
    let own = small(CAMPAIGN_OUTCOMES.len());
    let begin = global_outcomes().end.saturating_add(own.saturating_mul(campaign));
    begin..begin.saturating_add(own)
}
