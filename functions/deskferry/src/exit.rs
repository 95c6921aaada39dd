//! Exit codes. They are part of the interface: scripts decide by them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// An error that has no code of its own.
    Error,
    /// Wrong arguments or configuration.
    Usage,
    /// Differences were found, and `--strict` asked to be told so.
    Differences,
    /// Finished, and some records failed.
    SomeFailed,
    /// The approval is missing or stale.
    Approval,
    /// Credentials, permission or tier.
    Access,
    /// Stopped by a limit or a deadline; can be resumed.
    Stopped,
    /// Interrupted; can be resumed.
    Interrupted,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Done,
        Self::Error,
        Self::Usage,
        Self::Differences,
        Self::SomeFailed,
        Self::Approval,
        Self::Access,
        Self::Stopped,
        Self::Interrupted,
    ];

    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Differences => 3,
            Self::SomeFailed => 4,
            Self::Approval => 5,
            Self::Access => 6,
            Self::Stopped => 7,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_published_ones() {
        let codes: Vec<u8> = Exit::ALL.into_iter().map(Exit::code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    }
}
