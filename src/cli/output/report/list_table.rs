//! Lists as text: a record a line, as many columns as the terminal has room for, and short IDs.
//!
//! Pure. A list that is not for a terminal has whole values, columns that are two spaces apart and `-` for a blank, so
//! that a script can cut it apart.

use std::{borrow::Cow, collections::HashSet};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use uuid::Uuid;

use super::{TerminalStyle, text::printable};

/// Between two columns.
const GAP: &str = "  ";

/// Least characters of a short ID.
const SHORT_ID: usize = 8;

/// The mark at the end of a shortened value.
const CUT: char = '…';

/// A column of a list of `T`.
pub(crate) struct ListColumn<T: 'static> {
    heading: &'static str,
    value: fn(&T) -> String,
    kind: ColumnKind,
    room: ColumnRoom,
}

/// The values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnKind {
    /// Text that may be shortened to this many characters.
    Text(usize),
    /// Text that is never shortened, such as a time.
    Whole,
    /// Numbers, which are aligned to the right.
    Number,
    /// IDs. On a terminal, UUIDs are shortened as long as the list's IDs still differ.
    Id,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnRoom {
    /// Always.
    Needed,
    /// If the terminal has room for it, or the list is not for a terminal.
    Offered,
    /// Only in a wide list.
    Wide,
}

impl<T> ListColumn<T> {
    /// Text that is shortened to no less than `least` characters on a narrow terminal.
    pub(crate) const fn text(heading: &'static str, value: fn(&T) -> String, least: usize) -> Self {
        Self::new(heading, value, ColumnKind::Text(least))
    }

    /// Text that is never shortened.
    pub(crate) const fn whole(heading: &'static str, value: fn(&T) -> String) -> Self {
        Self::new(heading, value, ColumnKind::Whole)
    }

    /// Numbers.
    pub(crate) const fn number(heading: &'static str, value: fn(&T) -> String) -> Self {
        Self::new(heading, value, ColumnKind::Number)
    }

    /// IDs. Commands that take one accept its beginning, if no other ID begins so.
    pub(crate) const fn id(heading: &'static str, value: fn(&T) -> String) -> Self {
        Self::new(heading, value, ColumnKind::Id)
    }

    const fn new(heading: &'static str, value: fn(&T) -> String, kind: ColumnKind) -> Self {
        Self {
            heading,
            value,
            kind,
            room: ColumnRoom::Needed,
        }
    }

    /// The column, shown if there is room for it.
    pub(crate) const fn if_room(mut self) -> Self {
        self.room = ColumnRoom::Offered;
        self
    }

    /// The column, shown only in a wide list.
    pub(crate) const fn if_wide(mut self) -> Self {
        self.room = ColumnRoom::Wide;
        self
    }
}

/// The list as text, a record a line in the order given. A wide list has all columns; if the terminal has no room for
/// them, each record is a block with a line for each of its values.
#[must_use]
pub(crate) fn list_text<T>(
    items: &[T],
    columns: &[ListColumn<T>],
    is_wide: bool,
    style: TerminalStyle,
) -> String {
    let Some(width) = style.width.map(usize::from) else {
        let columns: Vec<_> = columns
            .iter()
            .filter(|column| is_wide || column.room != ColumnRoom::Wide)
            .map(|column| MeasuredColumn::of_script(column, items))
            .collect();
        return table(&columns, items.len(), style);
    };
    let measured = columns
        .iter()
        .map(|column| MeasuredColumn::of_terminal(column, items, is_wide));
    let chosen = match is_wide {
        true => measured.collect(),
        false => with_room(measured.collect(), width),
    };
    match fit(chosen, width, is_wide) {
        Ok(columns) => table(&columns, items.len(), style),
        Err(columns) => blocks(&columns, items.len(), style),
    }
}

/// A column with the texts of its cells.
struct MeasuredColumn {
    heading: &'static str,
    cells: Vec<String>,
    kind: ColumnKind,
    room: ColumnRoom,
    /// Columns of the terminal that it takes.
    width: usize,
}

impl MeasuredColumn {
    /// Whole values on one line each, without spaces that would look like the end of a column.
    fn of_script<T>(column: &ListColumn<T>, items: &[T]) -> Self {
        let cell = |item| {
            let value = (column.value)(item);
            match value.split_whitespace().collect::<Vec<_>>() {
                words if words.is_empty() => "-".to_owned(),
                words => printable(&words.join(" ")).into_owned(),
            }
        };
        Self::new(column, items.iter().map(cell).collect())
    }

    fn of_terminal<T>(column: &ListColumn<T>, items: &[T], is_wide: bool) -> Self {
        let cell = |item| printable((column.value)(item).trim()).into_owned();
        let mut cells: Vec<String> = items.iter().map(cell).collect();
        if column.kind == ColumnKind::Id && !is_wide {
            shorten_ids(&mut cells);
        }
        Self::new(column, cells)
    }

    fn new<T>(column: &ListColumn<T>, cells: Vec<String>) -> Self {
        let widths = cells.iter().map(|cell| cell.width());
        Self {
            heading: column.heading,
            width: widths.chain([column.heading.width()]).max().unwrap_or(0),
            cells,
            kind: column.kind,
            room: column.room,
        }
    }

