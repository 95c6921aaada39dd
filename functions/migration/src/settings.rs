//! Everything in the mapping that a customer may choose, with its default.
//!
//! Deliberately absent: where accounts and stores are, and secrets; those are configuration of a run, not of a mapping.

use std::collections::{BTreeMap, BTreeSet};

use crate::call_template::CallTemplate;
use crate::canonical::{Canonical, Digest};
use crate::contact_point::Region;
use crate::fields::{Scope, SlotKey, SlotKind};
use crate::gorgias::{self, TicketStatus};
use crate::leaddesk::{self, LeadStatus, Slot};
use crate::local_time::SourceZone;
use crate::mapping::{CarryInto, MappingChoices, RowChoice, RowSubject};
use crate::text::folded;
use crate::users::{GorgiasRole, SourceRole};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every choice, in the order of the documentation; the first is the default unless the settings say otherwise.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in files.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word; anything else is `None`.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == word)
            }
        }
    };
}
pub(crate) use choice;

choice! {
    /// Which levels become tags.
    TagChoice {
        /// The campaign's name and the second level.
        Both = "both",
        /// The campaign's name alone.
        Campaign = "campaign",
        /// The second level alone.
        Project = "project",
    }
}

choice! {
    /// Where the name of the second tag level comes from. Campaign and project are one object in LeadDesk.
    SecondLevel {
        /// The client on whose behalf calls are made.
        Sponsor = "sponsor",
        /// The calling list.
        List = "list",
        /// The project, which is the campaign again.
        Project = "project",
    }
}

choice! {
    /// How a call travels.
    CallChannel {
        /// Never sent, never billed.
        InternalNote = "internal-note",
        /// A message on the phone channel; outgoing ones are pre-dated, and their billing is not documented.
        Phone = "phone",
    }
}

choice! {
    /// How messages of the bot and of agents travel.
    ChatVisibility {
        /// Never sent, never billed.
        InternalNote = "internal-note",
        /// Pre-dated outgoing messages; their billing is not documented.
        Public = "public",
    }
}

choice! {
    /// What becomes of a contact that has no usable email and phone.
    UnreachablePolicy {
        /// A customer without channels.
        Placeholder = "placeholder",
        /// No customer of its own; its leads and calls hang on one common placeholder.
        Reject = "reject",
    }
}

choice! {
    /// What becomes of a number that cannot be normalised.
    UnnormalisablePhone {
        /// A phone channel with the text as it is.
        SendAsIs = "send-as-is",
        /// A text field of the customer.
        KeepAsField = "keep-as-field",
    }
}

choice! {
    /// Who carries a number that several persons have.
    PhoneSharing {
        /// The person with the smallest contact id; Gorgias may hold a number at one customer only.
        FirstPerson = "first-person",
        /// Everyone.
        EveryPerson = "every-person",
    }
}

choice! {
    /// What becomes of recordings.
    RecordingPolicy {
        /// Nothing.
        None = "none",
        /// A link without key or signature, which works while LeadDesk serves it.
        Link = "link",
        /// Re-hosted at Gorgias.
        Upload = "upload",
        /// Kept in the store.
        Archive = "archive",
    }
}

choice! {
    /// What becomes of a conversation without identity.
    AnonymisedChat {
        /// A placeholder customer for each.
        Placeholder = "placeholder",
        /// Not carried, reported.
        Skip = "skip",
    }
}

choice! {
    /// Who wins when both sides changed a field.
    ConflictRule {
        /// A person settles it.
        Ask = "ask",
        /// LeadDesk's value is written.
        SourceWins = "source-wins",
        /// Gorgias' value stays.
        DestinationWins = "destination-wins",
    }
}

choice! {
    /// What becomes of a record at Gorgias whose source vanished from LeadDesk. Nothing is ever deleted.
    VanishedPolicy {
        /// It stays as it is.
        Keep = "keep",
        /// Its ticket gets a tag.
        Tag = "tag",
        /// Its ticket is closed.
        Close = "close",
    }
}

/// A field of contacts that says whether a person may be written to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsentField {
    /// The slot.
    pub slot: Slot,
    /// Where it has this meaning; everywhere when absent.
    pub scope: Option<Scope>,
    /// Values that mean "opted out", compared without case.
    pub opted_out_words: BTreeSet<String>,
}

/// A choice for one slot that overrules inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotChoice {
    /// Not migrated, with the reason.
    Leave(String),
    /// Migrated although it looks sensitive, or with a type of one's own; the purpose is recorded.
    Carry {
        /// Why it may be carried.
        purpose: String,
        /// `None` keeps the inferred type.
        kind: Option<SlotKind>,
    },
}

