//! Choices of the mapping as stored.

use std::collections::BTreeMap;

use migration::call_template::CallTemplate;
use migration::fields::SlotKind;
use migration::gorgias::{TicketStatus, UserId};
use migration::local_time::SourceZone;
use migration::settings::{
    AnonymisedChat, CallChannel, ChatVisibility, ConflictRule, ConsentField, FieldRoom, MappingSettings,
    PhoneSharing, RecordingPolicy, SecondLevel, SlotChoice, TagChoice, UnnormalisablePhone,
    UnreachablePolicy,
};
use serde::{Deserialize, Serialize};

use super::Malformed;
use super::choices::{self, ChoiceV2};

/// All choices, words as in the documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsV1 {
    zone: String,
    region: String,
    tags: String,
    second_level: String,
    call_channel: String,
    chat_visibility: String,
    unfinished_status: String,
    unreachable: String,
    unnormalisable_phone: String,
    phone_sharing: String,
    recording: String,
    anonymised_chat: String,
    users_by_hand: BTreeMap<String, u64>,
    placeholder_users: Vec<String>,
    consent_fields: Vec<ConsentFieldV1>,
    slot_choices: BTreeMap<String, SlotChoiceV1>,
    room_ticket: usize,
    room_customer: usize,
    room_both: Option<usize>,
    call_template: String,
    conflict_default: String,
    conflict_rules: BTreeMap<String, String>,
    /// Decisions row by row; absent in the first version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<ChoiceV2>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentFieldV1 {
    slot: u8,
    scope: Option<String>,
    opted_out_words: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum SlotChoiceV1 {
    Leave { reason: String },
    Carry { purpose: String, kind: Option<String> },
}

impl SettingsV1 {
    /// The stored form.
    #[must_use]
    pub fn of(settings: &MappingSettings) -> Self {
        let consent = |field: &ConsentField| ConsentFieldV1 {
            slot: field.slot.number(),
            scope: field.scope.map(|scope| scope.to_string()),
            opted_out_words: field.opted_out_words.iter().cloned().collect(),
        };
        let choice = |choice: &SlotChoice| match choice {
            SlotChoice::Leave(reason) => SlotChoiceV1::Leave { reason: reason.clone() },
            SlotChoice::Carry { purpose, kind } => SlotChoiceV1::Carry {
                purpose: purpose.clone(),
                kind: kind.map(|kind| kind.as_str().to_owned()),
            },
        };
        let rules = settings.conflict_rules.iter();
        Self {
            zone: settings.zone.name().to_owned(),
            region: settings.region.to_string(),
            tags: settings.tags.as_str().to_owned(),
            second_level: settings.second_level.as_str().to_owned(),
            call_channel: settings.call_channel.as_str().to_owned(),
            chat_visibility: settings.chat_visibility.as_str().to_owned(),
            unfinished_status: settings.unfinished_status.as_str().to_owned(),
            unreachable: settings.unreachable.as_str().to_owned(),
            unnormalisable_phone: settings.unnormalisable_phone.as_str().to_owned(),
            phone_sharing: settings.phone_sharing.as_str().to_owned(),
            recording: settings.recording.as_str().to_owned(),
            anonymised_chat: settings.anonymised_chat.as_str().to_owned(),
            users_by_hand: settings.users_by_hand.iter().map(|(from, to)| (from.to_string(), to.0)).collect(),
            placeholder_users: settings.placeholder_users.iter().map(ToString::to_string).collect(),
            consent_fields: settings.consent_fields.iter().map(consent).collect(),
            slot_choices: settings
                .slot_choices
                .iter()
                .map(|(key, made)| (key.to_string(), choice(made)))
                .collect(),
            room_ticket: settings.field_room.ticket,
            room_customer: settings.field_room.customer,
            room_both: settings.field_room.both,
            call_template: settings.call_template.as_str().to_owned(),
            conflict_default: settings.conflict_default.as_str().to_owned(),
            conflict_rules: rules.map(|(field, rule)| (field.clone(), rule.as_str().to_owned())).collect(),
            choices: choices::stored(&settings.choices),
        }
    }

