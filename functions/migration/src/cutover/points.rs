//! Every point of the readiness, from the facts.

use jiff::{SignedDuration, Timestamp};

use super::{Agents, Approval, Chats, Facts, NotSeen, Point, Seen, Snapshots, SpotChecks, State};
use crate::finding::{self, Code};

/// Hours after which a comparison says too little of today: a weekend, and the evening before it.
pub const COMPARISON_HOURS_MAX: i64 = 72;
/// Hours that the reading of LeadDesk may lie behind: the last delta then carries a day's work, and not a week's.
pub const DELTA_LAG_HOURS_MAX: i64 = 24;
/// Days between the end of the chatbot export and now within which no message is normal.
const CHAT_DAYS_MAX: i64 = 1;

/// Computes every point, always all of them, in the order in which a person would settle them.
#[must_use]
pub fn readiness(facts: &Facts, accepted: &[String]) -> Vec<Point> {
    let mut points = vec![
        loaded(facts),
        taken_back(facts),
        reconciliation(facts),
        none(&facts.conflicts, finding::CUT103_CONFLICTS, "conflicts", &CONFLICTS),
        none(&facts.failed, finding::CUT104_FAILED, "failed records", &FAILED),
        none(&facts.in_doubt, finding::CUT105_IN_DOUBT, "writes in doubt", &IN_DOUBT),
        approval(facts),
        agents(facts),
        none(&facts.switched_off, finding::CUT108_SWITCHED_OFF, "rules, surveys, webhooks", &SWITCHES),
        chats(facts),
        lag(facts),
        last_delta(facts),
        spot_checks(facts),
        snapshots(facts),
    ];
    for point in &mut points {
        if point.is_in_the_way()
            && !point.is_firm()
            && accepted.iter().any(|code| code == point.code.as_str())
        {
            point.state = State::Accepted;
            point.reason.push_str("; accepted by its code in migration.toml");
            point.advice = None;
        }
    }
    points
}

/// Whether nothing is in the way.
#[must_use]
pub fn is_ready(points: &[Point]) -> bool {
    !points.is_empty() && !points.iter().any(Point::is_in_the_way)
}

fn point(code: Code, about: &'static str, state: State, reason: String) -> Point {
    let advice = matches!(state, State::NotReady | State::NotKnown).then(|| code.entry().advice);
    Point { code, about, state, reason, advice }
}

fn not_seen(code: Code, about: &'static str, why: &NotSeen) -> Point {
    point(code, about, State::NotKnown, why.0.clone())
}

fn loaded(facts: &Facts) -> Point {
    let (state, reason) = match facts.is_loaded {
        true => (State::Ready, "every wave is loaded, proven, and what was switched off is on again"),
        false => (State::NotReady, "not every wave is loaded and proven, or something is still switched off"),
    };
    point(finding::CUT101_NOT_LOADED, "load", state, reason.to_owned())
}

fn taken_back(facts: &Facts) -> Point {
    let (state, reason) = match &facts.taken_back {
        None => (State::Ready, "nothing of the run was taken back".to_owned()),
        Some(phase) => (State::NotReady, phase.clone()),
    };
    point(finding::CUT114_TAKEN_BACK, "rollback", state, reason)
}

fn reconciliation(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT102_RECONCILIATION, "reconciliation");
    let compared = match &facts.compared {
        Err(why) => return not_seen(code, about, why),
        Ok(None) => return point(code, about, State::NotReady, "everything was never compared".to_owned()),
        Ok(Some(compared)) => compared,
    };
    let age = facts.now.duration_since(compared.at);
    let fields = compared.fields;
    if !compared.holds() {
        let what = match (compared.damage, compared.untold) {
            _ if fields == 0 => "nothing was compared, which proves nothing".to_owned(),
            (0, untold) => format!("{} without anybody knowing yet whose doing it is", differ(untold)),
            (damage, _) => format!("{} although nobody else acted on the record", differ(damage)),
        };
        return point(code, about, State::NotReady, what);
    }
    if age > SignedDuration::from_hours(COMPARISON_HOURS_MAX) {
        let what = format!("right, but {} old; at most {COMPARISON_HOURS_MAX} h are taken", hours(age));
        return point(code, about, State::NotReady, what);
    }
    if let Ok(read) = &facts.read
        && read.different > 0
    {
        let what = format!("{} from what deltas wrote since", differ(read.different));
        return point(code, about, State::NotReady, what);
    }
    let people = match compared.people {
        0 => String::new(),
        people => format!(", {people} differ by people's work"),
    };
    point(
        code,
        about,
        State::Ready,
        format!("{} fields compared {} ago, right{people}", grouped(fields), hours(age)),
    )
}

/// Words of a count that should be none.
struct Words {
    none: &'static str,
    one: &'static str,
    many: &'static str,
}

const CONFLICTS: Words = Words {
    none: "no field was changed on both sides and left open",
    one: "record holds a field that both sides changed",
    many: "records hold a field that both sides changed",
};
const FAILED: Words = Words {
    none: "Gorgias refused no record",
    one: "record was refused by Gorgias",
    many: "records were refused by Gorgias",
};
const IN_DOUBT: Words = Words {
    none: "every write has its answer",
    one: "write has no answer yet",
    many: "writes have no answer yet",
};
const SWITCHES: Words = Words {
    none: "nothing is switched off by us; they go off while records are written, and on again at the end",
    one: "is still switched off by us",
    many: "are still switched off by us",
};

fn none(fact: &Seen<u64>, code: Code, about: &'static str, words: &Words) -> Point {
    match fact {
        Err(why) => not_seen(code, about, why),
        Ok(0) => point(code, about, State::Ready, words.none.to_owned()),
        Ok(1) => point(code, about, State::NotReady, format!("1 {}", words.one)),
        Ok(count) => point(code, about, State::NotReady, format!("{count} {}", words.many)),
    }
}

