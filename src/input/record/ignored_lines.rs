//! Lines that a mapping says are no records: those above the header, and those that begin with a prefix.

use crate::input::mapping::LineRules;

/// Finds the lines that are no records.
pub(super) struct IgnoredLines {
    rules: LineRules,
    /// The reader is in such a line.
    is_inside: bool,
    /// The beginning of a line that may be such a line.
    held: Vec<u8>,
    /// Number of lines with a prefix, and the first of them (1 = first line).
    found: (u32, u32),
}

/// What [`IgnoredLines`] has read.
pub(super) enum LinesRead {
    /// Nothing more: the line is a record that begins with these bytes, which were read before.
    Held(Vec<u8>),
    /// All input. The line goes on.
    All,
    /// A line that is no record, without its line end.
    UpToLineEnd,
}

impl IgnoredLines {
    pub(super) fn new(rules: &LineRules) -> Self {
        Self {
            rules: rules.clone(),
            is_inside: false,
            held: Vec::new(),
            found: (0, 0),
        }
    }

    /// Returns how many lines had a prefix so far, and the number of the first of them, or `None` if none had.
    pub(super) fn found(&self) -> Option<(u32, u32)> {
        Some(self.found).filter(|(count, _)| *count > 0)
    }

    /// Takes the bytes that were read as the beginning of a line.
    pub(super) fn take_held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Returns `true` if nothing of the current line has been read.
    pub(super) const fn is_at_beginning(&self) -> bool {
        !self.is_inside && self.held.is_empty()
    }

    /// Reads the line `at_line` from `input` as long as it is no record, or may still turn out to be none.
    pub(super) fn pass(&mut self, input: &mut &[u8], at_line: u32) -> LinesRead {
        if !self.is_inside {
            let is_leading = at_line <= self.rules.leading;
            self.is_inside = is_leading || self.begins_with_prefix(input);
            if self.is_inside && !is_leading {
                let (count, first) = self.found;
                let first = if count == 0 { at_line } else { first };
                self.found = (count.saturating_add(1), first);
            }
            if !self.is_inside && self.may_begin_with_prefix(input) {
                self.held.extend_from_slice(input);
                *input = &[];
                return LinesRead::All;
            }
        }
        if !self.is_inside {
            return LinesRead::Held(self.take_held());
        }
        self.held.clear();
        let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        *input = &input[end.unwrap_or(input.len())..];
        self.is_inside = end.is_none();
        match end {
            Some(_) => LinesRead::UpToLineEnd,
            None => LinesRead::All,
        }
    }

    fn begins_with_prefix(&self, input: &[u8]) -> bool {
        let begins = |prefix: &Vec<u8>| {
            let rest = prefix.strip_prefix(&*self.held);
            rest.is_some_and(|rest| input.starts_with(rest))
        };
        self.rules.prefixes.iter().any(begins)
    }

    /// Returns `true` if more bytes could make the line begin with a prefix.
    fn may_begin_with_prefix(&self, input: &[u8]) -> bool {
        let may = |prefix: &Vec<u8>| {
            let rest = prefix.strip_prefix(&*self.held);
            rest.is_some_and(|rest| rest.starts_with(input))
        };
        self.rules.prefixes.iter().any(may)
    }
}
