//! Names of campaigns, sponsors and lists as tags.
//!
//! Deliberately absent: colours, and tags on customers, which Gorgias does not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{Canonical, Digest};
use crate::finding::{self, Code};
use crate::gorgias::{self, TAG_NAME_CHARS_MAX, TagDraft};
use crate::leaddesk::{CallingList, Campaign, CampaignId, ListId};
use crate::mapping::{RowChoice, RowSubject};
use crate::settings::{MappingSettings, SecondLevel, TagChoice};
use crate::text::{clean_line, folded, truncate_chars};

/// Characters of a tag's description (facts: tags).
const DESCRIPTION_CHARS_MAX: usize = 1_024;

/// One tag and how its name came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagDecision {
    /// The tag.
    pub name: String,
    /// What it stands for, such as `campaign 12` or `sponsor`; several when they share the name.
    pub sources: Vec<String>,
    /// There already; it is used, not created.
    pub existing: Option<gorgias::TagId>,
    /// Rules that were applied to the name, sorted.
    pub codes: Vec<Code>,
    /// Where it comes from, for the admin.
    pub description: String,
}

/// Tags of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagPlan {
    /// In order of name, each once.
    pub decisions: Vec<TagDecision>,
    /// Tags of a ticket that came from a campaign, sorted.
    pub of_campaign: BTreeMap<CampaignId, Vec<String>>,
    /// Tags of a ticket that came from a list, sorted.
    pub of_list: BTreeMap<ListId, Vec<String>>,
    /// Campaigns without a name for the second level.
    pub without_second_level: Vec<CampaignId>,
}

/// One thing whose name may become a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The campaign, sponsor or list.
    pub subject: RowSubject,
    /// Its name.
    pub name: String,
    /// The tag, or the reason why a person wants none.
    pub tag: Result<String, String>,
    /// The name is a person's choice.
    pub is_renamed: bool,
}

/// Collects names while rules settle them.
struct Names<'a> {
    /// Folded name to the tag that carries it.
    tags: BTreeMap<String, TagDecision>,
    existing: BTreeMap<String, &'a gorgias::Tag>,
    settings: &'a MappingSettings,
    /// What became of each subject, once.
    rows: BTreeMap<crate::mapping::RowId, TagRow>,
}

impl TagPlan {
    /// Plans the tags. Whatever differs only in case is one tag, in the spelling of Gorgias or else of the smallest id.
    #[must_use]
    pub fn build(
        campaigns: &[Campaign],
        lists: &[CallingList],
        settings: &MappingSettings,
        existing: &[gorgias::Tag],
    ) -> Self {
        Self::propose(campaigns, lists, settings, existing).0
    }

    /// Plans the tags, and says what became of every campaign, sponsor and list, in order of row.
    #[must_use]
    pub fn propose(
        campaigns: &[Campaign],
        lists: &[CallingList],
        settings: &MappingSettings,
        existing: &[gorgias::Tag],
    ) -> (Self, Vec<TagRow>) {
        let mut names =
            Names { tags: BTreeMap::new(), existing: BTreeMap::new(), settings, rows: BTreeMap::new() };
        let mut by_id: Vec<&gorgias::Tag> = existing.iter().collect();
        by_id.sort_by_key(|tag| tag.id);
        for tag in by_id {
            names.existing.entry(folded(&tag.name)).or_insert(tag);
        }
        let mut plan = Self::default();
        let campaigns: BTreeMap<CampaignId, &Campaign> =
            campaigns.iter().map(|campaign| (campaign.id, campaign)).collect();
        for (id, campaign) in &campaigns {
            let tags = campaign_tags(campaign, settings, &mut names);
            let wants_second =
                settings.tags != TagChoice::Campaign && settings.second_level == SecondLevel::Sponsor;
            if wants_second && clean_line(campaign.sponsor.as_deref().unwrap_or("")).is_empty() {
                plan.without_second_level.push(*id);
            }
            plan.of_campaign.insert(*id, tags.into_iter().collect());
        }
        let lists: BTreeMap<ListId, &CallingList> = lists.iter().map(|list| (list.id, list)).collect();
        if settings.tags != TagChoice::Campaign && settings.second_level == SecondLevel::List {
            for (id, list) in lists {
                let subject = RowSubject::List(id);
                let tag = names.chosen(subject, &list.name, &format!("list {id}"), "LeadDesk list");
                plan.of_list.insert(id, tag.into_iter().collect());
            }
        }
        let Names { tags, rows, .. } = names;
        plan.decisions = tags.into_values().collect();
        plan.decisions.sort_by(|left, right| left.name.cmp(&right.name));
        (plan, rows.into_values().collect())
    }

    /// The tag of this name.
    #[must_use]
    pub fn decision(&self, name: &str) -> Option<&TagDecision> {
        self.decisions.iter().find(|decision| decision.name == name)
    }