    /// The least width in which it can be read.
    fn least(&self) -> usize {
        match self.kind {
            ColumnKind::Text(least) => self.width.min(least.max(self.heading.width())),
            _ => self.width,
        }
    }

    /// The width in which most of it can be read.
    fn comfortable(&self) -> usize {
        self.width.min(self.least() * 2)
    }

    /// Returns a cell in the column's width. The last cell of a line is not padded.
    fn padded(&self, cell: &str, is_last: bool) -> String {
        let cell = cut(cell, self.width);
        let room = " ".repeat(self.width.saturating_sub(cell.width()));
        match self.kind {
            ColumnKind::Number => format!("{room}{cell}"),
            _ if is_last => cell.into_owned(),
            _ => format!("{cell}{room}"),
        }
    }
}

/// The width of columns of these widths, side by side.
fn side_by_side(widths: impl Iterator<Item = usize>) -> usize {
    let (mut all, mut columns) = (0, 0_usize);
    for width in widths {
        all += width;
        columns += 1;
    }
    all + GAP.len() * columns.saturating_sub(1)
}

/// The columns that a terminal of this width has room for, in their order.
fn with_room(columns: Vec<MeasuredColumn>, width: usize) -> Vec<MeasuredColumn> {
    let needed = columns
        .iter()
        .filter(|column| column.room == ColumnRoom::Needed);
    let mut taken = side_by_side(needed.map(MeasuredColumn::comfortable));
    let mut has_room = |column: &MeasuredColumn| match column.room {
        ColumnRoom::Needed => true,
        ColumnRoom::Wide => false,
        ColumnRoom::Offered => {
            let more = GAP.len() + column.comfortable();
            let fits = taken + more <= width;
            taken += if fits { more } else { 0 };
            fits
        }
    };
    columns
        .into_iter()
        .filter(|column| has_room(column))
        .collect()
}

/// Narrows the columns to the terminal's width. Returns them unchanged if they would be too narrow to read.
fn fit(
    mut columns: Vec<MeasuredColumn>,
    width: usize,
    is_wide: bool,
) -> Result<Vec<MeasuredColumn>, Vec<MeasuredColumn>> {
    let whole = side_by_side(columns.iter().map(|column| column.width));
    if whole <= width {
        return Ok(columns);
    }
    let least = side_by_side(columns.iter().map(MeasuredColumn::least));
    // A wide list is for whole values.
    if is_wide || least > width {
        return Err(columns);
    }
    let mut widths: Vec<usize> = columns.iter().map(MeasuredColumn::least).collect();
    let mut room = width - least;
    while room > 0 {
        // The narrowest of the columns that lack room comes first.
        let lacking = widths.iter_mut().zip(&columns);
        let lacking = lacking.filter(|(given, column)| **given < column.width);
        let Some((given, _)) = lacking.min_by_key(|(given, _)| **given) else {
            break;
        };
        *given += 1;
        room -= 1;
    }
    for (column, width) in columns.iter_mut().zip(widths) {
        column.width = width;
    }
    Ok(columns)
}

fn table(columns: &[MeasuredColumn], records: usize, style: TerminalStyle) -> String {
    let last = columns.len().saturating_sub(1);
    let line = |cell: &dyn Fn(&MeasuredColumn) -> String| {
        let cells = columns.iter().enumerate();
        let cells = cells.map(|(index, column)| column.padded(&cell(column), index == last));
        cells.collect::<Vec<_>>().join(GAP)
    };
    let headings = line(&|column| column.heading.to_owned());
    let mut text = style.bold(headings.trim_end()) + "\n";
    for record in 0..records {
        text += line(&|column| column.cells[record].clone()).trim_end();
        text.push('\n');
    }
    text
}

/// A block for each record: a line for each value that is not blank.
fn blocks(columns: &[MeasuredColumn], records: usize, style: TerminalStyle) -> String {
    let widest = columns.iter().map(|column| column.heading.width()).max();
    let widest = widest.unwrap_or(0);
    let block = |record: usize| {
        let columns = columns.iter();
        let lines = columns.filter(|column| !column.cells[record].is_empty());
        let lines = lines.map(|column| {
            let room = " ".repeat(widest - column.heading.width());
            let heading = style.bold(column.heading);
            format!("{heading}{room}{GAP}{}\n", column.cells[record])
        });
        lines.collect::<String>()
    };
    (0..records).map(block).collect::<Vec<_>>().join("\n")
}

/// Returns `text` in at most this width, with a mark if some of it is left out.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut left = width.saturating_sub(1);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or(0)) else {
            break;
        };
        left = rest;
        shown.push(character);
    }
    shown.truncate(shown.trim_end().len());
    shown.push(CUT);
    Cow::Owned(shown)
}

