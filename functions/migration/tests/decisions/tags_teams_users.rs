//! Tags, teams and users.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::gorgias;
use migration::leaddesk::{CampaignId, Group, GroupId, ListId, Office, User, UserId};
use migration::settings::{MappingSettings, SecondLevel, TagChoice};
use migration::tags::TagPlan;
use migration::teams::{TeamAction, TeamPlan, TeamPlanInput, key_in_description};
use migration::users::{Named, UserMatches, gorgias_role, match_users};
use proptest::prelude::*;

use crate::support::{campaign, gorgias_user, list, notes_text, seeded, settings, user};

fn shown_tags(plan: &TagPlan) -> String {
    let mut out = String::new();
    for decision in &plan.decisions {
        let codes: Vec<&str> = decision.codes.iter().map(|code| code.as_str()).collect();
        let existing = decision.existing.map_or(String::new(), |id| format!(" = tag {id}"));
        writeln!(out, "{}{existing} [{}] {}", decision.name, decision.sources.join(", "), codes.join(" "))
            .unwrap();
    }
    for (campaign, tags) in &plan.of_campaign {
        writeln!(out, "campaign {campaign}: {}", tags.join(" | ")).unwrap();
    }
    for (list, tags) in &plan.of_list {
        writeln!(out, "list {list}: {}", tags.join(" | ")).unwrap();
    }
    out
}

#[test]
fn tag_levels() {
    let campaigns = [campaign(12, "Q4-Outbound-SMS", "Sponsor A"), campaign(13, "Renewals", "")];
    let lists = [list(7, "Autumn", &[12])];
    let check = |tags: TagChoice, second_level: SecondLevel, expected: &Expect| {
        let settings = MappingSettings { tags, second_level, ..settings() };
        let plan = TagPlan::build(&campaigns, &lists, &settings, &[]);
        let of_ticket = plan.tags_for(&[CampaignId(12)], Some(ListId(7)));
        let without: Vec<String> = plan.without_second_level.iter().map(ToString::to_string).collect();
        expected.assert_eq(&format!("{} / without second: {}", of_ticket.join(" | "), without.join(" ")));
    };
    check(
        TagChoice::Both,
        SecondLevel::Sponsor,
        &expect!["Q4-Outbound-SMS | Sponsor A / without second: 13"],
    );
    check(TagChoice::Both, SecondLevel::List, &expect!["Autumn | Q4-Outbound-SMS / without second: "]);
    check(TagChoice::Both, SecondLevel::Project, &expect!["Q4-Outbound-SMS / without second: "]);
    check(TagChoice::Campaign, SecondLevel::Sponsor, &expect!["Q4-Outbound-SMS / without second: "]);
    check(TagChoice::Project, SecondLevel::Sponsor, &expect!["Sponsor A / without second: 13"]);
    check(TagChoice::Project, SecondLevel::List, &expect!["Autumn / without second: "]);
    check(TagChoice::Project, SecondLevel::Project, &expect!["Q4-Outbound-SMS / without second: "]);
}