    /// Tags to create, in order of name.
    pub fn drafts(&self) -> impl Iterator<Item = TagDraft> + '_ {
        let new = self.decisions.iter().filter(|decision| decision.existing.is_none());
        new.map(|decision| TagDraft {
            name: decision.name.clone(),
            description: decision.description.clone(),
        })
    }

    /// Tags of a ticket: sorted, each once.
    #[must_use]
    pub fn tags_for(&self, campaigns: &[CampaignId], list: Option<ListId>) -> Vec<String> {
        let of_campaigns = campaigns.iter().filter_map(|campaign| self.of_campaign.get(campaign));
        let of_list = list.and_then(|list| self.of_list.get(&list));
        let tags: BTreeSet<&String> = of_campaigns.chain(of_list).flatten().collect();
        tags.into_iter().cloned().collect()
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        for decision in &self.decisions {
            out.put("tag", &decision.name).put("description", &decision.description);
            out.put_option("existing", decision.existing);
            for source in &decision.sources {
                out.put("source", source);
            }
        }
        for (campaign, tags) in &self.of_campaign {
            out.put("of_campaign", campaign);
            tags.iter().for_each(|tag| {
                out.put("tag", tag);
            });
        }
        for (list, tags) in &self.of_list {
            out.put("of_list", list);
            tags.iter().for_each(|tag| {
                out.put("tag", tag);
            });
        }
    }
}

fn campaign_tags(campaign: &Campaign, settings: &MappingSettings, names: &mut Names<'_>) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    let source = format!("campaign {}", campaign.id);
    let second_is_campaign = settings.second_level == SecondLevel::Project;
    if settings.tags != TagChoice::Project || second_is_campaign {
        let subject = RowSubject::Campaign(campaign.id);
        tags.extend(names.chosen(subject, &campaign.name, &source, "LeadDesk campaign"));
    }
    if settings.tags != TagChoice::Campaign && settings.second_level == SecondLevel::Sponsor {
        let sponsor = campaign.sponsor.as_deref().map(clean_line).filter(|sponsor| !sponsor.is_empty());
        if let Some(sponsor) = sponsor {
            let subject = RowSubject::Sponsor(sponsor.clone());
            tags.extend(names.chosen(subject, &sponsor, "sponsor", "LeadDesk sponsor"));
        }
    }
    tags
}

impl Names<'_> {
    /// The tag for a subject under a person's choice; none when it was left out.
    fn chosen(&mut self, subject: RowSubject, name: &str, source: &str, what: &str) -> Option<String> {
        let (wanted, is_renamed, left) = match self.settings.choices.of(&subject) {
            Some(RowChoice::Rename { name }) => (name.clone(), true, None),
            Some(RowChoice::Leave { reason }) => (String::new(), false, Some(reason.clone())),
            _ => (name.to_owned(), false, None),
        };
        let tag = match left {
            Some(reason) => Err(reason),
            None => Ok(self.take(&wanted, source, what)),
        };
        let row = TagRow { name: clean_line(name), tag: tag.clone(), is_renamed, subject };
        self.rows.entry(row.subject.row()).or_insert(row);
        tag.ok()
    }

    /// The tag for a name.
    fn take(&mut self, name: &str, source: &str, what: &str) -> String {
        let full = clean_line(name);
        let full = if full.is_empty() { source.replace(' ', "-") } else { full };
        let mut codes = BTreeSet::new();
        let short = shortened(&full);
        if short != full {
            codes.insert(finding::TAG101_SHORTENED);
        }
        let key = folded(&short);
        let existing = self.existing.get(&key);
        if existing.is_some() {
            codes.insert(finding::TAG103_EXISTS);
        }
        let spelling = existing.map_or(short.as_str(), |tag| tag.name.as_str()).to_owned();
        let description = truncate_chars(&format!("{what}: {full}"), DESCRIPTION_CHARS_MAX).into_owned();
        let existing = existing.map(|tag| tag.id);
        let decision = self.tags.entry(key).or_insert_with(|| TagDecision {
            name: spelling,
            sources: Vec::new(),
            existing,
            codes: Vec::new(),
            description,
        });
        if decision.name != short {
            codes.insert(finding::TAG102_CASE_CLASH);
        }
        if !decision.sources.iter().any(|other| other == source) {
            if !decision.sources.is_empty() {
                codes.insert(finding::TAG104_SAME_NAME);
            }
            decision.sources.push(source.to_owned());
        }
        codes.extend(decision.codes.iter().copied());
        decision.codes = codes.into_iter().collect();
        decision.name.clone()
    }
}

/// A long name keeps its beginning and gets eight digits of its SHA-256, so that two long names stay two tags.
fn shortened(full: &str) -> String {
    if full.chars().count() <= TAG_NAME_CHARS_MAX {
        return full.to_owned();
    }
    let digest = Digest::of(full.as_bytes()).to_hex();
    format!("{} {}", truncate_chars(full, TAG_NAME_CHARS_MAX - 9), &digest[..8])
}
