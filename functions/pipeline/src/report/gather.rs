//! Tables of the run -> statements about source records, sorted by record in the scratch folder.
//!
//! Every table is read once, in its own order, without its raw records. Deliberately absent: what the statements mean
//! for a record (see [`records`](super::records)).

use std::collections::{BTreeMap, BTreeSet};

use migration::keys::{ExternalId, TeamKey};
use snapshot::tables::{
    ControlFailure, FoundMessage, MapValue, SourceAgent, SourceCall, SourceCampaign, SourceChatMessage,
    SourceContact, SourceConversation, SourceGroup, SourceLead, SourceOffice, SourceOutcome, WantMessage,
};
use snapshot::{Pass, Row, SnapshotError, TableReader, TableWriter};

use super::known::{Known, Target};
use super::scratch::{
    EXCLUDED, FOUND, MERGED, REJECTED, SET_ASIDE, SOURCE, ScratchFact, TARGET, VALUE_REJECTED,
};
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::extract::part::SourceReject;
use crate::transform::OBJECTS;

/// Tables that may be there; a run that has not come far lacks some.
pub(super) struct Tables {
    contacts: Option<TableReader<SourceContact>>,
    leads: Option<TableReader<SourceLead>>,
    calls: Option<TableReader<SourceCall>>,
    conversations: Option<TableReader<SourceConversation>>,
    chat_messages: Option<TableReader<SourceChatMessage>>,
    agents: Option<TableReader<SourceAgent>>,
    offices: Option<TableReader<SourceOffice>>,
    groups: Option<TableReader<SourceGroup>>,
    campaigns: Option<TableReader<SourceCampaign>>,
    outcomes: Option<TableReader<SourceOutcome>>,
    failures: Option<TableReader<ControlFailure>>,
    values: Option<TableReader<MapValue>>,
    messages: Option<TableReader<WantMessage>>,
    found: Option<TableReader<FoundMessage>>,
}