    /// The choices again.
    ///
    /// # Errors
    /// [`Malformed`] for a word that is none of the documented ones.
    pub fn read(self) -> Result<MappingSettings, Malformed> {
        let word = |field: &'static str| move || Malformed { field };
        let zone = SourceZone::new(&self.zone).map_err(|_| Malformed { field: "zone" })?;
        let region = self.region.parse().map_err(|_| Malformed { field: "region" })?;
        let mut settings = MappingSettings::new(zone, region);
        settings.tags = TagChoice::from_word(&self.tags).ok_or_else(word("tags"))?;
        settings.second_level =
            SecondLevel::from_word(&self.second_level).ok_or_else(word("second_level"))?;
        settings.call_channel =
            CallChannel::from_word(&self.call_channel).ok_or_else(word("call_channel"))?;
        settings.chat_visibility =
            ChatVisibility::from_word(&self.chat_visibility).ok_or_else(word("chat_visibility"))?;
        settings.unfinished_status =
            ticket_status(&self.unfinished_status).ok_or_else(word("unfinished_status"))?;
        settings.unreachable =
            UnreachablePolicy::from_word(&self.unreachable).ok_or_else(word("unreachable"))?;
        settings.unnormalisable_phone = UnnormalisablePhone::from_word(&self.unnormalisable_phone)
            .ok_or_else(word("unnormalisable_phone"))?;
        settings.phone_sharing =
            PhoneSharing::from_word(&self.phone_sharing).ok_or_else(word("phone_sharing"))?;
        settings.recording = RecordingPolicy::from_word(&self.recording).ok_or_else(word("recording"))?;
        settings.anonymised_chat =
            AnonymisedChat::from_word(&self.anonymised_chat).ok_or_else(word("anonymised_chat"))?;
        settings.field_room =
            FieldRoom { ticket: self.room_ticket, customer: self.room_customer, both: self.room_both };
        settings.call_template =
            CallTemplate::parse(&self.call_template).map_err(|_| Malformed { field: "call_template" })?;
        settings.conflict_default =
            ConflictRule::from_word(&self.conflict_default).ok_or_else(word("conflict_default"))?;
        self.read_lists(settings)
    }

    fn read_lists(self, mut settings: MappingSettings) -> Result<MappingSettings, Malformed> {
        let malformed = |field: &'static str| Malformed { field };
        for (from, to) in self.users_by_hand {
            settings.users_by_hand.insert(from.parse().map_err(|_| malformed("users_by_hand"))?, UserId(to));
        }
        for user in self.placeholder_users {
            settings.placeholder_users.insert(user.parse().map_err(|_| malformed("placeholder_users"))?);
        }
        for field in self.consent_fields {
            let scope = field.scope.map(|scope| scope.parse().map_err(|_| malformed("consent_fields")));
            settings.consent_fields.push(ConsentField {
                slot: migration::leaddesk::Slot::new(field.slot).ok_or(malformed("consent_fields"))?,
                scope: scope.transpose()?,
                opted_out_words: field.opted_out_words.into_iter().collect(),
            });
        }
        for (key, choice) in self.slot_choices {
            let choice = match choice {
                SlotChoiceV1::Leave { reason } => SlotChoice::Leave(reason),
                SlotChoiceV1::Carry { purpose, kind } => {
                    let kind = kind.map(|kind| SlotKind::from_word(&kind).ok_or(malformed("slot_choices")));
                    SlotChoice::Carry { purpose, kind: kind.transpose()? }
                }
            };
            settings.slot_choices.insert(key.parse().map_err(|_| malformed("slot_choices"))?, choice);
        }
        for (field, rule) in self.conflict_rules {
            let rule = ConflictRule::from_word(&rule).ok_or(malformed("conflict_rules"))?;
            settings.conflict_rules.insert(field, rule);
        }
        settings.choices = choices::read(self.choices)?;
        Ok(settings)
    }
}

/// Gorgias' two words.
pub(super) fn ticket_status(word: &str) -> Option<TicketStatus> {
    [TicketStatus::Open, TicketStatus::Closed].into_iter().find(|status| status.as_str() == word)
}
