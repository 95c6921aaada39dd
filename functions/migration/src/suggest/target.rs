//! Where a field should go: rules in order, each with its reason, each adding a candidate.

use std::fmt;

use super::label::LabelMatch;
use super::{
    Candidate, Concept, Known, SuggestInput, SuggestedType, ValueType, round, same_label, share, takes,
    together,
};
use crate::fields::{Pattern, SlotKind, is_sensitive_label};
use crate::gorgias::FieldId;

/// Where a field should go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuggestedTarget {
    /// Nowhere: sensitive, empty, or of the machinery.
    Leave,
    /// The customer's name.
    Name,
    /// The customer's email.
    Email,
    /// A number of the customer.
    Phone,
    /// The customer's opt-out; `yes_opts_out` tells which answer means so.
    OptOut {
        /// Yes means opted out; otherwise no does.
        yes_opts_out: bool,
    },
    /// A field of the account that is there.
    Existing(FieldId, String),
    /// A field of its own.
    NewField(SlotKind),
    /// The lead card.
    LeadCard,
}

impl SuggestedTarget {
    /// Stable word for tables.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::OptOut { .. } => "opt-out",
            Self::Existing(..) => "existing-field",
            Self::NewField(_) => "new-field",
            Self::LeadCard => "lead-card",
        }
    }
}

impl fmt::Display for SuggestedTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leave => out.write_str("nothing"),
            Self::Name => out.write_str("customer name"),
            Self::Email => out.write_str("customer email"),
            Self::Phone => out.write_str("customer phone"),
            Self::OptOut { yes_opts_out } => {
                write!(out, "customer opt-out when {}", if *yes_opts_out { "yes" } else { "no" })
            }
            Self::Existing(id, label) => write!(out, "existing field `{label}` ({id})"),
            Self::NewField(kind) => write!(out, "customer field ({})", kind.as_str()),
            Self::LeadCard => out.write_str("lead card"),
        }
    }
}

/// Meanings that go before better fitting ones: what must not be carried, and whom a value is about.
const FIRST: &[Concept] =
    &[Concept::Sensitive, Concept::OptOut, Concept::Consent, Concept::Technical, Concept::OtherPerson];
/// How much worse a meaning that goes first may fit.
const FIRST_MARGIN: f64 = 0.12;
/// The same for whom a value is about, which stands in front in any inflexion: `myyjän sähköposti`.
const PERSON_MARGIN: f64 = 0.4;

/// The meaning that leads.
pub(super) fn leading(meanings: &[LabelMatch]) -> Option<LabelMatch> {
    let best = meanings.first()?;
    let first = FIRST.iter().find_map(|concept| {
        let found = meanings.iter().find(|found| found.concept == *concept)?;
        let margin = if *concept == Concept::OtherPerson { PERSON_MARGIN } else { FIRST_MARGIN };
        let is_best = found.concept == best.concept;
        (is_best || (found.is_sure && found.score + margin >= best.score)).then_some(*found)
    });
    Some(first.unwrap_or(*best))
}

struct Rules<'a> {
    input: &'a SuggestInput<'a>,
    lead: Option<LabelMatch>,
    value_type: &'a SuggestedType,
    found: Vec<Candidate>,
}

