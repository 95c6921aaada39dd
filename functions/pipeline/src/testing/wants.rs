//! What a small migration wants, sealed as transform would leave it.

use bytes::Bytes;
use jiff::Timestamp;
use migration::gorgias::{CustomerId, FieldDraft, FieldKind, FieldObject, TagDraft, TeamDraft, UserId};
use migration::keys::{FieldKey, TeamKey};
use snapshot::tables::{
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantField, WantMessage, WantTag,
    WantTeam, WantTeamMember, WantTicket, WantTicketTag, WantTicketValue, WantUser,
};
use snapshot::{Pass, Row};

use super::World;
use crate::archive;
use crate::context::Context;
use crate::ledger::key::sha256_hex;
use crate::ports::gorgias::{Customer, FoundChannel};
use crate::prepare::schema::SchemaWish;

const FIELD: &str = "leaddesk:field:other1:campaign-1";
const TICKET_FIELD: &str = "leaddesk:field:disposition";

/// Rows of all tables.
#[derive(Default)]
pub(crate) struct Wants {
    customers: Vec<WantCustomer>,
    channels: Vec<WantCustomerChannel>,
    values: Vec<WantCustomerValue>,
    tickets: Vec<WantTicket>,
    tags: Vec<WantTicketTag>,
    ticket_values: Vec<WantTicketValue>,
    messages: Vec<WantMessage>,
    attachments: Vec<WantAttachment>,
}

pub(crate) fn email(number: u64) -> String {
    format!("person{number}@example.com")
}

pub(crate) fn phone(number: u64) -> String {
    format!("+35840000{number:04}")
}

pub(crate) fn contact(number: u64) -> String {
    format!("leaddesk:contact:{number}")
}

pub(crate) fn lead(number: u64) -> String {
    format!("leaddesk:lead:1:{number}")
}

/// A customer that was there before, with the email of one of ours.
pub(crate) fn there_before(number: u64) -> Customer {
    let address = email(number);
    let channel = FoundChannel { kind: "email".to_owned(), address: address.clone(), is_preferred: true };
    Customer {
        id: CustomerId(900 + number),
        external_id: None,
        name: Some("Old Friend".to_owned()),
        first_name: None,
        last_name: None,
        email: Some(address),
        language: None,
        timezone: None,
        channels: Some(vec![channel]),
        values: Some(Vec::new()),
        created_at: None,
        updated_at: None,
    }
}

fn at(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).expect("small");
    Timestamp::from_second(1_700_000_000 + seconds).expect("in range")
}

impl Wants {
    /// Customers with an email, a number and a value, each with a lead of `messages` messages.
    pub(crate) fn people(count: u64, messages: u64) -> Self {
        let mut wants = Self::default();
        for number in 1..=count {
            wants.customer(number);
            wants.ticket(&lead(number), "lead", &contact(number), messages);
        }
        wants
    }

    fn customer(&mut self, number: u64) {
        let external_id = contact(number);
        self.customers.push(WantCustomer {
            external_id: external_id.clone(),
            leaddesk_contact_id: Some(number.to_string()),
            customer_name: Some(format!("Person {number}")),
            email: Some(email(number)),
            language: None,
            timezone: None,
            channel_count: 2,
            value_count: 1,
            origin: "contact".to_owned(),
        });
        for (kind, address) in [("email", email(number)), ("phone", phone(number))] {
            self.channels.push(WantCustomerChannel {
                customer_external_id: external_id.clone(),
                channel_type: kind.to_owned(),
                address,
                is_preferred: true,
            });
        }
        self.values.push(WantCustomerValue {
            customer_external_id: external_id,
            field_key: FIELD.to_owned(),
            data_type: "text".to_owned(),
            value_text: Some(format!("value {number}")),
            value_number: None,
            value_boolean: None,
        });
    }

    /// One ticket more.
    pub(crate) fn ticket(&mut self, external_id: &str, wave: &str, customer: &str, messages: u64) {
        self.tickets.push(WantTicket {
            external_id: external_id.to_owned(),
            wave: wave.to_owned(),
            customer_external_id: customer.to_owned(),
            subject: format!("Subject of {external_id}"),
            status: "closed".to_owned(),
            channel: "internal-note".to_owned(),
            via: "api".to_owned(),
            is_from_agent: true,
            assignee_agent_id: Some("7".to_owned()),
            assignee_team_key: Some("group:1".to_owned()),
            created_at: at(1),
            closed_at: Some(at(messages)),
            last_message_at: at(messages),
            message_count: i32::try_from(messages).expect("small"),
            created_evidence: "call".to_owned(),
        });
        self.tags
            .push(WantTicketTag { ticket_external_id: external_id.to_owned(), tag_name: "Q4".to_owned() });
        self.ticket_values.push(WantTicketValue {
            ticket_external_id: external_id.to_owned(),
            field_key: TICKET_FIELD.to_owned(),
            data_type: "text".to_owned(),
            value_text: Some("Sold".to_owned()),
            value_number: None,
            value_boolean: None,
        });
        for position in 1..=messages {
            self.messages.push(WantMessage {
                ticket_external_id: external_id.to_owned(),
                position: i32::try_from(position).expect("small"),
                external_id: format!("{external_id}:message:{position}"),
                kind: "note".to_owned(),
                channel: "internal-note".to_owned(),
                is_from_agent: true,
                is_public: false,
                sender_kind: "user".to_owned(),
                sender_agent_id: Some("7".to_owned()),
                sent_at: at(position),
                body_text: format!("text {position}"),
                body_html: format!("<div>text {position}</div>"),
                leaddesk_id: Some(position.to_string()),
            });
        }
    }

