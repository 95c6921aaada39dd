//! Files that the operator supplies: tables of the admin pages, and the chatbot's ZIP exports.
//!
//! Nothing is guessed: a file that is not what it should be is refused with its reason, a broken row is put aside.
//! Deliberately absent: what the rows mean (see `extract`), and writing.

pub mod archive_check;
pub mod chat;
pub mod delimited;
pub mod fault;
pub mod folder;
pub mod table;