pub(super) fn candidates(
    input: &SuggestInput<'_>,
    meanings: &[LabelMatch],
    known: &[Known<'_>],
    value_type: &SuggestedType,
) -> Vec<Candidate> {
    let mut rules = Rules { input, lead: leading(meanings), value_type, found: Vec::new() };
    rules.forbidden();
    rules.consent();
    rules.existing_by_label();
    rules.person();
    rules.existing_by_meaning(meanings, known);
    rules.prose();
    rules.own_field();
    let mut found = rules.found;
    // What is forbidden stays first whatever else speaks; the order of the rules settles what is equally sure.
    let is_forbidden = |candidate: &Candidate| candidate.target == SuggestedTarget::Leave;
    found.sort_by(|left, right| {
        is_forbidden(right).cmp(&is_forbidden(left)).then(right.confidence.total_cmp(&left.confidence))
    });
    found
}

/// Whether values of this type can have this meaning, where the type has a meaning of its own.
fn fits_type(concept: Concept, value_type: ValueType) -> bool {
    match value_type {
        ValueType::Email => concept == Concept::Email,
        ValueType::Phone => matches!(concept, Concept::Phone | Concept::Fax),
        ValueType::Url => concept == Concept::Web,
        ValueType::Postcode => concept == Concept::Postcode,
        _ => true,
    }
}

impl Rules<'_> {
    fn push(&mut self, target: SuggestedTarget, confidence: f64, reason: String) {
        self.found.push(Candidate { target, confidence: round(confidence), reason });
    }

    /// The score of a meaning when it leads.
    fn means(&self, concept: Concept) -> Option<LabelMatch> {
        self.lead.filter(|found| found.concept == concept)
    }

    fn has(&self, value_type: ValueType) -> bool {
        self.value_type.value_type == value_type
    }

    fn of(&self, pattern: Pattern) -> f64 {
        share(self.input.statistics, self.input.statistics.having(pattern))
    }

    fn forbidden(&mut self) {
        let named = is_sensitive_label(self.input.label);
        if let Some(part) = named {
            self.push(
                SuggestedTarget::Leave,
                0.97,
                format!("label contains `{part}`: never carried by default"),
            );
        } else if let Some(found) = self.means(Concept::Sensitive) {
            let why = format!("label means `{}`: never carried by default", found.word);
            self.push(SuggestedTarget::Leave, found.score, why);
        } else if self.has(ValueType::NationalId) || self.has(ValueType::Iban) {
            let why = format!("{}: never carried by default", self.value_type.reason);
            self.push(SuggestedTarget::Leave, self.value_type.confidence, why);
        } else if self.has(ValueType::Empty) {
            self.push(SuggestedTarget::Leave, 0.95, self.value_type.reason.clone());
        } else if self.of(Pattern::Nested).max(self.of(Pattern::Opaque)) >= 0.8 {
            self.push(SuggestedTarget::Leave, 0.9, "values are of a machine, not of the customer".to_owned());
        } else if let Some(found) = self.means(Concept::Technical)
            && !matches!(self.value_type.value_type, ValueType::Email | ValueType::Phone | ValueType::Date)
        {
            let why = format!("label means `{}`: of the machinery, not of the customer", found.word);
            self.push(SuggestedTarget::Leave, found.score, why);
        }
    }

    fn consent(&mut self) {
        let meant = [(Concept::OptOut, true), (Concept::Consent, false)];
        for (concept, yes_opts_out) in meant {
            if let Some(found) = self.means(concept)
                && self.has(ValueType::Boolean)
            {
                let confidence = together(0.7 * found.score, 0.8 * self.value_type.confidence);
                let why = format!("label means `{}`; {}", found.word, self.value_type.reason);
                self.push(SuggestedTarget::OptOut { yes_opts_out }, confidence, why);
            }
        }
    }

    /// A field of the account under the very label, or with the very choices.
    fn existing_by_label(&mut self) {
        for field in self.input.existing {
            if same_label(&field.label, self.input.label) && takes(field, self.value_type.value_type) {
                let target = SuggestedTarget::Existing(field.id, field.label.clone());
                self.push(target, 0.98, "a field of the account has this label".to_owned());
            }
        }
    }

    /// Name and channels. Values decide; a label alone makes no address.
    fn person(&mut self) {
        if self.means(Concept::OtherPerson).is_some() || self.means(Concept::Fax).is_some() {
            return;
        }
        for (value_type, concept, target) in [
            (ValueType::Email, Concept::Email, SuggestedTarget::Email),
            (ValueType::Phone, Concept::Phone, SuggestedTarget::Phone),
        ] {
            if self.has(value_type) {
                let by_label = self.means(concept).map_or(0.0, |found| found.score);
                let confidence = together(0.8 * self.value_type.confidence, 0.8 * by_label);
                self.push(target, confidence, self.value_type.reason.clone());
            }
        }
        if let Some(found) = self.means(Concept::Name) {
            let part = self.of(Pattern::NameLike);
            if part >= 0.7 {
                let confidence = together(0.75 * found.score, 0.7 * part);
                let why = format!(
                    "label means `{}`; {:.0} % of the values look like names",
                    found.word,
                    part * 100.0
                );
                self.push(SuggestedTarget::Name, confidence, why);
            }
        }
    }

    /// A field of the account that means the same in another language.
    fn existing_by_meaning(&mut self, meanings: &[LabelMatch], known: &[Known<'_>]) {
        if self.lead.is_some_and(|found| FIRST.contains(&found.concept)) {
            return;
        }
        let mut best: Option<(f64, FieldId, &str, String)> = None;
        for Known { field, meanings: theirs } in known {
            if same_label(&field.label, self.input.label) || !takes(field, self.value_type.value_type) {
                continue;
            }
            let Some(their_lead) = leading(theirs) else { continue };
            let Some(own) = meanings.iter().find(|found| found.concept == their_lead.concept) else {
                continue;
            };
            let leads = self.lead.is_some_and(|lead| lead.concept == own.concept);
            let score = own.score * their_lead.score * if leads { 1.0 } else { 0.7 };
            let is_generic = matches!(
                own.concept,
                Concept::Identifier | Concept::Date | Concept::Flag | Concept::Count | Concept::Amount
            );
            // A flag is not another flag, and an address of mail no street: the very word must be meant.
            let fits = !is_generic || own.word == their_lead.word;
            let is_better = best.as_ref().is_none_or(|(other, ..)| score > *other);
            if fits && score >= 0.62 && is_better && fits_type(own.concept, self.value_type.value_type) {
                best = Some((score, field.id, field.label.as_str(), own.word.to_owned()));
            }
        }
        if let Some((score, id, label, word)) = best {
            let target = SuggestedTarget::Existing(id, label.to_owned());
            let why = format!("means the same as a field of the account (`{word}`)");
            self.push(target, 0.7 + 0.25 * score, why);
        }
    }

    fn prose(&mut self) {
        let part = self.of(Pattern::Prose);
        let by_label = self.means(Concept::Notes).map_or(0.0, |found| found.score);
        if part >= 0.5 || (by_label > 0.0 && self.has(ValueType::Text)) {
            let confidence = together(0.75 * by_label, 0.85 * part).max(0.75);
            let why = format!("free text: {:.0} % of the values are sentences", part * 100.0);
            self.push(SuggestedTarget::LeadCard, confidence, why);
        }
    }

    /// What is left becomes a field; the more surely, the less else it may be.
    fn own_field(&mut self) {
        let kind = self.value_type.value_type.slot_kind();
        let about = self.lead.map_or(0.55, |found| 0.55 + 0.15 * found.score);
        let why = match self.lead {
            Some(found) => format!("label means `{}`; {}", found.word, self.value_type.reason),
            None => format!("label is not known; {}", self.value_type.reason),
        };
        self.push(SuggestedTarget::NewField(kind), about * self.value_type.confidence.max(0.5), why);
    }
}
