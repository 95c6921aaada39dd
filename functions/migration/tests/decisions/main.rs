//! Every decision of the crate, as tables and properties. No network, no files, no clock.

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod chats;
mod choices;
#[cfg(test)]
mod comparing;
#[cfg(test)]
mod customers;
#[cfg(test)]
mod cutovers;
#[cfg(test)]
mod deciding;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod forecasting;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod ledgers;
#[cfg(test)]
mod losing;
#[cfg(test)]
mod mappings;
#[cfg(test)]
mod pacing;
#[cfg(test)]
mod persons;
#[cfg(test)]
mod planning;
#[cfg(test)]
mod repairing;
#[cfg(test)]
mod rolling_back;
#[cfg(test)]
mod sampling;
#[cfg(test)]
mod suggesting;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tags_teams_users;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod words;
