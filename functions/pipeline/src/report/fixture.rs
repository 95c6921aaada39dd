//! What the store holds after a small run, made by hand: four contacts, three calls, two agents, an office, a campaign.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::contact_point::Region;
use migration::gorgias::{TagId, TeamId, UserId};
use migration::keys::{ExternalId, TeamKey};
use migration::leaddesk::{Campaign, CampaignId, Office, User};
use migration::local_time::SourceZone;
use migration::mapping::{ConfirmedMapping, MappingProposal, ProposalInput, Reviewer};
use migration::settings::MappingSettings;
use snapshot::Row;
use snapshot::tables::{
    ControlFailure, MapValue, SourceAgent, SourceCall, SourceCampaign, SourceContact, SourceOffice,
    WantMessage,
};

use super::seal;
use crate::archive;
use crate::context::Context;
use crate::documents;
use crate::documents::mapping::{StoredMapping, StoredPointer};
use crate::extract::part::{self, PartRecord, SourceReject};
use crate::ledger::stored::{IntentV1, NoteV1, ReceiptV1};
use crate::ledger::{Ledger, Opening, key};
use crate::plan::{self, BucketV1, PlanV1, StoredPlan};
use crate::prepare::directory::Directory;
use crate::reconcile::verdict::{Difference, ObjectTally, WaveVerdict};
use crate::run_folder;
use crate::transform::{Balance, ObjectCounts, StoredCounts};
use crate::wave::Wave;

const AT: &str = "2026-09-21T12:00:00Z";

pub(crate) fn at() -> Timestamp {
    AT.parse().expect("a moment")
}

pub(crate) async fn seal_rows<R: Row>(ctx: &Context, rows: Vec<R>) {
    let sealed = seal(ctx, rows).expect("rows of ours");
    archive::publish(ctx, sealed).await.expect("stored");
}

