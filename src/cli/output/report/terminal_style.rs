//! The width and the colours of the output.

use std::io::{self, IsTerminal};

use clap::builder::styling::{AnsiColor, Style};

use crate::telemetry::no_color;

/// What standard output can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TerminalStyle {
    /// Colours may be used.
    pub colours: bool,
    /// Columns of the terminal; `None` if it is not a terminal, and lines may have any length.
    pub width: Option<u16>,
}

impl TerminalStyle {
    /// Returns the style of this process's standard output.
    #[must_use]
    pub(crate) fn of_stdout() -> Self {
        Self {
            colours: io::stdout().is_terminal() && !no_color(),
            width: comfy_table::Table::new().width(),
        }
    }

    /// `text` in bold.
    #[must_use]
    pub(crate) fn bold(self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    /// `text` in red: something is wrong.
    #[must_use]
    pub(crate) fn red(self, text: &str) -> String {
        self.styled(AnsiColor::Red.on_default().bold(), text)
    }

    /// `text` in yellow: a warning.
    #[must_use]
    pub(crate) fn yellow(self, text: &str) -> String {
        self.styled(AnsiColor::Yellow.on_default(), text)
    }

    /// `text` in green: a success.
    #[must_use]
    pub(crate) fn green(self, text: &str) -> String {
        self.styled(AnsiColor::Green.on_default(), text)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.colours {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_text_stays_as_it_is() {
        assert_eq!(TerminalStyle::default().red("3"), "3");
        let colourful = TerminalStyle {
            colours: true,
            width: None,
        };
        assert_eq!(colourful.green("3"), "\u{1b}[32m3\u{1b}[0m");
    }
}
