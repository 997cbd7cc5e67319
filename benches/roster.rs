//! Rosters from a seed: the same seed and size give the same bytes on every machine.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use user_import_testing::SeededRandom;

use crate::names::{AREA_CODES, FIRST, GROUPS, LAST, RANKS, ROLES};

const HEADER: &str = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE,\
    SUPERVISOR_EMAIL,LOCATION,RANK,EVIDENCE_GROUP_EXT_ID,PHONE";

/// How many people one supervisor has.
const SPAN: u64 = 12;

/// A prime number that is larger than any roster, so that its multiples reach every number.
const STRIDE: u64 = 15_485_863;

/// The people of one organisation.
#[derive(Clone, Copy, Debug)]
pub struct Roster {
    /// The seed that the people are made from.
    pub seed: u64,
    /// Number of people.
    pub rows: u64,
    /// The department has moved to another telephone exchange: nine of ten rows differ from the roster before the move,
    /// and only in PHONE.
    pub new_phones: bool,
}

impl Roster {
    /// Writes the roster as CSV. Supervisors and their reports are in no particular order.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        writeln!(out, "{HEADER}")?;
        for row in 0..self.rows {
            self.write_row(row * STRIDE % self.rows, &mut out)?;
        }
        out.flush()
    }

    /// Writes the row of person number `index`. No value needs quotes.
    fn write_row(&self, index: u64, out: &mut impl Write) -> io::Result<()> {
        let mut dice = self.dice(index);
        let (first, last) = name(&mut dice);
        let username = self.username(index);
        let supervisor = match index {
            0 => String::new(),
            _ => email(&self.username((index - 1) / SPAN)),
        };
        writeln!(
            out,
            "E{index:07},{},{:07},{first},{last},{},{username},{},{supervisor},,{},{},{}",
            email(&username),
            index * 7_919 % 10_000_000,
            if dice.percent(97) {
                "Active"
            } else {
                "Inactive"
            },
            early(&mut dice, &ROLES),
            often(&mut dice, 90, &RANKS),
            often(&mut dice, 60, &GROUPS),
            self.phone(&mut dice),
        )
    }

    fn username(&self, index: u64) -> String {
        let (first, last) = name(&mut self.dice(index));
        format!("{}.{}{index}", ascii(first), ascii(last))
    }

    fn phone(&self, dice: &mut SeededRandom) -> String {
        if !dice.percent(90) {
            return String::new();
        }
        let exchange = if self.new_phones { 320 } else { 220 } + dice.below(80);
        format!(
            "+1{}{exchange}{:04}",
            dice.pick(&AREA_CODES),
            dice.below(10_000)
        )
    }

    fn dice(&self, index: u64) -> SeededRandom {
        let mut dice = SeededRandom::new(self.seed.rotate_left(32) ^ index);
        dice.roll();
        dice
    }
}

fn name(dice: &mut SeededRandom) -> (&'static str, &'static str) {
    (dice.pick(&FIRST), dice.pick(&LAST))
}

fn email(username: &str) -> String {
    format!("{username}@riverton.example")
}

/// Returns a name as it is written in an email address.
fn ascii(name: &str) -> String {
    let letter = |c: char| match c {
        'á' | 'Á' => Some('a'),
        'é' | 'ë' => Some('e'),
        'í' => Some('i'),
        'ó' => Some('o'),
        _ => c.is_ascii_alphabetic().then(|| c.to_ascii_lowercase()),
    };
    name.chars().filter_map(letter).collect()
}

/// Chooses one of the items. The first ones are chosen more often.
fn early<T: Copy>(dice: &mut SeededRandom, items: &[T]) -> T {
    let most = 1 + dice.below(items.len());
    dice.pick(&items[..most])
}

/// Returns one of the items in `percent` of the cases, and a blank text in the others.
fn often(dice: &mut SeededRandom, percent: usize, items: &[&'static str]) -> &'static str {
    match dice.percent(percent) {
        true => early(dice, items),
        false => "",
    }
}