pub(crate) fn contact(id: &str) -> SourceContact {
    SourceContact {
        leaddesk_contact_id: id.into(),
        phone_raw: Some("+358000000001".into()),
        phone_e164: None,
        phones_joined: None,
        first_name: Some("Ada".into()),
        last_name: Some("Example".into()),
        email_raw: Some("ada@example.com".into()),
        email_normalized: None,
        web_address: None,
        street_address: None,
        postcode: None,
        city: None,
        country: None,
        job_title: None,
        company_name: None,
        company_registration: None,
        vat_number: None,
        comment: Some("private remark".into()),
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

fn call(id: &str) -> SourceCall {
    SourceCall {
        leaddesk_call_id: id.into(),
        created_at: at(),
        created_at_raw: "2026-09-21 15:00:00".into(),
        source_tz: "Europe/Helsinki".into(),
        dst_note: None,
        talk_seconds: Some(10),
        talk_start_raw: None,
        talk_end_raw: None,
        handling_stop_raw: None,
        agent_id: None,
        agent_username: None,
        agent_group_id: None,
        agent_group_name: None,
        number_raw: Some("+358000000001".into()),
        number_e164: None,
        campaign_id: None,
        campaign_name: None,
        leaddesk_contact_id: Some("1001".into()),
        outcome_id: None,
        outcome_name: None,
        comment: None,
        recording_file: None,
        direction: None,
        call_type: None,
        call_type_name: None,
        order_ids: None,
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

fn call_message(id: &str) -> WantMessage {
    WantMessage {
        ticket_external_id: "leaddesk:calls:contact:1001".into(),
        position: id.parse().expect("a number"),
        external_id: format!("leaddesk:call:{id}"),
        kind: "note".into(),
        channel: "internal-note".into(),
        is_from_agent: true,
        is_public: false,
        sender_kind: "service".into(),
        sender_agent_id: None,
        sent_at: at(),
        body_text: "private remark".into(),
        body_html: "private remark".into(),
        leaddesk_id: Some(id.into()),
    }
}

pub(crate) fn agent(id: &str, role: &str, is_active: bool) -> SourceAgent {
    SourceAgent {
        leaddesk_agent_id: id.into(),
        agent_name: format!("Agent {id}"),
        username: format!("agent{id}"),
        email_raw: None,
        email_normalized: None,
        role_raw: role.into(),
        is_active,
        office_name: Some("North".into()),
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

pub(crate) fn office(name: &str, zone: Option<&str>) -> SourceOffice {
    SourceOffice {
        office_name: name.into(),
        time_zone: zone.map(str::to_owned),
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

pub(crate) fn campaign(id: &str, name: &str) -> SourceCampaign {
    SourceCampaign {
        leaddesk_campaign_id: id.into(),
        campaign_name: name.into(),
        campaign_type: Some("outbound".into()),
        is_disabled: false,
        sponsor_name: Some("Sponsor A".into()),
        source_row_hash: String::new(),
        extracted_at: at(),
        source_page: "page".into(),
        is_deleted: false,
        raw_json: "{}".into(),
    }
}

/// Agent 17 is matched, agent 18 has no email and left; one office, one campaign with sponsor.
pub(crate) fn mapping() -> ConfirmedMapping {
    let zone = SourceZone::new("Europe/Helsinki").expect("a zone");
    let settings = MappingSettings::new(zone, "FI".parse::<Region>().expect("a region"));
    let user = |id: u64, email: Option<&str>| User {
        id: migration::leaddesk::UserId(id),
        name: format!("Agent {id}"),
        username: format!("agent{id}"),
        email: email.map(str::to_owned),
        role: "Agent".into(),
        is_active: id == 17,
        office: Some("North".into()),
    };
    let campaigns = [Campaign {
        id: CampaignId(301),
        name: "Spring".into(),
        kind: None,
        is_disabled: false,
        sponsor: Some("Sponsor A".into()),
    }];
    let input = ProposalInput {
        users: &[user(17, Some("agent@acme.example")), user(18, None)],
        campaigns: &campaigns,
        lists: &[],
        offices: &[Office { name: "North".into(), time_zone: None }],
        groups: &[],
        statistics: &BTreeMap::new(),
        card_statistics: &BTreeMap::new(),
        looked_at: &BTreeMap::new(),
        outcomes: &[],
        lead_statuses: &BTreeMap::new(),
        slot_settings: &[],
        outside: &BTreeMap::new(),
        gorgias_users: &[migration::gorgias::User {
            id: UserId(2),
            name: "Agent".into(),
            email: Some("agent@acme.example".into()),
            role: "agent".into(),
            is_active: true,
        }],
        gorgias_teams: &[],
        gorgias_tags: &[],
        gorgias_fields: &[],
    };
    let mut proposal = MappingProposal::propose(settings, &input);
    for conflict in proposal.conflicts() {
        proposal = proposal.leave(&conflict.id, "left by the test").expect("an open row");
    }
    proposal.confirm(Reviewer::new("Reviewer").expect("a name"), at()).expect("nothing is open")
}

pub(crate) async fn keep_mapping(ctx: &Context) {
    let mapping = mapping();
    let digest = mapping.digest().to_hex();
    let key = ctx.key(&format!("mappings/{digest}/confirmed.json")).expect("a key");
    documents::put(ctx, key, &StoredMapping::of(&mapping)).await.expect("stored");
    let pointer = StoredPointer::V1 { digest, reviewer: "Reviewer".into(), confirmed_at: at() };
    documents::put(ctx, ctx.run_key("mapping.json").expect("a key"), &pointer).await.expect("stored");
}

fn counts(source: u64, merged: u64, wanted: u64, rejected: &[(&str, u64)]) -> ObjectCounts {
    let rejected = rejected.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
    ObjectCounts { source, excluded: 0, merged, rejected, wanted }
}

/// What transform leaves behind of four contacts, three calls, two agents, an office and a campaign.
pub(crate) async fn transformed(ctx: &Context) {
    keep_mapping(ctx).await;
    seal_rows(ctx, ["1001", "1002", "1003", "1004"].map(contact).into()).await;
    seal_rows(ctx, ["1", "2"].map(call).into()).await;
    seal_rows(ctx, ["1", "2"].map(call_message).into()).await;
    seal_rows(ctx, vec![agent("17", "Agent", true), agent("18", "Agent", false)]).await;
    seal_rows(ctx, vec![office("North", None)]).await;
    seal_rows(ctx, vec![campaign("301", "Spring")]).await;
    let failure = |object: &str, id: &str, code: &str, state: &str| ControlFailure {
        object: object.into(),
        leaddesk_id: id.into(),
        reason_code: code.into(),
        reason: "reason in words".into(),
        state: state.into(),
    };
    seal_rows(
        ctx,
        vec![
            failure("agent", "18", "USR101", "excluded"),
            failure("call", "calls.csv:line-9", "EXT302", "rejected"),
            failure("contact", "1001", "FLD106", "value_rejected"),
            failure("contact", "1003", "CUS102", "rejected"),
        ],
    )
    .await;
    seal_rows(
        ctx,
        vec![MapValue {
            value_kind: "merge".into(),
            source_value: "1002".into(),
            target_value: Some("1001".into()),
            reason: "email".into(),
        }],
    )
    .await;
    let record = PartRecord {
        rejects: vec![SourceReject::record("call", "calls.csv:line-9", "EXT302", "reason in words")],
        ..PartRecord::default()
    };
    part::store(ctx, "calls", record).await.expect("stored");
    let mut balance = Balance::default();
    let objects = [
        ("agent", ObjectCounts { excluded: 1, ..counts(2, 0, 1, &[]) }),
        ("call", counts(3, 0, 2, &[("EXT302", 1)])),
        ("campaign", counts(1, 0, 1, &[])),
        ("contact", counts(4, 1, 2, &[("CUS102", 1)])),
        ("office", counts(1, 0, 1, &[])),
    ];
    balance.objects.extend(objects.map(|(object, counts)| (object.to_owned(), counts)));
    balance.notes.insert("CUS104".into(), 2);
    let key = ctx.run_key("counts.json").expect("a key");
    documents::put(ctx, key, &StoredCounts::V1(balance)).await.expect("stored");
}

/// Writes what the load leaves behind: everything arrived, but the customer of contact 1004 has another name.
pub(crate) async fn loaded(ctx: &Context) {
    let directory = Directory {
        account: "acme".into(),
        service_user: 1,
        teams: BTreeMap::from([(TeamKey("office:North".into()), TeamId(61))]),
        tags: BTreeMap::from([("Spring".to_owned(), TagId(71)), ("Sponsor A".to_owned(), TagId(72))]),
        ..Directory::default()
    };
    run_folder::put(ctx, &ctx.run_key("destination.json").expect("a key"), &directory.to_stored())
        .await
        .expect("stored");
    let mut ledger = Ledger::open(ctx, &Opening::default()).await.expect("opened");
    let secret = ledger.secret().clone();
    let ours = |text: &str| ExternalId::from_stored(text);
    let keys = [
        (key::customer(&ours("leaddesk:contact:1001"), &secret), 501, "created"),
        (key::customer(&ours("leaddesk:contact:1004"), &secret), 502, "created"),
        (key::ticket(&ours("leaddesk:calls:contact:1001"), &secret), 801, "created"),
    ];
    let intents = keys.iter().map(|(key, ..)| IntentV1 {
        key: key.to_string(),
        op: "create".into(),
        version: "00".repeat(32),
        body_hmac: "00".repeat(32),
        target: None,
    });
    ledger.announce(intents.collect(), Vec::new()).await.expect("announced");
    let receipts = keys.iter().map(|(key, id, class)| ReceiptV1 {
        key: key.to_string(),
        dest_id: Some(*id),
        class: (*class).to_owned(),
        via: "answer".into(),
        field_hmacs: BTreeMap::new(),
        note: None::<NoteV1>,
    });
    ledger.announce(Vec::new(), receipts.collect()).await.expect("announced");
    ledger.close().await.expect("closed");
    keep_plan(ctx).await;
}

async fn keep_plan(ctx: &Context) {
    let wave = |name: &str, records| plan::WaveV1 {
        name: name.into(),
        records,
        writes: records,
        open: 0,
        first: 0,
        batches: vec![],
    };
    let plan = PlanV1 {
        account: "acme".into(),
        baseline: "00".repeat(32),
        waves: vec![wave("customers", 2), wave("leads", 1), wave("chats", 0)],
        requests_floor: 25,
        bucket: BucketV1 { capacity: 40, window_milliseconds: 20_000 },
        bound_seconds: 12.5,
        ..empty_plan()
    };
    run_folder::put(ctx, &ctx.run_key("plan.json").expect("a key"), &StoredPlan::V1(plan))
        .await
        .expect("stored");
}

/// A plan without anything, read from its stored form.
fn empty_plan() -> PlanV1 {
    let zero = |names: &[&str]| -> serde_json::Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), serde_json::json!(0)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let counts = zero(&[
        "customers_before",
        "customers_created",
        "customers_adopted",
        "customers_with_values",
        "tickets_before",
        "tickets_created",
        "messages_before",
        "messages_created",
        "messages_appended",
        "tags_created",
        "fields_written",
        "teams_created",
        "switched",
    ]);
    let forecast = zero(&["baseline", "schema", "customers", "tickets", "read_back"]);
    serde_json::from_value(serde_json::json!({
        "account": "acme", "baseline": "", "waves": [], "counts": counts, "forecast": forecast, "requests_floor": 0,
        "bucket": { "capacity": 40, "window_milliseconds": 20_000 }, "bound_seconds": 0.0,
    }))
    .expect("the stored form of a plan")
}

/// Keeps the verdicts; `codes` are differences at the customer of contact 1004, accepted or not.
pub(crate) async fn compared(ctx: &Context, codes: &[&str], accepted: &[&str]) {
    let tally =
        |wanted| ObjectTally { wanted, compared: wanted, fields: wanted * 5, ..ObjectTally::default() };
    let mut customers = ObjectTally { unexplained: codes.len() as u64, ..tally(2) };
    customers.explained = 1;
    let difference = |code: &&str| Difference {
        object: "customer".into(),
        external_id: "leaddesk:contact:1004".into(),
        gorgias_id: Some("502".into()),
        field: "name".into(),
        wanted: Some("Ada Example".into()),
        found: Some("Ada".into()),
        code: (*code).to_owned(),
        explanation: None,
    };
    let mut differences: Vec<Difference> = codes.iter().map(difference).collect();
    differences.push(Difference { explanation: Some("declared".into()), ..difference(&"CMP106") });
    let first = WaveVerdict {
        wave: "customers".into(),
        verdict: if codes.is_empty() { "pass" } else { "fail" }.into(),
        accepted: accepted.iter().map(|code| (*code).to_owned()).collect(),
        objects: BTreeMap::from([("customer".to_owned(), customers)]),
        unexplained: codes.iter().map(|code| ((*code).to_owned(), 1)).collect(),
        explained: BTreeMap::from([("CMP106".to_owned(), 1)]),
        differences,
    };
    let second = WaveVerdict {
        wave: "leads".into(),
        verdict: "pass".into(),
        accepted: Vec::new(),
        objects: BTreeMap::from([("ticket".to_owned(), tally(1)), ("message".to_owned(), tally(2))]),
        unexplained: BTreeMap::new(),
        explained: BTreeMap::new(),
        differences: Vec::new(),
    };
    crate::reconcile::verdict::keep(ctx, Wave::Customers, &first).await.expect("kept");
    crate::reconcile::verdict::keep(ctx, Wave::Leads, &second).await.expect("kept");
}