fn approval(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT106_APPROVAL, "approval");
    match &facts.approval {
        Err(why) => not_seen(code, about, why),
        Ok(Approval::Holds { by }) => {
            point(code, about, State::Ready, format!("the mapping that {by} approved still holds"))
        }
        Ok(Approval::Stale { what }) => point(code, about, State::NotReady, format!("stale: {what}")),
        Ok(Approval::Missing) => {
            point(code, about, State::NotReady, "nobody approved the mapping".to_owned())
        }
    }
}

fn agents(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT107_AGENTS, "users to provision");
    match &facts.agents {
        Err(why) => not_seen(code, about, why),
        Ok(Agents { active, without_user: 0 }) => {
            point(code, about, State::Ready, format!("all {active} agents who go on working have a user"))
        }
        Ok(Agents { active, without_user }) => {
            let reason =
                format!("{without_user} of {active} agents who go on working have no user of their own");
            point(code, about, State::NotReady, reason)
        }
    }
}

fn chats(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT109_CHATS, "chatbot window");
    let (last, until) = match &facts.chats {
        Err(why) => return not_seen(code, about, why),
        Ok(Chats::None) => {
            let reason = "no chatbot export was supplied, so none is moved";
            return point(code, about, State::Ready, reason.to_owned());
        }
        Ok(Chats::Exported { last, until }) => (*last, *until),
    };
    let Some(end) = last.max(until.map(|until| until.min(facts.now))) else {
        return point(
            code,
            about,
            State::NotKnown,
            "the export holds no message, and no window is stated".to_owned(),
        );
    };
    let open = facts.now.duration_since(end);
    let days = open.as_hours() / 24;
    let which =
        if until.is_some_and(|until| until >= end) { "the stated window" } else { "the last message" };
    let day = date(end);
    if open > SignedDuration::from_hours(24 * (CHAT_DAYS_MAX + 1)) {
        let reason = format!(
            "the export ends on {day} ({which}), {days} days ago; what was said since is lost once the account closes"
        );
        return point(code, about, State::NotReady, reason);
    }
    point(code, about, State::Ready, format!("the export reaches {day} ({which})"))
}

fn lag(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT110_DELTA_LAG, "delta lag");
    let read = match &facts.read {
        Err(why) => return not_seen(code, about, why),
        Ok(read) => read,
    };
    if let Some(open) = read.open {
        return point(code, about, State::NotReady, format!("delta {open} is begun and not at its end"));
    }
    let lag = facts.now.duration_since(read.read_from);
    let by = match read.delta {
        Some(number) => format!("delta {number}"),
        None => "the full reading; no delta ran since".to_owned(),
    };
    let reason = format!("LeadDesk was read {} ago, by {by}", hours(lag));
    let state =
        if lag > SignedDuration::from_hours(DELTA_LAG_HOURS_MAX) { State::NotReady } else { State::Ready };
    point(code, about, state, reason)
}

fn last_delta(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT111_FORECAST, "forecast of the last delta");
    match &facts.last_delta {
        Err(why) => not_seen(code, about, why),
        Ok(forecast) => {
            let writes = match forecast.writes {
                Some(writes) => format!("about {writes} records to write, "),
                None => "records to write are not known before a first delta, ".to_owned(),
            };
            let reason = format!(
                "about {} requests to LeadDesk twice (delta, freeze check), {writes}{} requests to read everything back: {} at \
                 the rate of the account ({})",
                grouped(forecast.source_requests),
                grouped(forecast.read_back),
                minutes(forecast.seconds),
                forecast.basis
            );
            point(code, about, State::Ready, reason)
        }
    }
}

fn spot_checks(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT112_SPOT_CHECKS, "spot checks");
    match &facts.spot_checks {
        Err(why) => not_seen(code, about, why),
        Ok(SpotChecks { judged: 0, .. }) => {
            point(code, about, State::NotReady, "nobody has compared records by hand".to_owned())
        }
        Ok(SpotChecks { judged, wrong: 0 }) => {
            point(code, about, State::Ready, format!("{judged} records compared by hand, none wrong"))
        }
        Ok(SpotChecks { judged, wrong }) => {
            point(code, about, State::NotReady, format!("{wrong} of {judged} records were judged wrong"))
        }
    }
}

fn snapshots(facts: &Facts) -> Point {
    let (code, about) = (finding::CUT113_SNAPSHOTS, "snapshots");
    match &facts.snapshots {
        Err(why) => not_seen(code, about, why),
        Ok(Snapshots::Damaged { what }) => point(code, about, State::NotReady, what.clone()),
        Ok(Snapshots::Intact { tables: 0, .. }) => point(
            code,
            about,
            State::NotReady,
            "no snapshot is sealed, so nothing can be taken back".to_owned(),
        ),
        Ok(Snapshots::Intact { tables, files }) => {
            let reason = format!("{files} files of {tables} tables are as they were sealed");
            point(code, about, State::Ready, reason)
        }
    }
}

/// `12,408`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn differ(fields: u64) -> String {
    if fields == 1 { "1 field differs".to_owned() } else { format!("{fields} fields differ") }
}

fn hours(span: SignedDuration) -> String {
    match span.as_mins() {
        short if short < 120 => format!("{} min", short.max(0)),
        long if long < 72 * 60 => format!("{} h", long / 60),
        long => format!("{} days", long / (24 * 60)),
    }
}

fn minutes(seconds: u64) -> String {
    match seconds {
        short if short < 120 => format!("{short} s"),
        medium if medium < 7_200 => format!("{} min", medium / 60),
        long => format!("{} h", long.div_ceil(3_600)),
    }
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