/// What was chosen for a field, wherever it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldChoice<'a> {
    /// Not migrated, with the reason.
    Leave(&'a str),
    /// Migrated.
    Carry {
        /// Why it may be carried.
        purpose: &'a str,
        /// `None` keeps the inferred type.
        kind: Option<SlotKind>,
        /// `None` keeps the proposed place.
        into: Option<&'a CarryInto>,
    },
}

/// Who an account is, by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChoice<'a> {
    /// This user.
    User(gorgias::UserId),
    /// The service user, with the reason where one was given.
    Placeholder(&'a str),
}

/// Custom fields that an account takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRoom {
    /// Active ticket fields.
    pub ticket: usize,
    /// Active customer fields.
    pub customer: usize,
    /// Active fields of both together, where the account counts so.
    pub both: Option<usize>,
}

impl Default for FieldRoom {
    fn default() -> Self {
        Self { ticket: gorgias::FIELDS_PER_OBJECT_MAX, customer: gorgias::FIELDS_PER_OBJECT_MAX, both: None }
    }
}

/// All choices. Fields are independent of each other, so each may hold any value.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingSettings {
    /// Zone of LeadDesk's zone-less times. Mandatory.
    pub zone: SourceZone,
    /// Country in which numbers without country code are read. Mandatory.
    pub region: Region,
    /// Which levels become tags; default both.
    pub tags: TagChoice,
    /// What the second level is; default the sponsor.
    pub second_level: SecondLevel,
    /// Default internal note.
    pub call_channel: CallChannel,
    /// Default internal note.
    pub chat_visibility: ChatVisibility,
    /// Status of leads that are not finished; default open, since they are work that somebody still has to do.
    pub unfinished_status: TicketStatus,
    /// Default placeholder.
    pub unreachable: UnreachablePolicy,
    /// Default sent as it is.
    pub unnormalisable_phone: UnnormalisablePhone,
    /// Default the first person.
    pub phone_sharing: PhoneSharing,
    /// Default none.
    pub recording: RecordingPolicy,
    /// Default placeholder.
    pub anonymised_chat: AnonymisedChat,
    /// Agents mapped by hand.
    pub users_by_hand: BTreeMap<leaddesk::UserId, gorgias::UserId>,
    /// Agents given to the service user by name.
    pub placeholder_users: BTreeSet<leaddesk::UserId>,
    /// Fields that carry consent; default none.
    pub consent_fields: Vec<ConsentField>,
    /// Slots with a choice of their own.
    pub slot_choices: BTreeMap<SlotKey, SlotChoice>,
    /// Limits of the account.
    pub field_room: FieldRoom,
    /// Text of a call's message.
    pub call_template: CallTemplate,
    /// Rule for every field without its own; default ask.
    pub conflict_default: ConflictRule,
    /// Rules by field name.
    pub conflict_rules: BTreeMap<String, ConflictRule>,
    /// Decisions of a person, row by row; they go before every other choice.
    pub choices: MappingChoices,
}

impl MappingSettings {
    /// The defaults for an account in `zone` whose local numbers belong to `region`.
    #[must_use]
    pub fn new(zone: SourceZone, region: Region) -> Self {
        Self {
            zone,
            region,
            tags: TagChoice::Both,
            second_level: SecondLevel::Sponsor,
            call_channel: CallChannel::InternalNote,
            chat_visibility: ChatVisibility::InternalNote,
            unfinished_status: TicketStatus::Open,
            unreachable: UnreachablePolicy::Placeholder,
            unnormalisable_phone: UnnormalisablePhone::SendAsIs,
            phone_sharing: PhoneSharing::FirstPerson,
            recording: RecordingPolicy::None,
            anonymised_chat: AnonymisedChat::Placeholder,
            users_by_hand: BTreeMap::new(),
            placeholder_users: BTreeSet::new(),
            consent_fields: Vec::new(),
            slot_choices: BTreeMap::new(),
            field_room: FieldRoom::default(),
            call_template: CallTemplate::standard(),
            conflict_default: ConflictRule::Ask,
            conflict_rules: BTreeMap::new(),
            choices: MappingChoices::default(),
        }
    }

    /// The rule for a field.
    #[must_use]
    pub fn conflict_rule(&self, field: &str) -> ConflictRule {
        self.conflict_rules.get(field).copied().unwrap_or(self.conflict_default)
    }

