//! The `snapshot` command as people and programs see it, on a small generated lake.

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod human;
#[cfg(test)]
mod machine;