async fn open<R: Row>(
    ctx: &Context,
    pass: Pass,
    without: &[&str],
) -> Result<Option<TableReader<R>>, ArchiveError> {
    match archive::open::<R>(ctx, &ctx.run, pass).await {
        Ok(reader) => Ok(Some(reader.without(without)?)),
        Err(ArchiveError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Tables {
    /// Opens what is there.
    ///
    /// # Errors
    /// [`ArchiveError`] for damage; a missing table is none.
    pub(super) async fn open(ctx: &Context) -> Result<Self, ArchiveError> {
        const RAW: &[&str] = &["raw_json"];
        let full = Pass::Full;
        Ok(Self {
            contacts: open(ctx, full, RAW).await?,
            leads: open(ctx, full, RAW).await?,
            calls: open(ctx, full, RAW).await?,
            conversations: open(ctx, full, RAW).await?,
            chat_messages: open(ctx, full, &["raw_json", "body_raw", "body_clean"]).await?,
            agents: open(ctx, full, RAW).await?,
            offices: open(ctx, full, RAW).await?,
            groups: open(ctx, full, RAW).await?,
            campaigns: open(ctx, full, RAW).await?,
            outcomes: open(ctx, full, RAW).await?,
            failures: open(ctx, full, &[]).await?,
            values: open(ctx, full, &[]).await?,
            messages: open(ctx, full, &["body_text", "body_html"]).await?,
            found: open(ctx, Pass::After, &["raw_json", "body_text", "body_html"]).await?,
        })
    }

    /// Writes every statement.
    ///
    /// # Errors
    /// What readers and the writer say.
    pub(super) fn gather(
        self,
        known: &Known,
        set_aside: Vec<SourceReject>,
        writer: &mut TableWriter<ScratchFact>,
    ) -> Result<(), SnapshotError> {
        let mut facts = Facts {
            writer,
            known,
            conversations: BTreeMap::new(),
            persons: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        // Rows of files that are no records of their own are missing values, and stand among the failures as such.
        let is_record =
            |reject: &SourceReject| !reject.is_value_only && OBJECTS.contains(&reject.object.as_str());
        for reject in set_aside.into_iter().filter(is_record) {
            let (object, id) = (reject.object, reject.leaddesk_id);
            facts.state(&object, id, SET_ASIDE, Some(reject.code), Some(reject.reason))?;
        }
        for row in self.failures.into_iter().flatten() {
            facts.failure(row?)?;
        }
        for row in self.values.into_iter().flatten() {
            facts.value(row?)?;
        }
        facts.people(self.contacts, self.leads)?;
        facts.conversations(self.conversations, self.chat_messages)?;
        for row in self.calls.into_iter().flatten() {
            facts.source("call", row?.leaddesk_call_id)?;
        }
        for row in self.messages.into_iter().flatten() {
            facts.message(row?)?;
        }
        for row in self.found.into_iter().flatten() {
            facts.found(row?)?;
        }
        facts.organisation(self.agents, self.offices, self.groups)?;
        facts.words(self.campaigns, self.outcomes)
    }
}

/// Writes statements.
struct Facts<'a> {
    writer: &'a mut TableWriter<ScratchFact>,
    known: &'a Known,
    /// Conversations that do not arrive, with state, code and reason: their messages do not either.
    conversations: BTreeMap<String, (&'static str, String, String)>,
    /// Contacts that are part of another one, with the contact that names the person.
    persons: BTreeMap<String, String>,
    /// Kinds with the targets that a record of the source has already.
    taken: BTreeSet<(String, String)>,
}

type Rows<R> = Option<TableReader<R>>;

impl Facts<'_> {
    fn state(
        &mut self,
        object: &str,
        id: String,
        kind: &str,
        code: Option<String>,
        reason: Option<String>,
    ) -> Result<(), SnapshotError> {
        self.writer.push(ScratchFact {
            object: object.to_owned(),
            leaddesk_id: id,
            fact_kind: kind.to_owned(),
            external_id: None,
            gorgias_id: None,
            gorgias_url: None,
            via: None,
            code,
            reason,
        })
    }

    fn source(&mut self, object: &str, id: String) -> Result<(), SnapshotError> {
        self.state(object, id, SOURCE, None, None)
    }

    fn target(&mut self, object: &str, id: String, kind: &str, target: Target) -> Result<(), SnapshotError> {
        self.writer.push(ScratchFact {
            object: object.to_owned(),
            leaddesk_id: id,
            fact_kind: kind.to_owned(),
            external_id: target.external_id,
            gorgias_id: target.id,
            gorgias_url: target.url,
            via: target.via.map(str::to_owned),
            code: target.code,
            reason: target.reason,
        })
    }

    /// A record that is there at the source, and where it should be.
    fn whole(&mut self, object: &str, id: String, target: Target) -> Result<(), SnapshotError> {
        self.source(object, id.clone())?;
        self.target(object, id, TARGET, target)
    }

    fn failure(&mut self, row: ControlFailure) -> Result<(), SnapshotError> {
        let kind = match row.state.as_str() {
            "excluded" => EXCLUDED,
            "value_rejected" => VALUE_REJECTED,
            _ => REJECTED,
        };
        let object = row.object.as_str();
        if object == "conversation" && kind != VALUE_REJECTED {
            let refused = (kind, row.reason_code.clone(), row.reason.clone());
            self.conversations.insert(row.leaddesk_id.clone(), refused);
        }
        let (code, reason) = (Some(row.reason_code), Some(row.reason));
        self.state(object, row.leaddesk_id, kind, code, reason)
    }

    /// Records that share their target with one before them are part of that one.
    fn value(&mut self, row: MapValue) -> Result<(), SnapshotError> {
        let MapValue { value_kind, source_value, target_value: Some(target), reason } = row else {
            return Ok(());
        };
        let object = match value_kind.as_str() {
            "merge" if source_value != target => "contact",
            "campaign_tag" => "campaign",
            "office_team" => "office",
            "group_team" => "group",
            _ => return Ok(()),
        };
        if object == "contact" {
            let person = self.known.customer(&customer(&target));
            self.persons.insert(source_value.clone(), target);
            let merged = Target { via: Some("merged"), code: None, reason: Some(reason), ..person };
            return self.target(object, source_value, MERGED, merged);
        }
        if self.taken.insert((value_kind, target.clone())) {
            return Ok(());
        }
        let same = match object {
            "campaign" => self.known.campaign(&source_value),
            _ => self.known.team(&TeamKey(target)),
        };
        let merged = Target { via: Some("merged"), code: None, reason: Some(reason), ..same };
        self.target(object, source_value, MERGED, merged)
    }

    fn people(
        &mut self,
        contacts: Rows<SourceContact>,
        leads: Rows<SourceLead>,
    ) -> Result<(), SnapshotError> {
        for row in contacts.into_iter().flatten() {
            self.contact(row?.leaddesk_contact_id)?;
        }
        for row in leads.into_iter().flatten() {
            let id = row?.leaddesk_lead_id;
            let target =
                self.known.ticket(&ExternalId::from_stored(format!("{}lead:{id}", ExternalId::PREFIX)));
            self.whole("lead", id, target)?;
        }
        Ok(())
    }

    fn conversations(
        &mut self,
        conversations: Rows<SourceConversation>,
        messages: Rows<SourceChatMessage>,
    ) -> Result<(), SnapshotError> {
        for row in conversations.into_iter().flatten() {
            let id = row?.conversation_id;
            let target = self.known.ticket(&ExternalId::chat(&id));
            self.whole("conversation", id, target)?;
        }
        for row in messages.into_iter().flatten() {
            self.chat_message(&row?)?;
        }
        Ok(())
    }

    fn organisation(
        &mut self,
        agents: Rows<SourceAgent>,
        offices: Rows<SourceOffice>,
        groups: Rows<SourceGroup>,
    ) -> Result<(), SnapshotError> {
        for row in agents.into_iter().flatten() {
            let id = row?.leaddesk_agent_id;
            let target = self.known.agent(&id);
            self.whole("agent", id, target)?;
        }
        for row in offices.into_iter().flatten() {
            let name = row?.office_name;
            let target = self.known.office(&name);
            self.whole("office", name, target)?;
        }
        let mut ids = BTreeSet::new();
        for row in groups.into_iter().flatten() {
            ids.insert(row?.group_id);
        }
        for id in ids {
            let target = self.known.team(&TeamKey(format!("group:{id}")));
            self.whole("group", id, target)?;
        }
        Ok(())
    }

    /// What becomes tags, fields, and values of fields.
    fn words(
        &mut self,
        campaigns: Rows<SourceCampaign>,
        outcomes: Rows<SourceOutcome>,
    ) -> Result<(), SnapshotError> {
        for row in campaigns.into_iter().flatten() {
            let id = row?.leaddesk_campaign_id;
            let target = self.known.campaign(&id);
            self.whole("campaign", id, target)?;
        }
        for row in outcomes.into_iter().flatten() {
            self.whole("outcome", row?.outcome_id, self.known.outcome())?;
        }
        for (slot, object, key) in self.known.slots() {
            let target = self.known.field(object, &key);
            self.whole("field", slot, target)?;
        }
        Ok(())
    }

    fn contact(&mut self, id: String) -> Result<(), SnapshotError> {
        if self.persons.contains_key(&id) {
            return self.source("contact", id);
        }
        let target = self.known.customer(&customer(&id));
        self.whole("contact", id, target)
    }

    fn chat_message(&mut self, row: &SourceChatMessage) -> Result<(), SnapshotError> {
        let id = chat_message_id(ExternalId::chat_message(&row.conversation_id, &row.message_id).as_str());
        if let Some((kind, code, reason)) = self.conversations.get(&row.conversation_id).cloned() {
            self.state("chat_message", id.clone(), kind, Some(code), Some(reason))?;
        }
        self.source("chat_message", id)
    }

    /// Cards of leads come from no record of their own.
    fn message(&mut self, row: WantMessage) -> Result<(), SnapshotError> {
        let Some((object, id)) = source_of(&row.external_id) else { return Ok(()) };
        let target = self.known.message(&ExternalId::from_stored(row.ticket_external_id), &row.external_id);
        self.target(object, id, TARGET, target)
    }

    fn found(&mut self, row: FoundMessage) -> Result<(), SnapshotError> {
        let Some(ours) = row.external_id else { return Ok(()) };
        let Some((object, id)) = source_of(&ours) else { return Ok(()) };
        let target =
            Target { external_id: Some(ours), id: Some(row.gorgias_message_id), ..Target::default() };
        self.target(object, id, FOUND, target)
    }
}

fn customer(contact: &str) -> ExternalId {
    ExternalId::from_stored(format!("{}contact:{contact}", ExternalId::PREFIX))
}

/// Kind and id of the record that a message was made of.
fn source_of(external_id: &str) -> Option<(&'static str, String)> {
    let (kind, rest) = external_id.strip_prefix(ExternalId::PREFIX)?.split_once(':')?;
    match kind {
        "call" => Some(("call", rest.to_owned())),
        "chatmessage" => Some(("chat_message", chat_message_id(external_id))),
        _ => None,
    }
}

/// `<conversation>:<message>`; ids too long for a key are known by its digest.
fn chat_message_id(external_id: &str) -> String {
    let rest = external_id.strip_prefix("leaddesk:chatmessage:").unwrap_or(external_id);
    match rest.split_once(':') {
        Some((length, pair)) if length.parse::<usize>().is_ok() => pair.to_owned(),
        _ => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_known_by_their_source() {
        let ours = |text: &str| source_of(text).map(|(object, id)| format!("{object} {id}"));
        assert_eq!(ours("leaddesk:call:7").as_deref(), Some("call 7"));
        assert_eq!(ours("leaddesk:card:3:7"), None);
        assert_eq!(ours("elsewhere:call:7"), None);
        let short = ExternalId::chat_message("a:b", "m1");
        assert_eq!(ours(short.as_str()).as_deref(), Some("chat_message a:b:m1"));
        let long = ExternalId::chat_message(&"c".repeat(300), "m1");
        assert_eq!(ours(long.as_str()).map(|id| id.len()), Some("chat_message sha256=".len() + 64));
    }
}