    /// What was chosen for a field of the source; row choices go before those of the slot table.
    #[must_use]
    pub fn field_choice(&self, subject: &RowSubject) -> Option<FieldChoice<'_>> {
        match self.choices.of(subject) {
            Some(RowChoice::Leave { reason }) => return Some(FieldChoice::Leave(reason)),
            Some(RowChoice::Carry { purpose, kind, into }) => {
                return Some(FieldChoice::Carry { purpose, kind: *kind, into: into.as_ref() });
            }
            _ => {}
        }
        let RowSubject::Slot(key) = subject else { return None };
        self.slot_choices.get(key).map(|choice| match choice {
            SlotChoice::Leave(reason) => FieldChoice::Leave(reason),
            SlotChoice::Carry { purpose, kind } => FieldChoice::Carry { purpose, kind: *kind, into: None },
        })
    }

    /// The user that a person named for an account, and the reason of a placeholder, whatever was said last.
    #[must_use]
    pub fn user_choice(&self, user: leaddesk::UserId) -> Option<UserChoice<'_>> {
        match self.choices.of(&RowSubject::User(user)) {
            Some(RowChoice::User(id)) => return Some(UserChoice::User(*id)),
            Some(RowChoice::Placeholder { reason }) => return Some(UserChoice::Placeholder(reason)),
            _ => {}
        }
        if let Some(id) = self.users_by_hand.get(&user) {
            return Some(UserChoice::User(*id));
        }
        self.placeholder_users.contains(&user).then_some(UserChoice::Placeholder(""))
    }

    /// Status of a lead's ticket: by the account's own word first, then by LeadDesk's state, then by the default.
    #[must_use]
    pub fn ticket_status(&self, status: LeadStatus, own_word: &str) -> TicketStatus {
        let chosen = |word: &str| match self.choices.of(&RowSubject::LeadStatus(word.to_owned())) {
            Some(RowChoice::Status(status)) => Some(*status),
            _ => None,
        };
        let by_word = if self.choices.0.is_empty() { None } else { chosen(&folded(own_word)) };
        by_word.or_else(|| chosen(status.as_str())).unwrap_or(match status {
            LeadStatus::Finished => TicketStatus::Closed,
            LeadStatus::Unused | LeadStatus::InCirculation => self.unfinished_status,
        })
    }

    /// Gorgias' role for a LeadDesk role text; see [`gorgias_role`](crate::users::gorgias_role).
    #[must_use]
    pub fn role(&self, text: &str) -> GorgiasRole {
        let Some(role) = SourceRole::from_text(text) else { return GorgiasRole::Observer };
        match self.choices.of(&RowSubject::Role(role)) {
            Some(RowChoice::Role(chosen)) => *chosen,
            _ => role.default_role(),
        }
    }

    /// SHA-256 over all choices; equal exactly when they are equal.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut canonical = Canonical::new("mapping-settings/1");
        self.render(&mut canonical);
        canonical.digest()
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        out.put("zone", self.zone.name()).put("region", self.region);
        out.put("tags", self.tags.as_str()).put("second_level", self.second_level.as_str());
        out.put("call_channel", self.call_channel.as_str());
        out.put("chat_visibility", self.chat_visibility.as_str());
        out.put("unfinished_status", self.unfinished_status.as_str());
        out.put("unreachable", self.unreachable.as_str());
        out.put("unnormalisable_phone", self.unnormalisable_phone.as_str());
        out.put("phone_sharing", self.phone_sharing.as_str());
        out.put("recording", self.recording.as_str());
        out.put("anonymised_chat", self.anonymised_chat.as_str());
        for (from, to) in &self.users_by_hand {
            out.put("user_by_hand", from).put("to", to);
        }
        for user in &self.placeholder_users {
            out.put("placeholder_user", user);
        }
        for field in &self.consent_fields {
            out.put("consent_slot", field.slot).put_option("scope", field.scope);
            for word in &field.opted_out_words {
                out.put("word", word);
            }
        }
        for (key, choice) in &self.slot_choices {
            out.put("slot_choice", key);
            match choice {
                SlotChoice::Leave(reason) => out.put("leave", reason),
                SlotChoice::Carry { purpose, kind } => {
                    out.put("carry", purpose).put_option("kind", kind.map(SlotKind::as_str))
                }
            };
        }
        out.put("room_ticket", self.field_room.ticket).put("room_customer", self.field_room.customer);
        out.put_option("room_both", self.field_room.both);
        out.put("call_template", self.call_template.as_str());
        out.put("conflict_default", self.conflict_default.as_str());
        for (field, rule) in &self.conflict_rules {
            out.put("conflict_field", field).put("rule", rule.as_str());
        }
        self.choices.render(out);
    }
}
