//! The review page: one file that a browser shows without asking anybody for anything.
//!
//! Readable as it is; with its own script, which its policy names by digest, rows can be decided and the decisions saved. The
//! same review gives the same bytes. Deliberately absent: values of records; samples are masked before they come here.

use askama::Template;
use base64::Engine as _;
use jiff::Timestamp;
use migration::fields::SlotKind;
use migration::finding::ObjectKind;
use migration::gorgias::TicketStatus;
use migration::mapping::cells::SLOT_KINDS;
use migration::mapping::document::{COMMENT_CHARS_MAX, ReviewRow, choice_words};
use migration::mapping::{Decision, MappingRow};
use migration::users::GorgiasRole;
use sha2::{Digest as _, Sha256};

use super::Review;
use super::columns::{locked, offer, open};

const STYLE: &str = include_str!("../../templates/review.css");
const SCRIPT: &str = include_str!("../../templates/review.js");

/// From this confidence on a row may be accepted together with others.
const SURE: f64 = 0.9;
/// Below this confidence a row is worth a second look.
const LOW: f64 = 0.6;

/// What a view says of where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The migration.
    pub migration: String,
    /// The run.
    pub run: String,
    /// Who signs decisions that are exported.
    pub reviewer: String,
    /// When, for decisions that are exported.
    pub made_at: Timestamp,
}

#[derive(Template)]
#[template(path = "review.html")]
struct Page<'a> {
    migration: &'a str,
    run: &'a str,
    account: &'a str,
    version: &'static str,
    proposal: String,
    answers: u32,
    found_at: String,
    total: usize,
    groups: Vec<Group>,
    kinds: String,
    statuses: String,
    roles: String,
    comment_max: usize,
    users: Vec<(u64, String)>,
    teams: Vec<(u64, String)>,
    fields: Vec<(u64, String)>,
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
}

struct Group {
    object: &'static str,
    title: &'static str,
    rows: Vec<Shown>,
    carried: usize,
    left: usize,
    open: usize,
    seen: usize,
}

struct Shown {
    number: usize,
    id: String,
    name: String,
    target: String,
    state: &'static str,
    sign: &'static str,
    word: &'static str,
    is_sure: bool,
    is_low: bool,
    takes: String,
    places: String,
    is_typed: bool,
    answer: [String; 7],
    facts: Vec<(&'static str, String)>,
    samples: Vec<(String, String)>,
    alternatives: Vec<String>,
    said: String,
    outcome: String,
}

/// The page.
///
/// # Errors
/// [`askama::Error`] when the template fails; a bug.
pub(crate) fn write(review: &Review, about: &About) -> Result<String, askama::Error> {
    let inventory = review.inventory();
    let groups = groups(review);
    let named = |id: u64, name: &str| (id, migration::text::clean_line(name));
    let words = |words: Vec<&'static str>| words.join(" ");
    let users = inventory.gorgias_users.iter().filter(|user| user.is_active);
    let teams = inventory.gorgias_teams.iter();
    let fields = inventory.gorgias_fields.iter().filter(|field| !field.is_managed);
    Page {
        migration: &about.migration,
        run: &about.run,
        account: &inventory.overview.gorgias_domain,
        version: env!("CARGO_PKG_VERSION"),
        proposal: review.document.proposal().to_hex(),
        answers: review.number,
        found_at: super::moment(inventory.taken_at),
        total: review.document.rows().len(),
        groups,
        kinds: words(SLOT_KINDS.map(SlotKind::as_str).to_vec()),
        statuses: words([TicketStatus::Open, TicketStatus::Closed].map(TicketStatus::as_str).to_vec()),
        roles: words(GorgiasRole::ALL.iter().map(|role| role.as_str()).collect()),
        comment_max: COMMENT_CHARS_MAX,
        users: users.map(|user| named(user.id.0, &user.name)).collect(),
        teams: teams.map(|team| named(team.id.0, &team.name)).collect(),
        fields: fields.map(|field| named(field.id.0, &field.label)).collect(),
        style: STYLE,
        style_hash: hash(STYLE),
        script: SCRIPT,
        script_hash: hash(SCRIPT),
    }
    .render()
}

/// As a policy names what it lets in.
pub(super) fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn groups(review: &Review) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, row) in review.document.rows().enumerate() {
        let object = row.proposed.id.object;
        if groups.last().is_none_or(|group| group.object != object.as_str()) {
            groups.push(Group {
                object: object.as_str(),
                title: title(object),
                rows: Vec::new(),
                carried: 0,
                left: 0,
                open: 0,
                seen: 0,
            });
        }
        let Some(group) = groups.last_mut() else { continue };
        match &row.proposed.decision {
            Decision::Carry(_) => group.carried += 1,
            Decision::Leave(_) => group.left += 1,
            Decision::Conflict { .. } => group.open += 1,
        }
        group.seen += usize::from(row.answer.is_seen);
        let outcome = review.outcome.rows().find(|after| after.id == row.proposed.id);
        group.rows.push(shown(number, row, outcome));
    }
    groups
}