/// Shortens each UUID to its beginning. All beginnings have one length, at which different IDs still differ.
fn shorten_ids(cells: &mut [String]) {
    let ids: HashSet<String> = cells.iter().filter(|cell| is_uuid(cell)).cloned().collect();
    let Some(longest) = ids.iter().map(String::len).max() else {
        return;
    };
    let are_different = |&length: &usize| {
        let beginnings: HashSet<&str> = ids.iter().map(|id| &id[..length]).collect();
        beginnings.len() == ids.len() && ids.iter().all(|id| !id[..length].ends_with('-'))
    };
    let length = (SHORT_ID..longest).find(are_different).unwrap_or(longest);
    for cell in cells.iter_mut().filter(|cell| is_uuid(cell)) {
        cell.truncate(length);
    }
}

/// Returns `true` for a UUID as it is usually written, with hyphens.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    struct Person {
        id: &'static str,
        name: &'static str,
        age: u32,
    }

    const COLUMNS: [ListColumn<Person>; 4] = [
        ListColumn::id("ID", |person| person.id.to_owned()),
        ListColumn::text("Name", |person| person.name.to_owned(), 6),
        ListColumn::number("Age", |person: &Person| person.age.to_string()).if_room(),
        ListColumn::text(
            "Twice",
            |person: &Person| format!("{0} {0}", person.name),
            6,
        )
        .if_wide(),
    ];

    const PEOPLE: [Person; 3] = [
        Person {
            id: "018f4e9e-5c7b-7000-8000-000000000001",
            name: "Ana  Lima\nde Souza",
            age: 7,
        },
        Person {
            id: "018f4e9e-5c7c-7000-8000-000000000002",
            name: "王小明",
            age: 1_000,
        },
        Person {
            id: "operator",
            name: "",
            age: 30,
        },
    ];

    fn at(width: Option<u16>, is_wide: bool) -> String {
        let style = TerminalStyle {
            colours: false,
            width,
        };
        list_text(&PEOPLE, &COLUMNS, is_wide, style)
    }

    #[test]
    fn a_terminal_with_room_shows_whole_values_and_short_ids() {
        assert_snapshot!(at(Some(60), false), @r"
        ID             Name                     Age
        018f4e9e-5c7b  Ana  Lima\u{a}de Souza     7
        018f4e9e-5c7c  王小明                  1000
        operator                                 30
        ");
    }

    #[test]
    fn a_narrow_terminal_shortens_text_and_leaves_columns_out() {
        assert_snapshot!(at(Some(24), false), @"
        ID             Name
        018f4e9e-5c7b  Ana  Lim…
        018f4e9e-5c7c  王小明
        operator
        ");
    }

    #[test]
    fn a_wide_list_is_whole_and_in_blocks_if_there_is_no_room() {
        assert_snapshot!(at(Some(60), true), @r"
        ID     018f4e9e-5c7b-7000-8000-000000000001
        Name   Ana  Lima\u{a}de Souza
        Age    7
        Twice  Ana  Lima\u{a}de Souza Ana  Lima\u{a}de Souza

        ID     018f4e9e-5c7c-7000-8000-000000000002
        Name   王小明
        Age    1000
        Twice  王小明 王小明

        ID     operator
        Age    30
        ");
    }

    #[test]
    fn without_a_terminal_a_record_is_a_line_that_can_be_cut_apart() {
        assert_snapshot!(at(None, false), @r"
        ID                                    Name                Age
        018f4e9e-5c7b-7000-8000-000000000001  Ana Lima de Souza     7
        018f4e9e-5c7c-7000-8000-000000000002  王小明             1000
        operator                              -                    30
        ");
        for line in at(None, true).lines() {
            let cells = line.split(GAP).filter(|cell| !cell.trim().is_empty());
            assert_eq!(cells.count(), 4, "{line}");
        }
    }

    #[test]
    fn ids_that_begin_alike_are_shortened_less_and_different_ones_never_become_equal() {
        let mut ids = [
            "01234567-0000-7000-8000-000000000001".to_owned(),
            "01234568-0000-7000-8000-000000000001".to_owned(),
            "01234568-0000-7000-8000-000000000001".to_owned(),
        ];
        shorten_ids(&mut ids);
        assert_eq!(ids, ["01234567", "01234568", "01234568"]);
    }

    proptest! {
        #[test]
        fn no_line_of_a_list_is_wider_than_the_terminal(
            names in prop::collection::vec("[a-z王 ]{0,40}", 1..6),
            width in 30_u16..200,
        ) {
            struct Row(String);
            let columns = [
                ListColumn::text("First", |row: &Row| row.0.clone(), 8),
                ListColumn::number("Number", |row: &Row| row.0.len().to_string()),
                ListColumn::text("Second", |row: &Row| format!("{0}{0}", row.0), 8),
                ListColumn::text("Third", |row: &Row| row.0.clone(), 8).if_room(),
            ];
            let rows: Vec<_> = names.into_iter().map(Row).collect();
            let style = TerminalStyle { colours: false, width: Some(width) };
            let text = list_text(&rows, &columns, false, style);
            prop_assert_eq!(text.lines().count(), rows.len() + 1);
            for line in text.lines() {
                prop_assert!(line.width() <= usize::from(width), "{}", line);
            }
        }
    }
}
