//! A person types what is asked for, or passes it with `--confirm`.

use std::io::{self, BufRead, IsTerminal};

use crate::arguments::Consent;
use crate::clean;
use crate::failure::{Failure, catalogue};
use crate::screen::Screen;

/// Asks, unless the answer was passed. `command` is what is asked about, such as `rollback apply`.
pub(super) fn to(
    screen: &Screen,
    consent: &Consent,
    wanted: &str,
    consequence: &str,
    command: &str,
    may_ask: bool,
) -> Result<(), Failure> {
    let again = || format!("deskferry {command} --confirm {}", clean::line(wanted));
    let given = match &consent.confirm {
        Some(given) => given.clone(),
        None if may_ask && io::stdin().is_terminal() => {
            screen.say(format!("This {consequence}. Type {} to go on:", clean::line(wanted)));
            screen.flush();
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer)?;
            answer.trim().to_owned()
        }
        None => {
            return Err(Failure::new(&catalogue::NO_INPUT, format!("{command} waits for an answer"))
                .fix("look at the plan, then pass what has to be typed with --confirm")
                .then(again()));
        }
    };
    if given == wanted {
        return Ok(());
    }
    Err(Failure::new(&catalogue::NOT_AGREED, format!("{command} was not agreed to"))
        .with_why(format!("what was typed is not {}; nothing is changed", clean::line(wanted)))
        .then(again()))
}