    /// A recording in the store hangs on a message of a ticket.
    pub(crate) fn recording(&mut self, ticket: &str, position: i32) {
        let message = format!("{ticket}:message:{position}");
        let body = Self::sound(&message);
        self.attachments.push(WantAttachment {
            ticket_external_id: ticket.to_owned(),
            position,
            file_name: format!("call-{position}.mp3"),
            content_type: "audio/mpeg".to_owned(),
            size_bytes: i64::try_from(body.len()).expect("small"),
            sha256: sha256_hex(&body),
            store_key: format!("recordings/v1/call={position}/{}.mp3", sha256_hex(&body)),
            message_external_id: message,
        });
    }

    /// The sound of a message's recording.
    pub(crate) fn sound(message: &str) -> Bytes {
        Bytes::from(format!("ID3 sound of {message}"))
    }

    /// What prepare has to make for these rows.
    pub(crate) fn schema() -> SchemaWish {
        let field = |key: &str, object, label: &str| FieldDraft {
            key: FieldKey(key.to_owned()),
            object,
            label: label.to_owned(),
            kind: FieldKind::Text,
            description: "from LeadDesk".to_owned(),
        };
        SchemaWish {
            present_teams: std::collections::BTreeMap::new(),
            tags: vec![TagDraft { name: "Q4".to_owned(), description: "LeadDesk campaign".to_owned() }],
            fields: vec![
                field(FIELD, FieldObject::Customer, "Customer number"),
                field(TICKET_FIELD, FieldObject::Ticket, "leaddesk_disposition__c"),
            ],
            teams: vec![TeamDraft {
                key: TeamKey("group:1".to_owned()),
                name: "Sales".to_owned(),
                description: "Key: leaddesk:group:1".to_owned(),
                members: vec![migration::leaddesk::UserId(7)],
            }],
            users: [(migration::leaddesk::UserId(7), UserId(2))].into(),
        }
    }

    /// Seals every table that transform would.
    pub(crate) async fn seal(self, world: &World) {
        let ctx = world.context();
        seal(
            &ctx,
            vec![WantTag {
                tag_name: "Q4".to_owned(),
                description: "LeadDesk campaign".to_owned(),
                origin: "campaign".to_owned(),
            }],
        )
        .await;
        let schema = Self::schema();
        let fields = schema.fields.iter().map(|field| WantField {
            object_type: field.object.as_str().to_owned(),
            field_key: field.key.to_string(),
            label: field.label.clone(),
            data_type: "text".to_owned(),
            description: field.description.clone(),
        });
        seal(&ctx, fields.collect()).await;
        seal(
            &ctx,
            vec![WantTeam {
                team_key: "group:1".to_owned(),
                team_name: "Sales".to_owned(),
                description: "Key: leaddesk:group:1".to_owned(),
                leaddesk_name: "Sales".to_owned(),
            }],
        )
        .await;
        seal(
            &ctx,
            vec![WantTeamMember { team_key: "group:1".to_owned(), leaddesk_agent_id: "7".to_owned() }],
        )
        .await;
        seal(
            &ctx,
            vec![WantUser {
                leaddesk_agent_id: "7".to_owned(),
                agent_name: "Agent 7".to_owned(),
                email: Some("agent@acme.example".to_owned()),
                gorgias_user_id: Some("2".to_owned()),
                state: "matched".to_owned(),
                role: "basic-agent".to_owned(),
            }],
        )
        .await;
        seal(&ctx, self.customers).await;
        seal(&ctx, self.channels).await;
        seal(&ctx, self.values).await;
        seal(&ctx, self.tickets).await;
        seal(&ctx, self.tags).await;
        seal(&ctx, self.ticket_values).await;
        seal(&ctx, self.messages).await;
        for file in &self.attachments {
            let key = ctx.key(&file.store_key).expect("a key");
            ctx.store.put_new(&key, Self::sound(&file.message_external_id)).await.expect("stored");
        }
        if !self.attachments.is_empty() {
            seal(&ctx, self.attachments).await;
        }
    }
}

async fn seal<R: Row>(ctx: &Context, rows: Vec<R>) {
    let mut writer = archive::writer::<R>(ctx, Pass::Full, Vec::new()).expect("a writer");
    for row in rows {
        writer.push(row).expect("a row");
    }
    archive::publish(ctx, writer.seal().expect("sealed")).await.expect("published");
}
