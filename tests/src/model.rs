//! The ledger's protocol as a small model, every interleaving of it: two processes, one record, time in ticks.
//!
//! Deaths, pauses, lost answers, effects that come late and look-ups that lag are choices of the model. Every part of the
//! protocol and every assumption can be taken away; each removal must lead to two effects, or the part is not needed.
//! Deliberately absent: more than one record (records do not touch each other) and lost answers of the store, which the
//! simulation has.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use stateright::{Checker, HasDiscoveries, Model, Property};

/// Ticks after which nothing new happens.
const END: u8 = 9;
/// Ticks that an announcement holds.
const HOLD: u8 = 1;
/// Ticks within which a request takes effect or never does.
const LIFE: u8 = 1;
/// Ticks within which an effect shows.
const LAG: u8 = 1;
/// Ticks that a broken assumption lets it take.
const FAR: u8 = 4;
/// Processes.
const PROCESSES: usize = 2;
/// Deaths of each.
const DEATHS: u8 = 1;

/// Arguments of `model`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// A part of the protocol, or an assumption, that is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Without {
    /// Announcements are not stored.
    Ledger,
    /// Anybody may append, whoever has taken over.
    Fence,
    /// Nobody looks whether an earlier send took effect.
    LookUp,
    /// A send without an answer is repeated at once.
    DoubtAfterSend,
    /// The life of a request is not waited for.
    LifeWait,
    /// The lag of the look-up is not waited for.
    LagWait,
    /// The hold of an earlier owner is not waited for.
    HoldWait,
    /// The end of the hold is not looked at before a send.
    HoldCheck,
    /// A process may stand still between the look at its hold and the send.
    HardKill,
    /// A request may take effect later than is waited for.
    BoundedLife,
    /// An effect may show later than is waited for.
    BoundedLag,
}

const ALL: [Without; 11] = [
    Without::Ledger,
    Without::Fence,
    Without::LookUp,
    Without::DoubtAfterSend,
    Without::LifeWait,
    Without::LagWait,
    Without::HoldWait,
    Without::HoldCheck,
    Without::HardKill,
    Without::BoundedLife,
    Without::BoundedLag,
];

/// Where a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// Not started, or dead and to be started again.
    Down,
    /// Owns an epoch; looks when it is still.
    Settles { still: u8 },
    /// May announce.
    Ready,
    /// Has announced; may send until.
    Announced { until: u8 },
    /// Has looked at its hold and is about to send.
    Sends { until: u8 },
    /// Waits for the answer of a request sent at this tick.
    Waits { since: u8 },
    /// Knows that it is done, or that another one took over.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Process {
    place: Place,
    epoch: u8,
    deaths: u8,
}

/// A request under way: it takes effect until a tick, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Request {
    until: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: u8,
    processes: [Process; PROCESSES],
    epoch: u8,
    /// End of the latest hold that stands in the ledger without an outcome.
    announced: Option<u8>,
    has_receipt: bool,
    requests: Vec<Request>,
    effects: u8,
    /// From when on the first effect shows.
    shows: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Tick,
    /// A process goes on.
    Go(usize),
    /// A process dies.
    Die(usize),
    /// The first request takes effect, and shows after so many ticks.
    Effect(u8),
    /// The answer to a process comes.
    Answer(usize),
    /// The answer never comes.
    Lose(usize),
}

#[derive(Debug, Clone, Copy)]
struct Protocol {
    without: Option<Without>,
}

impl Protocol {
    fn lacks(self, part: Without) -> bool {
        self.without == Some(part)
    }

    fn life(self) -> u8 {
        if self.lacks(Without::BoundedLife) { FAR } else { LIFE }
    }

    fn lag(self) -> u8 {
        if self.lacks(Without::BoundedLag) { FAR } else { LAG }
    }

    /// From when on an absence is believed, for sends that start at `last` at the latest.
    fn still(self, last: u8) -> u8 {
        let life = if self.lacks(Without::LifeWait) { 0 } else { LIFE };
        let lag = if self.lacks(Without::LagWait) { 0 } else { LAG };
        last + life + lag
    }

