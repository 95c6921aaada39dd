//! Rehearsals as processes: the real account is only read, also when one is killed half-way, and nothing of a rehearsal is
//! taken for the run.

use std::collections::BTreeMap;

use super::world::World;

/// Requests that would change the account.
fn writes(requests: &BTreeMap<String, u64>) -> Vec<&String> {
    requests.keys().filter(|route| !route.starts_with("GET ")).collect()
}

fn line<'a>(told: &'a str, start: &str) -> &'a str {
    told.lines().find(|line| line.starts_with(start)).unwrap_or_default()
}

#[test]
fn a_rehearsal_only_reads_the_account_and_leaves_the_run_as_it_was() {
    let mut world = World::new();
    world.direct("twins --seed 5 --contacts 40 --calls 60");
    let before = world.account();
    let told = world.run("rehearse --yes --by Reviewer");
    assert!(told.contains("Verdict     pass"), "{told}");
    assert!(line(&told, "Again").contains("0 different"), "{told}");
    assert_eq!(told.matches("all equal").count(), 2, "{told}");
    let asked = world.requests();
    assert!(asked.len() > 8 && writes(&asked).is_empty(), "{asked:?}");
    assert_eq!(world.account(), before);
    // The run itself has prepared nothing, and goes on from its approval.
    let status = world.run("status");
    assert!(!status.contains("exit"), "{status}");
    let run = world.run("run");
    assert!(line(&run, "Verdict").contains("pass"), "{run}");
    let requests = world.requests();
    assert_eq!(requests.get("POST /api/tickets"), Some(&160), "{requests:?}");
    // Once the run writes there is nothing to rehearse.
    let late = world.run(&format!("rehearse --run {}", world.name("run/acme/runs/*")));
    assert!(late.contains("writes already") && late.contains("exit 1"), "{late}");
}

#[test]
fn a_rehearsal_that_is_killed_begins_anew_and_asks_leaddesk_nothing_twice() {
    let mut world = World::new();
    world.direct("twins --seed 5 --contacts 40 --calls 60");
    world.killed("--json rehearse --yes", "\"part\":\"chats\"");
    let before = world.contacts_read();
    assert!(before > 0);
    let told = world.run("rehearse");
    assert!(told.contains("was interrupted"), "{told}");
    assert!(told.contains("Rehearsal   2 of run") && told.contains("Verdict     pass"), "{told}");
    assert_eq!(world.contacts_read(), before, "cards of contacts were asked for again");
    assert!(writes(&world.requests()).is_empty());
    assert!(!world.run("rehearse --remove").contains("exit"));
    assert!(!world.is_there("run/acme/rehearsals"));
}

#[test]
fn what_would_reach_a_customer_is_seen_at_the_stand_in() {
    let mut world = World::new();
    world.direct("twins --seed 5 --contacts 40 --calls 60");
    // Somebody accepts by name that rules stay on; one of them answers every ticket.
    world.direct("replace [store] => [accept]\\nfindings = [\"DIS201\"]\\n\\n[store] in migration.toml");
    let told = world.run("rehearse --yes --by Reviewer");
    assert!(!told.contains("Verdict     pass") && told.contains("exit"), "{told}");
    assert!(told.contains("outgoing") || told.contains("REH204"), "{told}");
    assert!(writes(&world.requests()).is_empty());
}
