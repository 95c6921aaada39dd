//! Which function this process is.

use pipeline::conduct::Function;

/// What the template names as handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Decides what comes next.
    Conduct,
    /// Does steps.
    Work(Function),
}

/// The template names a handler that there is not.
#[derive(Debug, thiserror::Error)]
#[error("_HANDLER is {0:?}; it must be conduct, extract, transform, load or reconcile")]
pub struct UnknownHandler(String);

impl Role {
    /// Reads `_HANDLER`.
    ///
    /// # Errors
    /// [`UnknownHandler`].
    pub fn from_environment() -> Result<Self, UnknownHandler> {
        Self::from_handler(&std::env::var("_HANDLER").unwrap_or_default())
    }

    fn from_handler(name: &str) -> Result<Self, UnknownHandler> {
        if name == "conduct" {
            return Ok(Self::Conduct);
        }
        let function = Function::ALL.into_iter().find(|function| function.as_str() == name);
        function.map(Self::Work).ok_or_else(|| UnknownHandler(name.to_owned()))
    }

    /// The handler's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conduct => "conduct",
            Self::Work(function) => function.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_by_name() {
        for name in ["conduct", "extract", "transform", "load", "reconcile"] {
            assert_eq!(Role::from_handler(name).unwrap().as_str(), name);
        }
        let refused = Role::from_handler("bootstrap").unwrap_err().to_string();
        assert!(refused.contains("\"bootstrap\""), "{refused}");
    }
}
