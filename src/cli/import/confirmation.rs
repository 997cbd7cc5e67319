//! The word that stands between a roster and the deactivation of whoever it does not list.

use std::io::{self, IsTerminal, Write};

use super::super::failure::UsageError;

/// What the server wants to see (semantics §7).
pub const WORD: &str = "Confirm";

/// Whom to ask.
pub enum Asking {
    /// Somebody sits at the terminal.
    Terminal,
    /// Nobody can be asked: a script, or standard input is the roster.
    Nobody,
}

impl Asking {
    /// Looks whether somebody can be asked.
    #[must_use]
    pub fn of_process(roster_on_stdin: bool) -> Self {
        if !roster_on_stdin && io::stdin().is_terminal() && io::stderr().is_terminal() {
            Self::Terminal
        } else {
            Self::Nobody
        }
    }
}

/// Returns the word as given by option, or as typed.
///
/// # Errors
/// Where it is not given, or is another word.
pub fn confirmation(
    given: Option<&str>,
    asking: &Asking,
    read_line: impl FnOnce() -> io::Result<String>,
) -> Result<String, UsageError> {
    let word = match (given, asking) {
        (Some(word), _) => word.to_owned(),
        (None, Asking::Nobody) => {
            return Err(UsageError::new(
                "--deactivate-missing needs --confirm Confirm where nobody can be asked.",
            ));
        }
        (None, Asking::Terminal) => {
            read_line().map_err(|error| UsageError::new(format!("No answer: {error}.")))?
        }
    };
    if word.trim() == WORD {
        return Ok(WORD.to_owned());
    }
    Err(UsageError::new(format!(
        "Not confirmed, so nothing was sent: the word is {WORD}.",
    )))
}

/// Asks on the terminal.
///
/// # Errors
/// Where the terminal is gone.
pub fn ask(organization: &str) -> io::Result<String> {
    eprint!(
        "The users of {organization} whom the roster does not list will be deactivated.\n\
         Type {WORD} to go on: "
    );
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::option(Some("Confirm"), Asking::Nobody, "", true)]
    #[case::typed(None, Asking::Terminal, "Confirm\r\n", true)]
    #[case::wrong_case(Some("confirm"), Asking::Terminal, "Confirm\n", false)]
    #[case::yes_is_not_the_word(None, Asking::Terminal, "yes\n", false)]
    #[case::end_of_input(None, Asking::Terminal, "", false)]
    #[case::nobody_there(None, Asking::Nobody, "Confirm\n", false)]
    fn only_the_word_confirms(
        #[case] given: Option<&str>,
        #[case] asking: Asking,
        #[case] typed: &str,
        #[case] confirmed: bool,
    ) {
        let answer = confirmation(given, &asking, || Ok(typed.to_owned()));
        assert_eq!(answer.is_ok_and(|word| word == WORD), confirmed);
    }
}