    fn go(self, world: &World, index: usize) -> Option<World> {
        let mut next = world.clone();
        let process = world.processes[index];
        let owns = self.lacks(Without::Fence) || process.epoch == world.epoch;
        let place = match process.place {
            Place::Down => {
                next.epoch += 1;
                next.processes[index].epoch = next.epoch;
                match world.announced {
                    _ if world.has_receipt => Place::Over,
                    Some(until) => {
                        let last =
                            if self.lacks(Without::HoldWait) { world.now } else { until.max(world.now) };
                        Place::Settles { still: self.still(last) }
                    }
                    None => Place::Ready,
                }
            }
            Place::Settles { still } if world.now >= still => {
                let is_found = world.shows.is_some_and(|shows| shows <= world.now);
                if !self.lacks(Without::LookUp) && is_found {
                    next.has_receipt |= owns;
                    Place::Over
                } else {
                    Place::Ready
                }
            }
            Place::Ready if !owns => Place::Over,
            Place::Ready => {
                let until = world.now + HOLD;
                if !self.lacks(Without::Ledger) {
                    next.announced = Some(until);
                }
                Place::Announced { until }
            }
            Place::Announced { until } if self.lacks(Without::HoldCheck) || world.now <= until => {
                Place::Sends { until }
            }
            // Too late to send: announced once more, after a look at who owns the ledger.
            Place::Announced { .. } => Place::Ready,
            Place::Sends { .. } => {
                next.requests.push(Request { until: world.now + self.life() });
                next.requests.sort_unstable();
                Place::Waits { since: world.now }
            }
            Place::Settles { .. } | Place::Waits { .. } | Place::Over => return None,
        };
        next.processes[index].place = place;
        Some(next)
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let process = Process { place: Place::Down, epoch: 0, deaths: 0 };
        vec![World {
            now: 0,
            processes: [process; PROCESSES],
            epoch: 0,
            announced: None,
            has_receipt: false,
            requests: Vec::new(),
            effects: 0,
            shows: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Step>) {
        if world.now < END {
            actions.push(Step::Tick);
        }
        if !world.requests.is_empty() {
            actions.extend((0..=self.lag()).map(Step::Effect));
        }
        for (index, process) in world.processes.iter().enumerate() {
            actions.push(Step::Go(index));
            if process.deaths < DEATHS && !matches!(process.place, Place::Down | Place::Over) {
                actions.push(Step::Die(index));
            }
            if matches!(process.place, Place::Waits { .. }) {
                actions.push(Step::Answer(index));
                actions.push(Step::Lose(index));
            }
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        match step {
            Step::Tick => {
                next.now += 1;
                // What has not taken effect by then never does.
                next.requests.retain(|request| request.until >= next.now);
                // A hard kill: whoever is about to send when its hold ends is not there any more.
                for process in &mut next.processes {
                    let is_late = matches!(process.place, Place::Sends { until } if next.now > until);
                    let may_be = self.lacks(Without::HardKill) || self.lacks(Without::HoldCheck);
                    if is_late && !may_be {
                        process.place = Place::Down;
                    }
                }
            }
            Step::Go(index) => return self.go(world, index),
            Step::Die(index) => {
                next.processes[index].place = Place::Down;
                next.processes[index].deaths += 1;
            }
            Step::Effect(lag) => {
                next.requests.remove(0);
                next.effects += 1;
                let shows = world.now + lag;
                next.shows = Some(world.shows.map_or(shows, |earlier| earlier.min(shows)));
            }
            Step::Answer(index) => {
                if world.effects == 0 {
                    return None;
                }
                let process = world.processes[index];
                next.has_receipt |= self.lacks(Without::Fence) || process.epoch == world.epoch;
                next.processes[index].place = Place::Over;
            }
            Step::Lose(index) => {
                let Place::Waits { since } = world.processes[index].place else { return None };
                next.processes[index].place = if self.lacks(Without::DoubtAfterSend) {
                    Place::Ready
                } else {
                    Place::Settles { still: self.still(since) }
                };
            }
        }
        Some(next)
    }

    fn within_boundary(&self, world: &World) -> bool {
        // A broken protocol may send without end; two effects are enough.
        world.effects <= 2 && world.requests.len() <= 2
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one effect", |_, world: &World| world.effects <= 1),
            Property::always("a receipt is true", |_, world: &World| !world.has_receipt || world.effects > 0),
            Property::sometimes("it can be done", |_, world: &World| world.has_receipt),
            Property::sometimes("it can be done after a death, without a second send", |_, world: &World| {
                world.has_receipt
                    && world.effects == 1
                    && world.processes.iter().any(|process| process.deaths > 0)
            }),
            Property::sometimes("an owner can be overtaken", |_, world: &World| {
                world.epoch > 1 && world.processes.iter().any(|process| process.epoch == 1)
            }),
        ]
    }
}

/// Checks the protocol, then each removal.
pub(crate) fn run(_: &Arguments) -> ExitCode {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = |without| Protocol { without }.checker().threads(threads);
    let whole = checker(None).spawn_bfs().join();
    let violated = ["at most one effect", "a receipt is true"]
        .into_iter()
        .filter(|name| whole.discovery(name).is_some())
        .collect::<Vec<_>>();
    let reached = [
        "it can be done",
        "it can be done after a death, without a second send",
        "an owner can be overtaken",
    ]
    .into_iter()
    .filter(|name| whole.discovery(name).is_some())
    .count();
    println!(
        "{}",
        json!({
            "type": "protocol",
            "unique_states": whole.unique_state_count(),
            "violated": violated,
            "reached": reached,
            "seconds": crate::measured::round(started.elapsed().as_secs_f64()),
        })
    );
    let mut unneeded = Vec::new();
    for without in ALL {
        let checker = checker(Some(without)).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found = checker.discovery("at most one effect");
        println!(
            "{}",
            json!({
                "type": "removal",
                "without": format!("{without:?}"),
                "unique_states": checker.unique_state_count(),
                "steps_to_two_effects": found.as_ref().map(|path| path.clone().into_actions().len()),
            })
        );
        if found.is_none() {
            unneeded.push(format!("{without:?}"));
        }
    }
    let is_right = violated.is_empty() && reached == 3 && unneeded.is_empty();
    println!("{}", json!({ "type": "summary", "is_right": is_right, "removals_without_effect": unneeded }));
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_holds_and_every_part_of_it_is_needed() {
        assert_eq!(run(&Arguments { json: true }), ExitCode::SUCCESS);
    }
}