fn title(object: ObjectKind) -> &'static str {
    match object {
        ObjectKind::Contact => "Fields of the contact card",
        ObjectKind::Lead => "Statuses of leads",
        ObjectKind::User => "Agents and roles",
        ObjectKind::Office => "Offices",
        ObjectKind::Group => "Agent groups",
        ObjectKind::Campaign => "Campaigns and sponsors",
        ObjectKind::List => "Calling lists",
        ObjectKind::Outcome => "Outcomes",
        ObjectKind::Slot => "Custom fields",
        ObjectKind::BlacklistEntry => "Consent",
        other => other.as_str(),
    }
}

/// State, sign and word of a decision; never by colour alone.
fn state(decision: &Decision) -> (&'static str, &'static str, &'static str) {
    match decision {
        Decision::Carry(_) => ("carried", "✓", "arrives as"),
        Decision::Leave(_) => ("left", "✕", "does not arrive"),
        Decision::Conflict { .. } => ("open", "⚠", "open: a person must decide."),
    }
}

fn shown(number: usize, row: &ReviewRow, outcome: Option<&MappingRow>) -> Shown {
    let [id, name, _, target, why, records, confidence, filled, distinct, _, _, _] = locked(row);
    let (state, sign, word) = state(&row.proposed.decision);
    let evidence = row.proposed.evidence.as_ref();
    let offer = offer(row);
    let facts = [
        ("Why", why),
        ("Records", records),
        ("Confidence", confidence),
        ("Filled", filled),
        ("Different values", distinct),
    ];
    let samples = evidence.iter().flat_map(|it| &it.samples).map(|sample| {
        let after = if sample.after.is_empty() { "nothing" } else { &sample.after };
        (sample.before.clone(), after.to_owned())
    });
    let others = evidence
        .iter()
        .flat_map(|it| &it.alternatives)
        .map(|other| format!("{} ({:.0} %): {}", other.target, other.confidence * 100.0, other.reason));
    let sure = evidence.map_or(1.0, |it| it.confidence);
    let takes: Vec<&str> = offer.choices.iter().map(|kind| kind.as_str()).collect();
    Shown {
        number,
        name: if name.is_empty() { id.clone() } else { name },
        target: if state == "left" && !target.is_empty() { format!("({target})") } else { target },
        state,
        sign,
        word,
        is_sure: state != "open" && sure >= SURE,
        is_low: sure < LOW,
        takes: takes.join(" "),
        places: offer.places.join(" "),
        is_typed: offer.is_typed,
        answer: open(row),
        facts: facts.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
        samples: samples.collect(),
        alternatives: others.collect(),
        said: said(row),
        outcome: outcome.map_or_else(String::new, |after| differs(&row.proposed, after)),
        id,
    }
}

fn said(row: &ReviewRow) -> String {
    let answer = &row.answer;
    if answer.is_empty() {
        return String::new();
    }
    let mut said = choice_words(answer.choice.as_ref());
    if !answer.is_seen {
        said.push_str(", not looked at");
    }
    if !answer.comment.is_empty() {
        said.push_str(&format!("\n{}", answer.comment));
    }
    said
}

/// What becomes of the row under all answers, when it is something else than what was proposed.
fn differs(before: &MappingRow, after: &MappingRow) -> String {
    let same = before.decision.as_str() == after.decision.as_str() && before.target == after.target;
    if same {
        return String::new();
    }
    let (_, sign, word) = state(&after.decision);
    format!("{sign} {word} {}", after.target).trim_end().to_owned()
}