#[test]
fn tag_names_are_settled_by_rule() {
    let long = "L".repeat(300);
    let campaigns = [
        campaign(2, "Sales", ""),
        campaign(1, "SALES", ""),
        campaign(3, "vip", "Acme"),
        campaign(4, " ", "acme"),
        campaign(5, &long, ""),
        campaign(6, "SALES", ""),
    ];
    let existing = [gorgias::Tag { id: gorgias::TagId(9), name: "VIP".to_owned() }];
    let plan = TagPlan::build(&campaigns, &[], &settings(), &existing);
    let shown = shown_tags(&plan).replace(&"L".repeat(240), "L(240)");
    expect![[r#"
        Acme [sponsor] TAG102
        LLLLLL… 10bf7a12 [campaign 5] TAG101
        SALES [campaign 1, campaign 2, campaign 6] TAG102 TAG104
        VIP = tag 9 [campaign 3] TAG102 TAG103
        campaign-4 [campaign 4] 
        campaign 1: SALES
        campaign 2: SALES
        campaign 3: Acme | VIP
        campaign 4: Acme | campaign-4
        campaign 5: LLLLLL… 10bf7a12
        campaign 6: SALES
    "#]]
    .assert_eq(&shown.replace("L(240)", ""));
    let drafts: Vec<String> = plan.drafts().map(|draft| draft.name.chars().take(10).collect()).collect();
    assert_eq!(drafts, ["Acme", "LLLLLLLLLL", "SALES", "campaign-4"], "what exists is not created");
}

fn office(name: &str, zone: &str) -> Office {
    Office { name: name.to_owned(), time_zone: (!zone.is_empty()).then(|| zone.to_owned()) }
}

fn group(id: u64, name: &str, usernames: &[&str]) -> Group {
    let usernames = usernames.iter().map(|name| (*name).to_owned()).collect();
    Group { id: GroupId(id), name: name.to_owned(), usernames }
}

fn in_office(user: User, office: &str) -> User {
    User { office: Some(office.to_owned()), ..user }
}

fn shown_teams(plan: &TeamPlan) -> String {
    let mut out = String::new();
    for team in &plan.teams {
        let action = match team.action {
            TeamAction::Create => String::new(),
            TeamAction::Reuse(id) => format!(" = team {id}"),
        };
        let members: Vec<String> = team.draft.members.iter().map(ToString::to_string).collect();
        writeln!(out, "{} `{}`{action} members: {}", team.draft.key, team.draft.name, members.join(" "))
            .unwrap();
        writeln!(out, "  {}", team.draft.description).unwrap();
    }
    for (user, team) in &plan.of_user {
        writeln!(out, "user {user} in {team}").unwrap();
    }
    out + &notes_text(&plan.notes)
}

#[test]
fn offices_and_groups_become_teams() {
    let users = [
        in_office(user(1, "Lea Lead", "lead@company.example", "Team Leader"), "Oulu"),
        in_office(user(2, "Agent Two", "two@company.example", "Agent"), "Oulu"),
        in_office(user(3, "Agent Three", "", "Agent"), "Turku"),
        user(4, "Agent Four", "four@company.example", "Agent"),
    ];
    let present = [gorgias_user(10, "LEAD@company.example"), gorgias_user(20, "two@company.example")];
    let matches = match_users(&users, &present);
    let existing = [
        gorgias::Team { id: gorgias::TeamId(5), name: "oulu".to_owned(), description: None },
        gorgias::Team {
            id: gorgias::TeamId(6),
            name: "Renamed by people".to_owned(),
            description: Some("LeadDesk agent group. Key: leaddesk:group:8".to_owned()),
        },
    ];
    let plan = TeamPlan::build(&TeamPlanInput {
        users: &users,
        offices: &[office("Oulu", "Europe/Helsinki"), office("Empty", ""), office(" ", "")],
        groups: &[
            group(7, "Turku", &["AGENT2", "agent4", "unknown"]),
            group(8, "Sales", &["agent1", "agent2"]),
        ],
        existing: &existing,
        matches: &matches,
    });
    expect![[r"
        group:7 `Turku (group)` members: 2
          LeadDesk agent group. Key: leaddesk:group:7
        group:8 `Renamed by people` = team 6 members: 1 2
          LeadDesk agent group. Leaders: Lea Lead. Key: leaddesk:group:8
        office:Empty `Empty` members: 
          LeadDesk office. Key: leaddesk:office:Empty
        office:Oulu `Oulu (office)` members: 1 2
          LeadDesk office. Time zone: Europe/Helsinki. Leaders: Lea Lead. Key: leaddesk:office:Oulu
        office:Turku `Turku (office)` members: 
          LeadDesk office. Key: leaddesk:office:Turku
        user 1 in group:8
        user 2 in group:7
        user 3 in office:Turku
        user 4 in group:7
        TEA101 office/Oulu becomes `Oulu (office)`
        TEA101 office/Turku becomes `Turku (office)`
        TEA101 group/7 becomes `Turku (group)`
        TEA102 group/8 team 6
        TEA103 office/Empty 0 accounts, none with a user
        TEA103 office/Turku 1 accounts, none with a user
        TEA104 office/Oulu Europe/Helsinki
        TEA105 office/Oulu 1 leaders
        TEA105 group/8 1 leaders
    "]]
    .assert_eq(&shown_teams(&plan));
    for team in &plan.teams {
        assert_eq!(key_in_description(&team.draft.description).as_ref(), Some(&team.draft.key));
    }
}

fn shown_users(matches: &UserMatches) -> String {
    let mut out = String::new();
    for (user, gorgias_user) in &matches.matched {
        writeln!(out, "{user} = user {gorgias_user}").unwrap();
    }
    for provision in &matches.to_provision {
        let active = if provision.is_active { "" } else { " (left)" };
        writeln!(out, "{} as {} {}{active}", provision.user, provision.role, provision.reason.as_str())
            .unwrap();
    }
    for group in &matches.shared_email {
        writeln!(out, "share: {}", group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .unwrap();
    }
    out
}

#[test]
fn users_match_by_email() {
    let mut users = vec![
        user(6, "Gone", "gone@company.example", "Agent"),
        user(1, "Admin", "Boss@Company.example", "Admin"),
        user(2, "Agent", "agent@company.example", "Agent"),
        user(3, "No Mail", "", "Agent"),
        user(4, "Boss Agent", "shared@company.example", "Agent"),
        user(5, "Boss Admin", "SHARED@company.example", "Team Leader"),
        user(7, "Off", "off@company.example", "Sponsor"),
    ];
    users[0].is_active = false;
    let mut present = vec![
        gorgias_user(10, "boss@company.example"),
        gorgias_user(20, "shared@company.example"),
        gorgias_user(30, "off@company.example"),
        gorgias_user(40, ""),
    ];
    present[2].is_active = false;
    let matches = match_users(&users, &present);
    expect![[r"
        1 = user 10
        2 as basic-agent no_user
        3 as basic-agent no_email
        4 as basic-agent shared_email
        5 as agent shared_email
        6 as basic-agent no_user (left)
        7 as observer-agent deactivated
        share: 4 5
    "]]
    .assert_eq(&shown_users(&matches));
    let blocking: Vec<u64> = matches.blocking().map(|provision| provision.user.0).collect();
    assert_eq!(blocking, [2, 3, 4, 5, 7], "people who left hold nothing up");

    let mut choices = settings();
    choices.users_by_hand.insert(UserId(4), gorgias::UserId(20));
    choices.users_by_hand.insert(UserId(99), gorgias::UserId(20));
    choices.placeholder_users.extend([UserId(3), UserId(4), UserId(99)]);
    let settled = matches.with_choices(&choices);
    expect![[r"
        1 = user 10
        4 = user 20
        2 as basic-agent no_user
        5 as agent shared_email
        6 as basic-agent no_user (left)
        7 as observer-agent deactivated
        share: 4 5
    "]]
    .assert_eq(&shown_users(&settled));
    assert_eq!(settled.sender(Some(UserId(4))), gorgias::Sender::User(UserId(4)));
    assert_eq!(settled.sender(Some(UserId(3))), gorgias::Sender::ServiceUser);
    assert_eq!(settled.sender(None), gorgias::Sender::ServiceUser);
}

#[test]
fn roles() {
    let check = |role: &str, expected: &str| assert_eq!(gorgias_role(role), expected, "{role:?}");
    check("Admin", "admin");
    check("Team Leader", "agent");
    check("team_leader", "agent");
    check("teamleader", "agent");
    check("Manager", "agent");
    check("Agent", "basic-agent");
    check("Sponsor", "observer-agent");
    check("Something new", "observer-agent");
    check("", "observer-agent");
}

#[test]
fn names_that_two_carry_find_nobody() {
    let users = [
        user(1, "Agent One", "", "Agent"),
        user(2, "Same Name", "", "Agent"),
        user(3, "same  name", "", "Agent"),
    ];
    let index = match_users(&users, &[]).by_name();
    assert_eq!(index.find(" agent ONE "), Named::One(UserId(1)));
    assert_eq!(index.find("agent1"), Named::One(UserId(1)), "the login name");
    assert_eq!(index.find("Same Name"), Named::Ambiguous);
    assert_eq!(index.find("Nobody"), Named::Unknown);
    assert_eq!(index.find(""), Named::Unknown);
}

proptest! {
    #![proptest_config(seeded(200))]

    #[test]
    fn tags_fit_and_do_not_depend_on_order(names in proptest::collection::vec("[aAbB ]{0,3}|x{250,260}", 0..12)) {
        let mut campaigns: Vec<_> =
            names.iter().enumerate().map(|(index, name)| campaign(index as u64 + 1, name, "")).collect();
        let plan = TagPlan::build(&campaigns, &[], &settings(), &[]);
        for decision in &plan.decisions {
            prop_assert!((1..=256).contains(&decision.name.chars().count()));
        }
        for tags in plan.of_campaign.values() {
            prop_assert_eq!(tags.len(), 1);
            prop_assert!(plan.decisions.iter().any(|decision| decision.name == tags[0]));
        }
        campaigns.reverse();
        prop_assert_eq!(TagPlan::build(&campaigns, &[], &settings(), &[]), plan);
    }

    #[test]
    fn team_names_are_unique(
        offices in proptest::collection::vec("[aA]{1,2}", 0..6),
        groups in proptest::collection::vec("[aA]{1,2}", 0..6),
        taken in proptest::collection::vec("[aA]{1,2}|a \\(office\\)", 0..4),
    ) {
        let offices: Vec<Office> = offices.iter().map(|name| office(name, "")).collect();
        let groups: Vec<Group> =
            groups.iter().enumerate().map(|(index, name)| group(index as u64 + 1, name, &[])).collect();
        let existing: Vec<gorgias::Team> = taken
            .iter()
            .enumerate()
            .map(|(index, name)| gorgias::Team { id: gorgias::TeamId(index as u64), name: name.clone(), description: None })
            .collect();
        let matches = UserMatches::default();
        let input = TeamPlanInput { users: &[], offices: &offices, groups: &groups, existing: &existing, matches: &matches };
        let plan = TeamPlan::build(&input);
        let mut names: Vec<String> = plan.teams.iter().map(|team| team.draft.name.to_lowercase()).collect();
        prop_assert!(names.iter().all(|name| !taken.iter().any(|taken| taken.to_lowercase() == *name)));
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), plan.teams.len());
    }
}
