//! Decides what a migration from LeadDesk to Gorgias writes, and whether what arrived is right.
//!
//! Everything here is a pure function over two vocabularies, [`leaddesk`] and [`gorgias`]; there is no third.
//! Deliberately absent: input and output, async, the clock, chance, and any JSON shape of either system.
//! Instants are UTC; money does not occur.

// Vocabularies.
pub mod gorgias;
pub mod keys;
pub mod leaddesk;

// Words and values.
pub mod call_template;
pub mod canonical;
pub mod contact_point;
pub mod finding;
pub mod local_time;
pub mod reject;
pub mod settings;
pub mod text;

// What becomes of what.
pub mod approval;
pub mod call_home;
pub mod call_note;
pub mod chat;
pub mod customer;
pub mod fields;
pub mod lead_card;
pub mod mapping;
pub mod message;
pub mod person;
pub mod residency;
pub mod sample;
pub mod suggest;
pub mod tags;
pub mod teams;
pub mod ticket;
pub mod users;

// Writing, and proving it.
pub mod compare;
pub mod cutover;
pub mod decide;
pub mod forecast;
pub mod ledger;
pub mod load_order;
pub mod load_plan;
pub mod loss;
pub mod pacer;
pub mod repair;
pub mod rollback;
pub mod spot_check;
pub mod working_hours;
